"""What devices say: stored batch by batch, read back as arrays.

A batch is one transaction. The usual way is COPY BINARY straight into the tables; a batch that
holds something already stored (a redelivery) is repeated with ON CONFLICT DO NOTHING; a row the
database refuses becomes a dead letter, and its neighbours land.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage import outbox
from storage.sql import queries

_SQL = queries("telemetry")
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError, struct.error)
LIFT = "lift"


class LevelRow(NamedTuple):
    """A container's fill level; `fill` is a share of its volume."""

    time: datetime
    device_id: int
    seq: int
    container: str
    fill: float
    distance_mm: int | None
    temperature_c: float | None
    battery_v: float | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class PositionRow(NamedTuple):
    """Where a vehicle was."""

    time: datetime
    device_id: int
    seq: int
    vehicle: str
    lon: float
    lat: float
    speed_mps: float | None
    heading_deg: float | None
    accuracy_m: float | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class EventRow(NamedTuple):
    """Something that happened on a tour; kinds as in the published contract."""

    time: datetime
    device_id: int
    seq: int
    vehicle: str
    kind: str
    tour: str | None
    stop: int | None
    container: str | None
    facility: str | None
    kg: float | None
    lon: float | None
    lat: float | None
    reason: str | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class StatusRow(NamedTuple):
    """How a device was."""

    time: datetime
    device_id: int
    seq: int
    online: bool
    battery_v: float | None
    firmware: str | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class DeadLetterRow(NamedTuple):
    """A message that could not be stored, as it came, and why."""

    received_at: datetime
    topic: str
    payload: bytes
    reason: str


Row = LevelRow | PositionRow | EventRow | StatusRow

_TYPES = {
    "time": "timestamptz",
    "device_id": "int4",
    "seq": "int8",
    "fill": "float4",
    "distance_mm": "int4",
    "temperature_c": "float4",
    "battery_v": "float4",
    "lon": "float8",
    "lat": "float8",
    "speed_mps": "float4",
    "heading_deg": "float4",
    "accuracy_m": "float4",
    "stop": "int4",
    "kg": "float8",
    "online": "bool",
    "boot": "int4",
    "received_at": "timestamptz",
    "clock_suspect": "bool",
    "payload": "bytea",
}


class _Table:
    """The statements of one series, built once from its row's fields."""

    def __init__(self, name: str, row: type[Row] | type[DeadLetterRow], *, state: bool = True):
        self.name = name
        self.types = [_TYPES.get(column, "text") for column in row._fields]
        columns = sql.SQL(", ").join(map(sql.Identifier, row._fields))
        parts = {
            "table": sql.Identifier(name),
            "last": sql.Identifier(f"last_{name}"),
            "columns": columns,
            "arrays": sql.SQL(", ").join(
                sql.SQL("%b::{}[]").format(sql.Identifier(kind)) for kind in self.types
            ),
            "changes": sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column))
                for column in row._fields
            ),
        }
        self.copy = sql.SQL(_SQL["copy"]).format(**parts)
        self.insert = sql.SQL(_SQL["insert"]).format(**parts)
        self.state = sql.SQL(_SQL["update_state"]).format(**parts) if state else None


_LEVEL = _Table("level", LevelRow)
_POSITION = _Table("position", PositionRow)
_EVENT = _Table("event", EventRow)
_STATUS = _Table("status", StatusRow)
_DEAD_LETTER = _Table("dead_letter", DeadLetterRow, state=False)


@dataclass(frozen=True)
class Batch:
    """Rows that are stored together."""

    levels: Sequence[LevelRow] = ()
    positions: Sequence[PositionRow] = ()
    events: Sequence[EventRow] = ()
    statuses: Sequence[StatusRow] = ()
    dead_letters: Sequence[DeadLetterRow] = ()

    def series(self) -> tuple[tuple[_Table, Sequence[Row]], ...]:
        """Return each table with its rows."""
        return (
            (_LEVEL, self.levels),
            (_POSITION, self.positions),
            (_EVENT, self.events),
            (_STATUS, self.statuses),
        )


@dataclass(frozen=True)
class Stored:
    """What became of a batch.

    Attributes:
        counts: new rows per table, dead letters included.
        duplicates: rows that were there already.
        used_fallback: whether the batch had to be repeated row-tolerantly.
        refused: rows the database would not take; they are dead letters now.
    """

    counts: Mapping[str, int]
    duplicates: int = 0
    used_fallback: bool = False
    refused: int = 0


def store(connection: psycopg.Connection, batch: Batch) -> Stored:
    """Store a batch in one transaction (a savepoint where the caller has one open).

    Device state, the record of emptyings and one outbox row of kind `telemetry` are part of it.
    """
    try:
        with connection.transaction():
            counts = {table.name: _copy(connection, table, rows) for table, rows in batch.series()}
            _follow_up(connection, batch)
    except _REFUSED:  # a duplicate, or something worse: find out row by row
        with connection.transaction():
            return _store_tolerantly(connection, batch)
    counts["dead_letter"] = len(batch.dead_letters)
    return Stored(counts)


