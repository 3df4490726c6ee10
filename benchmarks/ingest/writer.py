"""What storing a batch costs beside a bare COPY BINARY into the same table with the same index.

The writer's own way also keeps each device's newest state, announces the news and is ready to
meet repeats; the bare loop does nothing but copy. Batches alternate, so that noise hits both.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg

from benchmarks.ingest.publisher import TRUCKS
from storage.database import Database
from storage.telemetry import Batch, PositionRow, store

_TYPES = ("timestamptz", "int4", "int8", "text", "float8", "float8", "float4", "float4", "float4",
          "int4", "timestamptz", "bool")  # fmt: skip
_COPY = f"COPY position ({', '.join(PositionRow._fields)}) FROM STDIN (FORMAT binary)"
_INSERT = (
    f"INSERT INTO position ({', '.join(PositionRow._fields)}) "  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(_TYPES))}) ON CONFLICT DO NOTHING"
)
Way = Callable[[psycopg.Connection, Sequence[PositionRow]], object]


class Cost(NamedTuple):
    """What a way of storing costs."""

    rows_per_s: float
    client_us: float
    server_us: float


def bare_copy(connection: psycopg.Connection, rows: Sequence[PositionRow]) -> None:
    """Copy, commit."""
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)


def writers_way(connection: psycopg.Connection, rows: Sequence[PositionRow]) -> None:
    """Store as the ingester does."""
    store(connection, Batch(positions=rows))


def executemany(connection: psycopg.Connection, rows: Sequence[PositionRow]) -> None:
    """Insert row by row in a pipeline, as most programs do."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)


WAYS: dict[str, Way] = {
    "bare COPY BINARY": bare_copy,
    "writer": writers_way,
    "executemany ON CONFLICT": executemany,
}


def compare(database: Database, count: int, batch_rows: int) -> dict[str, Cost]:
    """Store `count` positions in each way, batch by batch in turn."""
    spent = {name: [0.0, 0.0, 0.0] for name in WAYS}
    with database.connect(autocommit=True) as connection:
        server = f"/proc/{connection.info.backend_pid}/schedstat"
        for number in range(count // batch_rows):
            for place, (name, way) in enumerate(WAYS.items()):
                rows = _rows(number * batch_rows, batch_rows, place)
                before = _clocks(server)
                way(connection, rows)
                for index, (late, early) in enumerate(zip(_clocks(server), before, strict=True)):
                    spent[name][index] += late - early
    done = count // batch_rows * batch_rows
    return {
        name: Cost(done / wall_s, client_s / done * 1e6, server_s / done * 1e6)
        for name, (wall_s, client_s, server_s) in spent.items()
    }


def _clocks(server: str) -> tuple[float, float, float]:
    """Return wall time, our processor time and the server process's, in seconds."""
    with open(server) as stat:  # noqa: PTH123  read thousands of times
        server_ns = int(stat.read().split()[0])
    return time.perf_counter(), time.process_time(), server_ns / 1e9


def _rows(first: int, count: int, place: int) -> list[PositionRow]:
    """Return the next fixes of a fleet; each way has hours of its own."""
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    begin += timedelta(hours=4 * (place + 1))
    return [
        PositionRow(
            begin + timedelta(milliseconds=5 * number), number % TRUCKS + 1, number,
            f"truck-{number % TRUCKS}", 8.5 + number % 997 / 1e4, 52.0 + number % 991 / 1e4,
            float(number % 20), float(number % 360), 4.5, 0, begin, False,
        )
        for number in range(first, first + count)
    ]  # fmt: skip
