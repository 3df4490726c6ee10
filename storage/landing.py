"""How a batch of telemetry lands: whole, in one transaction, and one bad row never blocks it.

The usual way is COPY BINARY straight into the tables. A batch that holds something already
stored (a redelivery) is repeated with ON CONFLICT DO NOTHING; a row the database refuses
becomes a dead letter, and its neighbours land.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from storage import deadletters, outbox
from storage.rows import (
    Batch,
    DeadLetterRow,
    EventRow,
    FrameRow,
    LevelRow,
    PositionRow,
    Row,
    StatusRow,
    TrackerFrameRow,
)
from storage.sql import queries

_SQL = queries("landing")
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, OverflowError, struct.error)
LIFT = "lift"
NOTHING: Mapping[str, int] = {}

_TYPES = {
    "time": "timestamptz",
    "device_id": "int4",
    "seq": "int8",
    "fill": "float4",
    "distance_mm": "int4",
    "temperature_c": "float4",
    "battery_v": "float4",
    "battery_pct": "int4",
    "tilt": "bool",
    "port": "int4",
    "payload": "bytea",
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
            "columns": columns,
            "arrays": sql.SQL(", ").join(
                sql.SQL("%b::{}[]").format(sql.Identifier(kind)) for kind in self.types
            ),
        }
        # As bytes: composing them anew for each batch would cost as much as twenty rows.
        self.copy = sql.SQL(_SQL["copy"]).format(**parts).as_bytes()
        self.insert = sql.SQL(_SQL["insert"]).format(**parts).as_bytes()


_LEVEL = _Table("level", LevelRow)
_POSITION = _Table("position", PositionRow)
_EVENT = _Table("event", EventRow)
_STATUS = _Table("status", StatusRow)
_FRAME = _Table("frame", FrameRow)
_TRACKER_FRAME = _Table("tracker_frame", TrackerFrameRow)


def _series(batch: Batch) -> tuple[tuple[_Table, Sequence[Row]], ...]:
    """Return each table with its rows."""
    return (
        (_LEVEL, batch.levels),
        (_POSITION, batch.positions),
        (_EVENT, batch.events),
        (_STATUS, batch.statuses),
        (_FRAME, batch.frames),
        (_TRACKER_FRAME, batch.tracker_frames),
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

    @property
    def news(self) -> dict[str, int]:
        """What a console should look at again: tables with new rows."""
        return {
            table: count
            for table, count in self.counts.items()
            if count and table not in (_FRAME.name, _TRACKER_FRAME.name)
        }


def store(
    connection: psycopg.Connection, batch: Batch, *, unsaid: Mapping[str, int] | None = NOTHING
) -> Stored:
    """Store a batch in one transaction (a savepoint where the caller has one open).

    The newest records of devices, the record of emptyings and one outbox row of kind `telemetry`
    are part of it.

    Args:
        connection: where it goes.
        batch: what came.
        unsaid: news of earlier batches that the outbox row tells along with this one's; None
            writes no row: somebody will `announce` it later.
    """
    copies = takes_copy(connection)
    if copies:
        with suppress(*_REFUSED), connection.transaction():
            counts = {table.name: _copy(connection, table, rows) for table, rows in _series(batch)}
            counts["dead_letter"] = _follow_up(connection, batch)
            stored = Stored(counts, duplicates=len(batch.dead_letters) - counts["dead_letter"])
            _tell(connection, batch, stored, unsaid)
            return stored
    with connection.transaction():  # a duplicate, or something worse: find out row by row
        stored = replace(_store_tolerantly(connection, batch), used_fallback=copies)
        _tell(connection, batch, stored, unsaid)
    return stored


def takes_copy(connection: psycopg.Connection) -> bool:
    """Whether rows may come by COPY: an address with `options=-c binround.copy=off` says no."""
    return "binround.copy=off" not in connection.info.options


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
        frames=kept["frame"],
        tracker_frames=kept["tracker_frame"],
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
    """Write what follows from a batch's rows: emptyings and dead letters.

    Returns the number of dead letters that are new.
    """
    lifts = _lifts(batch.events)
    if lifts:
        columns = [list(column) for column in zip(*lifts, strict=True)]
        connection.execute(_SQL["insert_emptyings"], columns)
    return deadletters.bury(connection, batch.dead_letters)


def _lifts(events: Iterable[EventRow]) -> list[tuple[str, datetime, float | None]]:
    """Return what was emptied and when; the greater weight wins where two units say it."""
    weights: dict[tuple[str, datetime], float | None] = {}
    for event in events:
        if event.kind == LIFT and event.container and not event.clock_suspect:
            key = (event.container, event.time)
            known = weights.get(key)
            weights[key] = event.kg if known is None else max(known, event.kg or 0.0)
    return [(*key, weights[key]) for key in sorted(weights)]


def announce(connection: psycopg.Connection, news: Mapping[str, int], at: datetime) -> None:
    """Tell that there is something new to look at: how many rows in which tables."""
    outbox.append(connection, outbox.Kind.TELEMETRY, "", dict(news), at=at)


def _tell(
    connection: psycopg.Connection, batch: Batch, stored: Stored, unsaid: Mapping[str, int] | None
) -> None:
    if unsaid is None:
        return
    news = Counter(unsaid) + Counter(stored.news)
    if news:
        came = [row.received_at for _, rows in _series(batch) for row in rows]
        came += [letter.received_at for letter in batch.dead_letters]
        announce(connection, news, max(came))