def _store_tolerantly(connection: psycopg.Connection, batch: Batch) -> Stored:
    counts: dict[str, int] = {}
    kept: dict[str, list[Any]] = {}
    refused: list[DeadLetterRow] = []
    for table, rows in batch.series():
        kept[table.name] = []
        counts[table.name] = _insert(connection, table, rows, kept[table.name], refused)
    landed = replace(
        batch,
        levels=kept["level"],
        positions=kept["position"],
        events=kept["event"],
        statuses=kept["status"],
        dead_letters=[*map(_harmless, batch.dead_letters), *refused],
    )
    _follow_up(connection, landed)
    stored = sum(counts.values())
    duplicates = sum(map(len, kept.values())) - stored
    counts["dead_letter"] = len(landed.dead_letters)
    return Stored(counts, duplicates, used_fallback=True, refused=len(refused))


def _copy(
    connection: psycopg.Connection, table: _Table, rows: Sequence[Row] | Sequence[DeadLetterRow]
) -> int:
    if rows:
        with connection.cursor() as cursor, cursor.copy(table.copy) as copy:
            copy.set_types(table.types)
            for row in rows:
                copy.write_row(row)
    return len(rows)


def _insert(
    connection: psycopg.Connection,
    table: _Table,
    rows: Sequence[Row],
    kept: list[Row],
    refused: list[DeadLetterRow],
) -> int:
    """Insert what is new; halve a refused lot until the bad row stands alone."""
    if not rows:
        return 0
    try:
        with connection.transaction():
            columns = [list(column) for column in zip(*rows, strict=True)]
            count = connection.execute(table.insert, columns).rowcount
    except _REFUSED as error:
        if len(rows) == 1:
            refused.append(_dead_letter(table, rows[0], error))
            return 0
        half = len(rows) // 2
        return _insert(connection, table, rows[:half], kept, refused) + _insert(
            connection, table, rows[half:], kept, refused
        )
    kept.extend(rows)
    return count


def _dead_letter(table: _Table, row: Row, error: Exception) -> DeadLetterRow:
    reason = " ".join(str(error).split())[:500] or type(error).__name__
    payload = repr(tuple(row)).encode(errors="backslashreplace")
    return DeadLetterRow(row.received_at, f"row/{table.name}", payload, reason)


def _harmless(letter: DeadLetterRow) -> DeadLetterRow:
    """Replace what a text column cannot hold; the payload keeps the bytes."""
    clean = (
        text.encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
        for text in (letter.topic, letter.reason)
    )
    return DeadLetterRow(letter.received_at, next(clean), letter.payload, next(clean))


def _follow_up(connection: psycopg.Connection, batch: Batch) -> None:
    """Write what follows from a batch's rows: states, emptyings, dead letters, the news."""
    for table, rows in batch.series():
        newest = _newest(rows)
        if newest and table.state:
            connection.execute(table.state, [list(column) for column in zip(*newest, strict=True)])
    lifts = {
        (event.container, event.time): event.kg
        for event in batch.events
        if event.kind == LIFT and event.container and not event.clock_suspect
    }
    if lifts:
        rows = [(*key, lifts[key]) for key in sorted(lifts)]
        connection.execute(_SQL["insert_emptyings"], [list(c) for c in zip(*rows, strict=True)])
    _copy(connection, _DEAD_LETTER, batch.dead_letters)
    _announce(connection, batch)


def _newest(rows: Iterable[Row]) -> list[Row]:
    """Return each device's newest record with a sound clock, in the order of devices.

    The order keeps two writers from waiting for each other's rows.
    """
    newest: dict[int, Row] = {}
    for row in rows:
        known = newest.get(row.device_id)
        if not row.clock_suspect and (
            known is None or (row.time, row.seq) > (known.time, known.seq)
        ):
            newest[row.device_id] = row
    return [newest[device] for device in sorted(newest)]


def _announce(connection: psycopg.Connection, batch: Batch) -> None:
    """Tell, once per batch, that there is something new to look at."""
    news = {table.name: len(rows) for table, rows in batch.series() if rows}
    if batch.dead_letters:
        news["dead_letter"] = len(batch.dead_letters)
    if news:
        came = [row.received_at for _, rows in batch.series() for row in rows]
        came += [letter.received_at for letter in batch.dead_letters]
        outbox.append(connection, outbox.Kind.TELEMETRY, "", news, at=max(came))


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


def latest_events(connection: psycopg.Connection) -> dict[str, EventRow]:
    """Return each vehicle's newest event."""
    rows = connection.execute(_SQL["latest_events"]).fetchall()
    return {row.vehicle: row for row in map(EventRow._make, rows)}


def tour_events(connection: psycopg.Connection, tour: str) -> list[EventRow]:
    """Return what happened on a tour, in the order of its unit's clock."""
    return [EventRow._make(row) for row in connection.execute(_SQL["tour_events"], [tour])]


class DeviceState(NamedTuple):
    """A device, when it last said something, and how it was."""

    device: str
    kind: str
    container: str | None
    vehicle: str | None
    last_time: datetime | None
    online: bool | None
    battery_v: float | None
    firmware: str | None


def device_states(connection: psycopg.Connection) -> list[DeviceState]:
    """Return the state of every device, by name."""
    return [DeviceState._make(row) for row in connection.execute(_SQL["device_states"])]


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
    row = connection.execute(_SQL["totals"]).fetchone() or ()
    return Totals(*row, by_kind=dict(connection.execute(_SQL["events_by_kind"]).fetchall()))


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
