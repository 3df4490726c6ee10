"""Logins of a region's devices at the broker: made once, kept in a file for their owner alone."""

import json
import os
from pathlib import Path

from config.clock import Clock
from config.region import Region
from storage import assets
from storage.database import Database

LOGINS = "logins.json"


def keep_logins(
    database: Database, region: Region, path: Path, clock: Clock
) -> dict[str, dict[str, str]]:
    """Return user, password and client id of each truck unit and of the sensors' gateway.

    What has a login in the file keeps it; the database holds hashes only.

    Args:
        database: with the region loaded.
        region: whose devices they are.
        path: the file.
        clock: for the instant at which a login was made.
    """
    names = [*(vehicle.id for vehicle in region.vehicles), assets.gateway_name(region.id)]
    kept: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    if missing := [name for name in names if name not in kept]:
        with database.connect() as connection:
            for made in assets.provision_many(connection, missing, at=clock.now()):
                kept[made.device] = {
                    "user": made.device,
                    "password": made.secret,
                    "client_id": made.client_id,
                }
        write_private(path, json.dumps(kept, indent=1))
    return {name: kept[name] for name in names}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, beside and swapped."""
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
