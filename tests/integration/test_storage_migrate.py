from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from config.errors import DatabaseError
from storage import migrate as schema
from storage.database import Database

pytestmark = pytest.mark.db


def test_migrating_twice_does_nothing_the_second_time(empty_database: Database) -> None:
    """An empty database gets every step once; then it is up to date."""
    done = schema.migrate(empty_database)
    assert done[0] == "procrastinate"
    assert done[1:] == [step.name for step in schema.migrations()]
    assert schema.migrate(empty_database) == []
    schema.require_schema(empty_database)


def test_status_says_what_there_is_and_what_is_pending(empty_database: Database) -> None:
    """Before and after: server, TimescaleDB or its absence, version, pending steps, sizes."""
    before = schema.status(empty_database)
    assert (before.version, before.applied) == ("empty", ())
    assert "0001_registry" in before.pending
    assert int(before.server.split(".")[0]) >= 15
    schema.migrate(empty_database)
    after = schema.status(empty_database)
    assert after.pending == ()
    assert after.version == schema.migrations()[-1].name
    assert after.timescale.startswith("none") or "edition" in after.timescale
    assert after.sizes["position"] > 0
    assert "position_default" not in after.sizes


def test_a_schema_that_lags_behind_is_refused(empty_database: Database) -> None:
    """A program that needs the schema says which command brings it up to date."""
    with pytest.raises(DatabaseError, match="binround db migrate"):
        schema.require_schema(empty_database)


def test_several_may_migrate_at_once(empty_database: Database) -> None:
    """An advisory lock lets one work while the others wait; together they apply each step once."""
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(schema.migrate, [empty_database] * 4))
    assert sorted(map(len, done))[:3] == [0, 0, 0]


def _change_a_checksum(steps: list[schema.Migration]) -> list[schema.Migration]:
    return [replace(steps[0], checksum="another"), *steps[1:]]


def _forget_the_last(steps: list[schema.Migration]) -> list[schema.Migration]:
    return steps[:-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [(_change_a_checksum, "was changed after"), (_forget_the_last, "does not know")],
)
def test_a_database_of_another_history_is_refused(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[list[schema.Migration]], list[schema.Migration]],
    message: str,
) -> None:
    """A file changed after it was applied, or a database newer than the program: both stop."""
    steps = change(schema.migrations())
    monkeypatch.setattr(schema, "migrations", lambda: steps)
    with pytest.raises(DatabaseError, match=message) as caught:
        schema.migrate(database)
    assert "\n" not in str(caught.value)


def test_a_failing_step_leaves_nothing_behind(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is one transaction: half of it is never applied, the ones before stay."""
    broken = schema.Migration("0900_broken", "CREATE TABLE half (); SELECT 1/0", "x")
    steps = [*schema.migrations(), broken]
    monkeypatch.setattr(schema, "migrations", lambda: steps)
    with pytest.raises(DatabaseError, match="division by zero"):
        schema.migrate(empty_database)
    assert schema.status(empty_database).pending == ("0900_broken",)
    with empty_database.connect() as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_the_queues_own_steps_are_taken_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer job queue brings steps of its own; a database that lacks them gets just those."""
    newer = schema.Migration("procrastinate-99_more", "CREATE TABLE queue_more ()", "y")
    steps = [*schema.queue_migrations(), newer]
    monkeypatch.setattr(schema, "queue_migrations", lambda: steps)
    assert schema.migrate(database) == [newer.name]
    assert schema.migrate(database) == []
