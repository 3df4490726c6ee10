"""What devices say: stored batch by batch, read back as arrays and newest states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from storage.landing import NOTHING as NOTHING
from storage.landing import Stored as Stored
from storage.landing import announce as announce
from storage.landing import store as store
from storage.rows import Batch as Batch
from storage.rows import DeadLetterRow as DeadLetterRow
from storage.rows import EventRow as EventRow
from storage.rows import FrameRow as FrameRow
from storage.rows import LevelRow as LevelRow
from storage.rows import PositionRow as PositionRow
from storage.rows import StatusRow as StatusRow
from storage.rows import TrackerFrameRow as TrackerFrameRow
from storage.sql import queries

_SQL = queries("telemetry")


@dataclass(frozen=True, eq=False)
class FillHistory:
    """Fill levels in the order of time.

    Attributes:
        container: (n,) ids.
        time: (n,) instants in UTC, `datetime64[us]`.
        fill: (n,) shares of the container's volume.
    """

    container: NDArray[np.str_]
    time: NDArray[np.datetime64]
    fill: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Liftings:
    """When containers were emptied, in the order of time; arrays as in `FillHistory`.

    Attributes:
        kg: (n,) what was lifted; NaN where the unit does not weigh.
    """

    container: NDArray[np.str_]
    time: NDArray[np.datetime64]
    kg: NDArray[np.float64]


def fill_history(connection: psycopg.Connection, since: datetime, until: datetime) -> FillHistory:
    """Return the fill levels of a span, without those of a suspect clock."""
    container, time, fill = _columns(connection, "fill_history", [since, until], 3)
    return FillHistory(_ids(container), _instants(time), np.asarray(fill, np.float64))


def liftings(connection: psycopg.Connection, since: datetime, until: datetime) -> Liftings:
    """Return the emptyings of a span."""
    container, time, kg = _columns(connection, "liftings", [since, until], 3)
    return Liftings(_ids(container), _instants(time), np.asarray(kg, np.float64))


def latest_levels(connection: psycopg.Connection) -> dict[str, LevelRow]:
    """Return each container's newest fill level."""
    rows = connection.execute(_SQL["latest_levels"]).fetchall()
    return {row.container: row for row in map(LevelRow._make, rows)}


def latest_positions(connection: psycopg.Connection) -> dict[str, PositionRow]:
    """Return each vehicle's newest position. Live view only: history is audited elsewhere."""
    rows = connection.execute(_SQL["latest_positions"]).fetchall()
    return {row.vehicle: row for row in map(PositionRow._make, rows)}


def last_heard(connection: psycopg.Connection) -> dict[str, datetime]:
    """Return when the newest record of each kind came in; kinds that never came are left out."""
    return {kind: at for kind, at in connection.execute(_SQL["last_heard"]) if at is not None}


def dead_letters(connection: psycopg.Connection, limit: int = 100) -> list[DeadLetterRow]:
    """Return the newest dead letters."""
    rows = connection.execute(_SQL["dead_letters"], [limit])
    return [DeadLetterRow._make(row) for row in rows]


@dataclass(frozen=True)
class Totals:
    """Rows stored so far."""

    level: int = 0
    position: int = 0
    event: int = 0
    status: int = 0
    dead_letter: int = 0
    by_kind: Mapping[str, int] = field(default_factory=dict)


def totals(connection: psycopg.Connection) -> Totals:
    """Count what is stored; events also by kind."""
    level, position, event, status, dead_letter = (
        connection.execute(_SQL["totals"]).fetchone() or (0,) * 5
    )
    by_kind: dict[str, int] = dict(connection.execute(_SQL["events_by_kind"]).fetchall())
    return Totals(level, position, event, status, dead_letter, by_kind)


def _columns(
    connection: psycopg.Connection, name: str, arguments: list[object], width: int
) -> list[Sequence[Any]]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_SQL[name], arguments).fetchall()
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _ids(values: Sequence[str]) -> NDArray[np.str_]:
    return np.asarray(values, dtype=np.str_)


def _instants(microseconds: Sequence[int]) -> NDArray[np.datetime64]:
    return np.asarray(microseconds, dtype=np.int64).view("datetime64[us]")
