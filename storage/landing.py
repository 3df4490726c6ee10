"""How a batch of telemetry lands: whole, in one transaction, and one bad row never blocks it.

The usual way is COPY BINARY straight into the tables. A batch that holds something already
stored (a redelivery) is repeated with ON CONFLICT DO NOTHING; a row the database refuses
becomes a dead letter, and its neighbours land.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from storage import deadletters, outbox
from storage.rows import Batch, DeadLetterRow, EventRow, LevelRow, PositionRow, Row, StatusRow
from storage.sql import queries

_SQL = queries("landing")
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError, struct.error)
LIFT = "lift"

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
}


class _Table:
    """The statements of one series, built once from its row's fields."""

    def __init__(self, name: str, row: type[Row]):
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
        self.state = sql.SQL(_SQL["update_state"]).format(**parts)


_LEVEL = _Table("level", LevelRow)
_POSITION = _Table("position", PositionRow)
_EVENT = _Table("event", EventRow)
_STATUS = _Table("status", StatusRow)


def _series(batch: Batch) -> tuple[tuple[_Table, Sequence[Row]], ...]:
    """Return each table with its rows."""
    return (
        (_LEVEL, batch.levels),
        (_POSITION, batch.positions),
        (_EVENT, batch.events),
        (_STATUS, batch.statuses),
    )


@dataclass(frozen=True)
class Stored:
    """What became of a batch.

    Attributes:
        counts: new rows per table, dead letters included.
        duplicates: rows and dead letters that were there already.
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
            counts = {table.name: _copy(connection, table, rows) for table, rows in _series(batch)}
            counts["dead_letter"] = _follow_up(connection, batch)
    except _REFUSED:  # a duplicate, or something worse: find out row by row
        with connection.transaction():
            return _store_tolerantly(connection, batch)
    return Stored(counts, duplicates=len(batch.dead_letters) - counts["dead_letter"])


def _store_tolerantly(connection: psycopg.Connection, batch: Batch) -> Stored:
    counts: dict[str, int] = {}
    kept: dict[str, list[Any]] = {}
    refused: list[DeadLetterRow] = []
    for table, rows in _series(batch):
        kept[table.name] = []
        counts[table.name] = _insert(connection, table, rows, kept[table.name], refused)
    landed = replace(
        batch,
        levels=kept["level"],
        positions=kept["position"],
        events=kept["event"],
        statuses=kept["status"],
        dead_letters=[*batch.dead_letters, *refused],
    )
    counts["dead_letter"] = _follow_up(connection, landed)
    landing = sum(map(len, kept.values())) + len(landed.dead_letters)
    duplicates = landing - sum(counts.values())
    return Stored(counts, duplicates, used_fallback=True, refused=len(refused))


def _copy(connection: psycopg.Connection, table: _Table, rows: Sequence[Row]) -> int:
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
    said = tuple(value for name, value in row._asdict().items() if name != "received_at")
    payload = repr(said).encode(errors="backslashreplace")  # the same when it comes again
    return DeadLetterRow(row.received_at, f"row/{table.name}", payload, reason)


def _follow_up(connection: psycopg.Connection, batch: Batch) -> int:
    """Write what follows from a batch's rows: states, emptyings, dead letters, the news.

    Returns the number of dead letters that are new.
    """
    for table, rows in _series(batch):
        newest = _newest(rows)
        if newest:
            connection.execute(table.state, [list(column) for column in zip(*newest, strict=True)])
    lifts = _lifts(batch.events)
    if lifts:
        columns = [list(column) for column in zip(*lifts, strict=True)]
        connection.execute(_SQL["insert_emptyings"], columns)
    buried = deadletters.bury(connection, batch.dead_letters)
    _announce(connection, batch)
    return buried


def _lifts(events: Iterable[EventRow]) -> list[tuple[str, datetime, float | None]]:
    """Return what was emptied and when; the greater weight wins where two units say it."""
    weights: dict[tuple[str, datetime], float | None] = {}
    for event in events:
        if event.kind == LIFT and event.container and not event.clock_suspect:
            key = (event.container, event.time)
            known = weights.get(key)
            weights[key] = event.kg if known is None else max(known, event.kg or 0.0)
    return [(*key, weights[key]) for key in sorted(weights)]


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
    news = {table.name: len(rows) for table, rows in _series(batch) if rows}
    if batch.dead_letters:
        news["dead_letter"] = len(batch.dead_letters)
    if news:
        came = [row.received_at for _, rows in _series(batch) for row in rows]
        came += [letter.received_at for letter in batch.dead_letters]
        outbox.append(connection, outbox.Kind.TELEMETRY, "", news, at=max(came))
