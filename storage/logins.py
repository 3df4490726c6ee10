"""Logins of a region's devices at the broker: made once, kept in a file for their owner alone."""

import json
from pathlib import Path

from config.clock import Clock
from config.files import alone_with, write_private
from config.region import Region
from storage import assets
from storage.database import Database

LOGINS = "logins.json"


def keep_logins(
    database: Database, region: Region, path: Path, clock: Clock
) -> dict[str, dict[str, str]]:
    """Return user, password and client id of each truck unit and of the sensors' gateway.

    What has a login in the file keeps it; the database holds hashes only. Devices that were
    revoked have none.

    Args:
        database: with the region loaded.
        region: whose devices they are.
        path: the file.
        clock: for the instant at which a login was made.
    """
    names = [*(vehicle.id for vehicle in region.vehicles), assets.gateway_name(region.id)]
    with database.connect() as connection:
        in_use = assets.devices(connection)
    names = [name for name in names if name in in_use and not in_use[name].source]
    with alone_with(path):
        kept = _read(path)
        if missing := [name for name in names if not kept.get(name)]:
            with database.connect() as connection:
                for made in assets.provision_many(connection, missing, at=clock.now()):
                    kept[made.device] = _login(made)
            write_private(path, json.dumps(kept, indent=1))
    return {name: login for name in names if (login := kept[name])}


def renew_login(path: Path, device: str, made: assets.Credentials | None) -> None:
    """Write a device's new login into the file, or strike it out; a device not in it stays so.

    The name of a struck-out one is kept: when it is taken back, its new login belongs here, too,
    or `setup` would make yet another one and cut the device off.
    """
    with alone_with(path):
        kept = _read(path)
        if device in kept:
            kept[device] = _login(made) if made else None
            write_private(path, json.dumps(kept, indent=1))


def _read(path: Path) -> dict[str, dict[str, str] | None]:
    kept: dict[str, dict[str, str] | None] = json.loads(path.read_text()) if path.exists() else {}
    return kept


def _login(made: assets.Credentials) -> dict[str, str]:
    return {"user": made.device, "password": made.secret, "client_id": made.client_id}
