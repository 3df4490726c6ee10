"""Several ingesters as processes of one: started together, revived, ended together."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cli.children import Children
from config.settings import Settings
from ingest.broker import region_broker, server_secret
from ingest.broker.nats import REDELIVER_S
from storage.database import Database
from storage.migrate import require_schema

TEND_S = 0.5

# NATS repeats what an ingester had not acknowledged only after this time, and until then would
# deliver newer messages before it: whoever comes later gets each device's messages in order.
PAUSE_S = REDELIVER_S + 0.5

log = logging.getLogger(__name__)


def run_ingesters(
    settings: Settings, region: str, database: Database, count: int, stop: threading.Event
) -> None:
    """Run ingesters until told to stop; what says READY or logs, says so beside us.

    Args:
        settings: where the broker is; an embedded one is started here, once for all.
        region: id of the region.
        database: where everything goes.
        count: how many.
        stop: set by whoever wants them to end.

    Raises:
        BinroundError: one of them does not stay up.
    """
    require_schema(database)
    with (
        _environment(settings, region, database) as environment,
        Children(None, environment, log.warning) as family,
    ):
        for number in range(1, count + 1):
            family.start("ingest", "--instance", f"{number}/{count}", lasting=True, pause_s=PAUSE_S)
        while not stop.wait(TEND_S):
            family.tend()


@contextmanager
def _environment(settings: Settings, region: str, database: Database) -> Iterator[dict[str, str]]:
    """Give what the ingesters need to find database and broker."""
    environment = {"BINROUND_DATABASE_URL": database.dsn, "PYTHONUNBUFFERED": "1"}
    if not settings.embedded_broker:
        yield environment
        return
    with region_broker(settings, region, database) as broker:
        yield {
            **environment,
            "BINROUND_BROKER_URL": broker.url,
            "BINROUND_BROKER_PASSWORD": server_secret(settings),
        }
