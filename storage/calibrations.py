"""How each sensor's distances are read, by hand or learned, with the history of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from config.errors import DatabaseError
from ingest.codecs.calibration import Calibration, History
from storage.sql import queries

_SQL = queries("calibrations")


class Entry(NamedTuple):
    """A calibration of a device, from an instant on.

    Attributes:
        learned: after emptyings; otherwise somebody gave it.
    """

    device: str
    since: datetime
    calibration: Calibration
    learned: bool


class Lesson(NamedTuple):
    """What emptyings taught about a sensor.

    Attributes:
        device_id: its number.
        calibration: the one in force.
        distances_mm: the first distance after each emptying since a hand gave the numbers.
    """

    device_id: int
    calibration: Calibration
    distances_mm: list[int]


def give(
    connection: psycopg.Connection,
    region: str,
    device: str,
    calibration: Calibration,
    *,
    since: datetime,
) -> None:
    """Calibrate a sensor by hand; what was learned from that instant on is forgotten.

    Raises:
        DatabaseError: there is no such sensor in use.
    """
    found = connection.execute(_SQL["sensor"], [device, region]).fetchone()
    if found is None:
        raise DatabaseError(f"there is no sensor {device!r} in use; see `binround device list`")
    with connection.transaction():
        connection.execute(_SQL["forget_learned"], [found[0], since])
        _write(connection, found[0], calibration, since, learned=False)


def learn(
    connection: psycopg.Connection, device_id: int, calibration: Calibration, *, since: datetime
) -> None:
    """Note a calibration that emptyings have shown."""
    _write(connection, device_id, calibration, since, learned=True)


def histories(connection: psycopg.Connection) -> Mapping[int, History]:
    """Return every sensor's calibrations by the number of its device."""
    rows: dict[int, list[tuple[datetime, Calibration]]] = defaultdict(list)
    for device_id, since, *numbers in connection.execute(_SQL["all"]):
        rows[device_id].append((since, _calibration(numbers)))
    return {
        device_id: History(tuple(since for since, _ in known), tuple(one for _, one in known))
        for device_id, known in rows.items()
    }


def entries(connection: psycopg.Connection, device: str) -> list[Entry]:
    """Return a device's calibrations, newest first."""
    rows = connection.execute(_SQL["of_device"], [device])
    return [
        Entry(name, since, _calibration(numbers), learned)
        for name, since, learned, *numbers in rows
    ]


def in_force(connection: psycopg.Connection, at: datetime) -> dict[str, Entry]:
    """Return the calibration of each device that is in force at an instant."""
    rows = connection.execute(_SQL["in_force"], [at])
    return {
        name: Entry(name, since, _calibration(numbers), learned)
        for name, since, learned, *numbers in rows
    }


def lessons(connection: psycopg.Connection, at: datetime, most: int) -> list[Lesson]:
    """Return what the newest emptyings of each calibrated sensor's container have shown.

    Args:
        connection: where they are.
        at: the instant.
        most: emptyings per sensor at most.
    """
    rows = connection.execute(_SQL["lessons"], {"at": at, "most": most})
    return [
        Lesson(device_id, _calibration(numbers), distances)
        for device_id, distances, *numbers in rows
    ]


def _write(
    connection: psycopg.Connection,
    device_id: int,
    calibration: Calibration,
    since: datetime,
    *,
    learned: bool,
) -> None:
    row = [device_id, since, calibration.empty_mm, calibration.full_mm,
           Jsonb(calibration.shape), learned]  # fmt: skip
    connection.execute(_SQL["write"], row)


def _calibration(numbers: Iterable[object]) -> Calibration:
    empty_mm, full_mm, shape = numbers
    return Calibration.model_validate({"empty_mm": empty_mm, "full_mm": full_mm, "shape": shape})
