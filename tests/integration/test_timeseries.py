from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from config.region import Retention
from storage import retention, timeseries
from storage.database import Database
from storage.telemetry import Batch, DeadLetterRow, LevelRow, PositionRow, store

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = timedelta(days=1)
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
        verbs.ensure_chunks(connection, NOW - DAY * 9, NOW + DAY)
        assert _count(connection, "position_default") == 10
        assert _count(connection, "position_20261123") == 1
        assert _count(connection, "position") == 20
        verbs.ensure_chunks(connection, NOW - DAY * 9, NOW + DAY)
        assert store(connection, Batch(positions=[_position(NOW)])).duplicates == 1


def test_weekly_chunks_begin_on_mondays(database: Database) -> None:
    """Fill levels lie in weeks, positions in days."""
    with database.connect(autocommit=True) as connection:
        _skip_on_timescale(connection)
        timeseries.detect(connection).ensure_chunks(connection, NOW + DAY * 3, NOW + DAY * 4)
        store(connection, Batch(levels=[_level(NOW + DAY * 6)]))
        assert _count(connection, "level_20261123") == 1


def test_no_row_is_older_than_its_policy(database: Database) -> None:
    """After retention no position older than the region declares is left, to the hour.

    Whole parts go at once; the rest of a part is deleted. A row with an impossible clock is
    judged by when it came. Fill levels, which tell nothing of people, stay.
    """
    with database.connect(autocommit=True) as connection:
        timeseries.detect(connection).ensure_chunks(connection, NOW - DAY * 30, NOW + DAY)
        ages = [timedelta(hours=hours) for hours in range(0, 24 * 30, 5)]
        old = NOW - DAY * 15
        wrong = NOW + DAY * 900
        store(
            connection,
            Batch(
                levels=[_level(NOW - age) for age in ages],
                positions=[
                    *(_position(NOW - age) for age in ages),
                    _position(wrong, old, suspect=True),
                    _position(wrong + DAY, NOW, suspect=True),
                ],
                dead_letters=[DeadLetterRow(old, "t", b"", ""), DeadLetterRow(NOW, "u", b"", "")],
            ),
        )
        removed = retention.enforce(connection, RULES, NOW)
        oldest = connection.execute("SELECT min(time), max(time) FROM position").fetchone()
        assert oldest is not None
        assert oldest[0] >= NOW - DAY * 14
        assert oldest[1] == wrong + DAY
        assert _count(connection, "position") == sum(age <= DAY * 14 for age in ages) + 1
        assert _count(connection, "level") == len(ages)
        assert _count(connection, "dead_letter") == removed["dead_letter"] == 1
        assert removed["position"] > 10
        assert retention.enforce(connection, RULES, NOW)["position"] == 0


def test_levels_are_rolled_up_by_day(database: Database) -> None:
    """A late reading counts once its day is rolled up again; a suspect clock never does."""
    with database.connect(autocommit=True) as connection:
        verbs = timeseries.detect(connection)
        rows = [_level(NOW, 0.2), _level(NOW, 0.4, 1), _level(NOW, 9.0, 2, suspect=True)]
        store(connection, Batch(levels=rows))
        verbs.roll_up(connection, NOW - DAY, NOW + DAY)
        store(connection, Batch(levels=[_level(NOW - timedelta(hours=1), 0.9, 3)]))
        verbs.roll_up(connection, NOW - DAY, NOW + DAY)
        (day,) = connection.execute(
            "SELECT container, day, readings, fill_min, fill_avg, fill_max FROM level_day"
        ).fetchall()
        assert day[:3] == ("bin-1", datetime(2026, 11, 23, tzinfo=UTC), 3)
        assert day[3:] == pytest.approx((0.2, 0.5, 0.9), rel=1e-6)


def test_compressing_keeps_every_row(database: Database) -> None:
    """A compressed part reads as before, and takes duplicates and late rows."""
    with database.connect(autocommit=True) as connection:
        rows = [_level(NOW - DAY * 20 + timedelta(minutes=m), m / 100) for m in range(100)]
        store(connection, Batch(levels=rows))
        timeseries.detect(connection).compress(connection, NOW - DAY * 7)
        assert _count(connection, "level") == 100
        late = _level(NOW - DAY * 20, 0.5, seq=77)
        stored = store(connection, Batch(levels=[rows[0], late]))
        assert (stored.duplicates, stored.counts["level"]) == (1, 1)


def test_upkeep_does_the_daily_work(database: Database) -> None:
    """One call: parts for the days ahead, roll-up, compression, retention; again is harmless."""
    with database.connect(autocommit=True) as connection:
        store(connection, Batch(levels=[_level(NOW)], positions=[_position(NOW - DAY * 40)]))
        assert retention.upkeep(connection, RULES, NOW)["position"] == 1
        assert _count(connection, "level_day") == 1
        assert retention.upkeep(connection, RULES, NOW)["position"] == 0


def test_every_table_declares_how_long_it_is_kept(database: Database) -> None:
    """A new table has to be listed in `storage.retention`, linked to a person or not."""
    with database.connect() as connection:
        tables = {
            row[0]
            for row in connection.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
                " AND relnamespace = current_schema()::regnamespace"
            )
        }
        own = {name for name in tables if not name.startswith(("procrastinate_", "migration"))}
        declared = {policy.table for policy in retention.POLICIES} | set(retention.KEPT)
        assert own - declared == set()
        columns = connection.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns"
            " WHERE column_name IN ('vehicle', 'tour', 'who', 'payload', 'crew', 'driver')"
        )
        linked = {row[0] for row in columns} & own
        spans = {policy.table for policy in retention.POLICIES if policy.person_linked}
        # the registry; what goes with its tour; a sensor's bytes, which know no vehicle
        assert linked - spans == {"device", "stop", "frame"}


def test_no_table_knows_a_driver(database: Database) -> None:
    """Telemetry and plans speak of vehicles; who sat in one is nowhere."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND column_name ~ 'driver|person|employee'"
        ).fetchall()
    assert found == []


@pytest.mark.timescale
def test_on_timescale_the_series_are_hypertables(database: Database) -> None:
    """Where the server has TimescaleDB, its own chunks, compression and roll-up are used."""
    with database.connect(autocommit=True) as connection:
        if isinstance(timeseries.detect(connection), timeseries.Partitions):
            pytest.skip("this server has no TimescaleDB; set BINROUND_TEST_DSN to one that has")
        names = connection.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables"
        ).fetchall()
        assert {series.table for series in timeseries.SERIES} <= {row[0] for row in names}
