"""The whole system on one machine: database, broker and services as one process tree."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.clock import SharedClock
from config.files import write_private
from config.region import Region
from config.settings import Settings
from ingest.broker import region_broker, server_secret
from storage import assets
from storage.database import Database, open_database
from storage.logins import LOGINS, keep_logins
from storage.migrate import migrate


@dataclass(frozen=True)
class Stack:
    """What stands before the services start.

    Attributes:
        environment: settings for the services, as environment variables.
        credentials: the file from which the simulated city reads its logins.
    """

    database: Database
    environment: Mapping[str, str]
    credentials: Path


@contextmanager
def raise_stack(settings: Settings, region: Region, clock: SharedClock) -> Iterator[Stack]:
    """Start the database and the broker of a simulated region; both end with this context.

    Raises:
        DatabaseError: no database can be had.
        BrokerError: no broker can be had.
    """
    with open_database(settings) as database:
        migrate(database)
        with database.connect() as connection:
            assets.load_region(connection, region, at=clock.now(), server_user=settings.broker_user)
        logins = keep_logins(database, region, settings.data_dir / LOGINS, clock)
        with region_broker(settings, region.id, database) as broker:
            yield Stack(
                database,
                _environment(settings, database, broker.url, server_secret(settings)),
                _credentials_file(settings.data_dir / "city.json", broker.url, region, logins),
            )


def _credentials_file(
    path: Path, url: str, region: Region, logins: Mapping[str, Mapping[str, str]]
) -> Path:
    gateway = assets.gateway_name(region.id)
    write_private(path, json.dumps({"url": url, "devices": dict(logins), "gateway": gateway}))
    return path


def _environment(
    settings: Settings, database: Database, broker_url: str, secret: str
) -> dict[str, str]:
    return {
        "BINROUND_DATA_DIR": str(settings.data_dir),
        "BINROUND_REGION": settings.region,
        "BINROUND_DATABASE_URL": database.dsn,
        "BINROUND_BROKER_URL": broker_url,
        "BINROUND_BROKER_PASSWORD": secret,
        "BINROUND_CLOCK": settings.clock,
        "PYTHONUNBUFFERED": "1",
    }
