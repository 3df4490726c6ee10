from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from config.region import Retention
from storage import retention, rollups, timeseries
from storage.database import Database
from storage.telemetry import Batch, DeadLetterRow, LevelRow, PositionRow, store

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Europe/Berlin")
RULES = Retention(purpose="dispatch", positions_days=14)


def _level(at: datetime, fill: float = 0.5, seq: int = 0, *, suspect: bool = False) -> LevelRow:
    return LevelRow(at, 1, seq, "bin-1", fill, None, None, None, 0, NOW, suspect)


def _position(at: datetime, received: datetime = NOW, *, suspect: bool = False) -> PositionRow:
    return PositionRow(at, 7, 0, "truck", 8.5, 52, None, None, None, 0, received, suspect)


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(row[0]) if row else -1


def _skip_on_timescale(connection: psycopg.Connection) -> None:
    if not isinstance(timeseries.detect(connection), timeseries.Partitions):
        pytest.skip("TimescaleDB makes its chunks by itself")


def test_chunks_take_over_what_had_no_place_yet(database: Database) -> None:
    """Rows that came before their partition lie in the default one and move, none is lost."""
    with database.connect(autocommit=True) as connection:
        _skip_on_timescale(connection)
        store(connection, Batch(positions=[_position(NOW - DAY * n) for n in range(20)]))
        assert _count(connection, "position_default") == 20
        verbs = timeseries.detect(connection)
        verbs.ensure_chunks(connection, NOW, NOW + DAY)
        assert _count(connection, "position_default") == 0
        assert _count(connection, "position_20261123") == 1
        assert _count(connection, "position") == 20
        verbs.ensure_chunks(connection, NOW, NOW + DAY)
        assert store(connection, Batch(positions=[_position(NOW)])).duplicates == 1


def test_weekly_chunks_begin_on_mondays(database: Database) -> None:
    """Fill levels lie in weeks, positions in days."""
    with database.connect(autocommit=True) as connection:
        _skip_on_timescale(connection)
        timeseries.detect(connection).ensure_chunks(connection, NOW + DAY * 3, NOW + DAY * 4)
        store(connection, Batch(levels=[_level(NOW + DAY * 6)]))
        assert _count(connection, "level_20261123") == 1


def test_no_row_is_older_than_its_policy(each_database: Database) -> None:
    """After retention no position older than the region declares is left, to the hour.

    Whole parts go at once; the rest of a part is deleted. A row with an impossible clock, be it
    of 1970, is judged by when it came. Fill levels, which tell nothing of people, stay.
    """
    with each_database.connect(autocommit=True) as connection:
        timeseries.detect(connection).ensure_chunks(connection, NOW - DAY * 30, NOW + DAY)
        ages = [timedelta(hours=hours) for hours in range(0, 24 * 30, 5)]
        old = NOW - DAY * 15
        wrong, broken = NOW + DAY * 900, datetime(1970, 1, 1, tzinfo=UTC)
        store(
            connection,
            Batch(
                levels=[_level(NOW - age) for age in ages],
                positions=[
                    *(_position(NOW - age) for age in ages),
                    _position(wrong, old, suspect=True),
                    _position(wrong + DAY, NOW, suspect=True),
                    _position(broken, old, suspect=True),
                    _position(broken + DAY, NOW, suspect=True),
                ],
                dead_letters=[DeadLetterRow(old, "t", b"", ""), DeadLetterRow(NOW, "u", b"", "")],
            ),
        )
        removed = retention.enforce(connection, RULES, NOW)
        times = [at for (at,) in connection.execute("SELECT time FROM position ORDER BY time")]
        assert (times[0], times[-1]) == (broken + DAY, wrong + DAY)
        assert times[1] >= NOW - DAY * 14
        assert len(times) == sum(age <= DAY * 14 for age in ages) + 2
        assert _count(connection, "level") == len(ages)
        assert _count(connection, "dead_letter") == removed["dead_letter"] == 1
        assert removed["position"] > 10
        assert retention.enforce(connection, RULES, NOW)["position"] == 0


def test_compressing_keeps_every_row(each_database: Database) -> None:
    """A compressed part reads as before, and takes duplicates and late rows."""
    with each_database.connect(autocommit=True) as connection:
        rows = [_level(NOW - DAY * 20 + timedelta(minutes=m), m / 100) for m in range(100)]
        store(connection, Batch(levels=rows))
        timeseries.detect(connection).compress(connection, NOW - DAY * 7)
        assert _count(connection, "level") == 100
        late = _level(NOW - DAY * 20, 0.5, seq=77)
        stored = store(connection, Batch(levels=[rows[0], late]))
        assert (stored.duplicates, stored.counts["level"]) == (1, 1)


def test_upkeep_does_the_daily_work(each_database: Database) -> None:
    """One call: parts for the days ahead, roll-up, compression, retention; again is harmless."""
    with each_database.connect(autocommit=True) as connection:
        store(connection, Batch(levels=[_level(NOW)], positions=[_position(NOW - DAY * 40)]))
        assert retention.upkeep(connection, RULES, ZONE, NOW)["position"] == 1
        assert _count(connection, "level_day") == 1
        assert retention.upkeep(connection, RULES, ZONE, NOW)["position"] == 0


@pytest.mark.timescale
def test_on_timescale_its_own_parts_are_used(timescale: Database) -> None:
    """There the series are hypertables, and the roll-ups continuous aggregates."""
    with timescale.connect(autocommit=True) as connection:
        views = "timescaledb_information"
        hypertables = connection.execute(f"SELECT hypertable_name FROM {views}.hypertables")  # noqa: S608
        assert {series.table for series in timeseries.SERIES} <= {name for (name,) in hypertables}
        aggregates = connection.execute(f"SELECT view_name FROM {views}.continuous_aggregates")  # noqa: S608
        assert {name for (name,) in aggregates} == {one.table for one in rollups.ROLL_UPS}


@pytest.mark.timescale
def test_old_chunks_are_compressed_and_dropped(timescale: Database) -> None:
    """Upkeep compresses whole chunks after a week, and drops them when their span has run out."""
    with timescale.connect(autocommit=True) as connection:
        # So few rows may a statement take apart, unless it says otherwise; 100,000 is usual.
        connection.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 5")
        hours = [NOW - timedelta(hours=n) for n in range(24 * 13)]
        store(connection, Batch(positions=[_position(at, at) for at in hours]))
        retention.upkeep(connection, RULES, ZONE, NOW)
        assert _compressed(connection, "position") == [True] * 6 + [False] * 8
        assert _count(connection, "position") == len(hours)
        retention.enforce(connection, RULES, NOW + DAY * 4)
        assert _compressed(connection, "position") == [True] * 3 + [False] * 8
        assert _count(connection, "position") == 24 * 10 + 1


def _compressed(connection: psycopg.Connection, table: str) -> list[bool]:
    chunks = connection.execute(
        "SELECT is_compressed FROM timescaledb_information.chunks"
        " WHERE hypertable_name = %s ORDER BY range_start",
        [table],
    )
    return [compressed for (compressed,) in chunks]
