"""Frames as they were kept, and what the database holds of what they said."""

import struct
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from storage.rows import LevelRow, PositionRow, StatusRow
from storage.sql import queries

_SQL = queries("frames")
_FLOAT4_OID = 700
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

Said = LevelRow | PositionRow | StatusRow
SERIES: dict[str, type[Said]] = {"level": LevelRow, "position": PositionRow, "status": StatusRow}
"""What frames say, by the table that holds it."""


class Owner(NamedTuple):
    """A device that has frames; struck-off ones have, too."""

    id: int
    name: str
    kind: str


class KeptFrame(NamedTuple):
    """A frame, as in `FrameRow` and `TrackerFrameRow`; `place` is the container or the vehicle."""

    time: datetime
    seq: int
    place: str
    model: str
    port: int | None
    payload: bytes
    received_at: datetime


class Choice(NamedTuple):
    """Which frames are meant; None leaves it open. `until` is not included."""

    device: str | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def owners(connection: psycopg.Connection, region: str, choice: Choice) -> list[Owner]:
    """Return the devices whose frames are kept."""
    rows = connection.execute(_SQL["owners"], {"region": region, "device": choice.device})
    return [Owner._make(row) for row in rows]


def page(
    connection: psycopg.Connection,
    owner: Owner,
    choice: Choice,
    after: KeptFrame | None,
    limit: int,
) -> list[KeptFrame]:
    """Return a device's next frames, in the order in which they came."""
    tracker = owner.kind == "unit"
    statement = sql.SQL(_SQL["page"]).format(
        table=sql.Identifier("tracker_frame" if tracker else "frame"),
        place=sql.Identifier("vehicle" if tracker else "container"),
    )
    asked = {
        **choice._asdict(),
        "device": owner.id,
        "after_received": after.received_at if after else _BEGINNING,
        "after_time": after.time if after else _BEGINNING,
        "after_seq": after.seq if after else -1,
        "limit": limit,
    }
    return [KeptFrame._make(row) for row in connection.execute(statement, asked)]


def stored(
    connection: psycopg.Connection,
    table: str,
    owner: Owner,
    times: Collection[datetime],
    came: Collection[datetime],
) -> tuple[list[Said], frozenset[str]]:
    """Return what a device has at some instants, or came at some; and which columns are `real`."""
    statement = sql.SQL(_SQL["stored"]).format(**_names(table))
    asked = {"device": owner.id, "times": list(times), "came": list(came)}
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(statement, asked).fetchall()
        described = cursor.description or ()
    real = frozenset(column.name for column in described if column.type_code == _FLOAT4_OID)
    return [SERIES[table]._make(row) for row in rows], real


def as_stored(row: Said, real: Collection[str]) -> Said:
    """Return a row as the database gives it back: `real` columns have 24 binary digits."""
    values: dict[str, Any] = {
        name: struct.unpack("f", struct.pack("f", value))[0]
        for name, value in row._asdict().items()
        if name in real and value is not None
    }
    return row._replace(**values)


def remove(connection: psycopg.Connection, table: str, owner: Owner, rows: Sequence[Said]) -> None:
    """Remove rows of a device."""
    statement = sql.SQL(_SQL["remove"]).format(**_names(table))
    asked = {
        "device": owner.id,
        "times": [row.time for row in rows],
        "seqs": [row.seq for row in rows],
    }
    connection.execute(statement, asked)


def renew_state(connection: psycopg.Connection, table: str, owner: Owner) -> None:
    """Make a device's newest record the newest that there is."""
    names = _names(table)
    connection.execute(sql.SQL(_SQL["forget_state"]).format(**names), [owner.id])
    connection.execute(sql.SQL(_SQL["renew_state"]).format(**names), [owner.id])


def _names(table: str) -> dict[str, sql.Composable]:
    columns = SERIES[table]._fields
    return {
        "table": sql.Identifier(table),
        "last": sql.Identifier(f"last_{table}"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "changes": sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in columns
        ),
    }
