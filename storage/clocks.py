"""How far devices' clocks are from ours: estimated, kept, never used to alter a record.

A message that came at once tells nearly the truth, one that waited in a tunnel tells too little.
So the largest lead within two days with messages counts: one quick message a day is enough, and a
clock that was put right is believed again the day after.
"""

from collections.abc import Mapping
from datetime import datetime

import psycopg

from storage.sql import queries

_SQL = queries("clocks")


def keep(connection: psycopg.Connection, ahead_s: Mapping[int, float], at: datetime) -> None:
    """Take what was seen into the estimates.

    Args:
        connection: where they are.
        ahead_s: by device, how far its quickest message was ahead of our clock; negative: behind.
        at: the instant, by the caller's clock.
    """
    if ahead_s:
        devices = sorted(ahead_s)  # two writers do not wait for each other's rows
        leads = [ahead_s[device] for device in devices]
        connection.execute(_SQL["keep"], [devices, [at.date()] * len(devices), leads])


def ahead(connection: psycopg.Connection) -> dict[str, float]:
    """Return by how many seconds each device's clock is ahead; negative: behind."""
    return dict(connection.execute(_SQL["ahead"]).fetchall())


def wrong(connection: psycopg.Connection, limit_s: float) -> int:
    """Return how many devices in use are off by more than a limit."""
    row = connection.execute(_SQL["wrong"], [limit_s]).fetchone()
    return int(row[0]) if row else 0
