"""What a device was on, and until when: a record belongs to that of its own time.

A sensor moves to another container, and what it measured before stays the first one's.
"""

from datetime import datetime
from typing import NamedTuple

import psycopg

from storage.sql import queries

_SQL = queries("assignments")


class Earlier(NamedTuple):
    """What a device was on before.

    Attributes:
        place: the container or the vehicle.
        until: since when it is on something else.
    """

    place: str
    until: datetime


def note(connection: psycopg.Connection, region: str, *, at: datetime) -> None:
    """Keep what a region's devices are on now, where that changed."""
    connection.execute(_SQL["note"], {"region": region, "at": at})


def earlier(connection: psycopg.Connection) -> dict[int, tuple[Earlier, ...]]:
    """Return what devices in use were on before, oldest first, by their numbers."""
    found: dict[int, tuple[Earlier, ...]] = {}
    for device, place, until in connection.execute(_SQL["earlier"]):
        found[device] = (*found.get(device, ()), Earlier(place, until))
    return found
