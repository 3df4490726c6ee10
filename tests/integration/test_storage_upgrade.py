"""A database of any older version, with data in it, comes up to date and keeps its data.

`tests/data/upgrade` has one file for each migration: rows as they were written with that version.
Whoever adds a migration adds its rows.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from storage import assets, checksums, deadletters, history, telemetry, timeseries
from storage import migrate as schema
from storage.database import Database
from storage.rollups import ROLL_UPS
from storage.rows import Batch, DeadLetterRow, LevelRow

pytestmark = pytest.mark.db
ROWS = Path(__file__).resolve().parent.parent / "data" / "upgrade"
STEPS = schema.migrations()
FIRST = 2  # the first version that could keep telemetry
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def at_version(database: Database, count: int, patch: pytest.MonkeyPatch) -> None:
    """Make the schema of the first migrations, with the rows that were written with them."""
    with patch.context() as older:
        older.setattr(schema, "migrations", lambda: STEPS[:count])
        older.setattr(timeseries, "SERIES", series_at(count))
        schema.migrate(database)
    with database.connect() as connection:
        for step in STEPS[:count]:
            path = ROWS / f"{step.name}.sql"
            assert path.exists(), f"add {path.relative_to(ROWS.parent.parent)} with rows"
            connection.execute(path.read_bytes(), prepare=False)


def series_at(count: int) -> tuple[timeseries.Series, ...]:
    """Return the time series that the first migrations make."""
    text = "\n".join(step.statements for step in STEPS[:count])
    return tuple(one for one in timeseries.SERIES if f"CREATE TABLE {one.table} (" in text)


def own_rows(connection: psycopg.Connection) -> Mapping[str, list[dict[str, Any]]]:
    """Return every row of our own tables, by table."""
    found = {}
    crew = connection.execute("SELECT to_regclass('crew.assignment') IS NOT NULL").fetchone()
    apart = ["crew.assignment"] if crew == (True,) else []
    for table in [*checksums.tables(connection), *apart]:
        if not table.startswith("procrastinate") and table != "migration":
            name = sql.Identifier(*table.split("."))
            ask = sql.SQL("SELECT to_jsonb(row) FROM {} AS row").format(name)
            found[table] = [row for (row,) in connection.execute(ask)]
    return found


@pytest.mark.parametrize("count", range(FIRST, len(STEPS) + 1))
def test_an_older_database_keeps_its_data(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """From each version straight to this one: all rows are there, with the values they had."""
    at_version(empty_database, count, monkeypatch)
    with empty_database.connect() as connection:
        before = own_rows(connection)
    done = schema.migrate(empty_database)
    assert done == [step.name for step in STEPS[count:]]
    schema.require_schema(empty_database)
    with empty_database.connect() as connection:
        after = own_rows(connection)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), table
        lost = [row for row in rows if not any(_holds(kept, row) for kept in after[table])]
        assert lost == [], table


def _holds(kept: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a row has all values of an older one; it may have more columns."""
    return all(column in kept and kept[column] == value for column, value in row.items())


def test_every_table_has_rows_to_prove_it(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who adds a table adds a row of it, so that its upgrade is tested from then on."""
    at_version(empty_database, len(STEPS), monkeypatch)
    with empty_database.connect() as connection:
        empty = [table for table, rows in own_rows(connection).items() if not rows]
    assert set(empty) <= {roll_up.table for roll_up in ROLL_UPS}  # made by upkeep


def test_work_goes_on_after_an_upgrade(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored before is recognised as a duplicate, and what is new lands."""
    at_version(empty_database, FIRST, monkeypatch)
    schema.migrate(empty_database)
    with empty_database.connect() as connection:
        device = assets.devices(connection)["s-1"].id
        old = LevelRow(datetime(2026, 1, 2, tzinfo=UTC), device, 1, "bin-1", 0.7, 900, 4.5, 3.6, 0,
                       NOW, clock_suspect=False)  # fmt: skip
        new = old._replace(time=NOW, seq=2)
        letter = DeadLetterRow(NOW, "a/b", b"\x00\xff", "topic: unknown")
        stored = telemetry.store(connection, Batch(levels=[old, new], dead_letters=[letter]))
        assert (stored.counts["level"], stored.duplicates) == (1, 2)
        assert telemetry.latest_levels(connection)["bin-1"].time == NOW


def test_what_a_moved_sensor_said_stays_where_it_was(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migration 0014 reads from the rows what devices were on, there and back again."""
    before = next(n for n, step in enumerate(STEPS) if step.name == "0014_device_assignment")
    at_version(empty_database, before, monkeypatch)
    with empty_database.connect() as connection:
        connection.execute(
            "INSERT INTO container (id, region, site, fraction, volume_l, synthetic)"
            " SELECT 'bin-2', region, site, fraction, volume_l, synthetic FROM container"
        )
        connection.execute(
            "INSERT INTO level (time, device_id, seq, container, fill, boot, received_at,"
            " clock_suspect) SELECT time + n * interval '1 day', device_id, 10 + n, 'bin-2', fill,"
            " 0, received_at, false FROM level CROSS JOIN generate_series(1, 3) n"
        )
    schema.migrate(empty_database)
    with empty_database.connect() as connection:
        year = NOW - timedelta(days=365), NOW
        assert history.levels(connection, "bin-2", *year).readings.tolist() == [1, 1, 1]
        assert history.levels(connection, "bin-1", *year).readings.tolist() == [1]
        there, back = assets.devices(connection)["s-1"].earlier
    assert (there.place, there.until) == ("bin-1", datetime(2026, 1, 3, tzinfo=UTC))
    assert (back.place, back.until) == ("bin-2", datetime(2026, 1, 5, microsecond=1, tzinfo=UTC))


def test_dead_letters_that_came_twice_become_one(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migration 0006 keeps the first of equal dead letters and counts the others."""
    before = next(n for n, step in enumerate(STEPS) if step.name == "0006_dead_letter")
    at_version(empty_database, before, monkeypatch)
    with empty_database.connect() as connection:
        connection.execute(
            "INSERT INTO dead_letter (received_at, topic, payload, reason)"
            " SELECT received_at + interval '1 h', topic, payload, 'later' FROM dead_letter"
            " CROSS JOIN generate_series(1, 2)"
        )
    schema.migrate(empty_database)
    with empty_database.connect() as connection:
        (kept,) = deadletters.newest(connection, 10)
    assert (kept.reason, kept.repeats) == ("topic: unknown", 2)
