"""Who drove: written down apart, shown with a trace, and gone after the days declared."""

import logging
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.crew import app
from config.clock import SharedClock
from config.errors import BinroundError, CrewError
from storage import audit, backup, checksums, privacy, retention
from storage.database import Database
from tests.fixtures.api import MORNING, TODAY, PlannedDay

pytestmark = pytest.mark.db
NAMES = ("Erika Muster", "Zoë [Aushilfe]")


@pytest.fixture
def day(planned_day: PlannedDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedDay:
    """A day; the commands work on its database at its morning."""
    SharedClock(tmp_path / "clock").set(MORNING, 0.0)
    monkeypatch.setenv("BINROUND_DATABASE_URL", planned_day.database.dsn)
    monkeypatch.setenv("BINROUND_CLOCK", str(tmp_path / "clock"))
    return planned_day


def run(*words: str) -> str:
    """Run `binround crew ...`; what went wrong is raised."""
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, BinroundError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def trace(database: Database) -> list[audit.Entry]:
    """Return what is in the audit, oldest first."""
    with database.connect() as connection:
        return audit.entries(connection)[::-1]


def test_a_crew_is_written_down_and_shown(day: PlannedDay) -> None:
    """What is given again takes the place of what was there; other days stay."""
    run("assign", day.vehicle, "2026-11-22", "Max")
    run("assign", day.vehicle, "2026-11-23", "somebody else")
    assert "2, kept for 7 days" in run("assign", day.vehicle, "2026-11-23", *NAMES, NAMES[0])
    shown = run("show", "--vehicle", day.vehicle, "--day", "2026-11-23").splitlines()
    assert [line.split(maxsplit=2)[2].strip() for line in shown[1:]] == list(NAMES)
    assert "Max" in run("show")
    assert "1 deleted" in run("clear", "--day", "2026-11-22")
    assert "Max" not in run("show")
    assert "2 deleted" in run("clear", "--all")
    assert run("show").strip() == "no crew is written down"


def test_looks_leave_a_trace_and_names_leave_none(
    day: PlannedDay, caplog: pytest.LogCaptureFixture
) -> None:
    """Who looked at which vehicle and day is in the audit; no name is, in no log either."""
    with caplog.at_level(logging.DEBUG):
        run("assign", day.vehicle, "2026-11-23", *NAMES)
        run("show", "--vehicle", day.vehicle)
        with pytest.raises(CrewError) as refused:
            run("assign", "nobody", "2026-11-23", *NAMES)
        run("clear", "--vehicle", day.vehicle)
    entries = trace(day.database)
    assert [(entry.action, entry.object) for entry in entries] == [
        ("assign-crew", f"crew/{day.vehicle}/2026-11-23"),
        ("look-at-crew", f"crew/{day.vehicle}/all"),
        ("clear-crew", f"crew/{day.vehicle}/all"),
    ]
    assert all(entry.who.startswith("cli/") for entry in entries)
    with day.database.connect() as connection:
        assert [look.action for look in privacy.looks(connection)] == ["look-at-crew"]
    for told in (str(entries), caplog.text, str(refused.value)):
        assert not any(name in told for name in NAMES)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("assign", "nobody", "2026-11-23", "Max"), "no vehicle 'nobody'"),
        (("assign", "VEHICLE", "2026-11-23", " "), "1 to 80 characters"),
        (("assign", "VEHICLE", "2026-11-23", "a\nb"), "1 to 80 characters"),
        (("assign", "VEHICLE", "2026-11-23", "x" * 81), "1 to 80 characters"),
        (("assign", "VEHICLE", "2026-11-15", "Max"), "crew_days = 7"),
        (("clear",), "--all"),
        (("clear", "--all", "--day", "2026-11-23"), "--all"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    day: PlannedDay, words: tuple[str, ...], problem: str
) -> None:
    """The message says why, and nothing is changed."""
    run("assign", day.vehicle, "2026-11-22", "kept")
    with pytest.raises(CrewError, match=problem):
        run(*(day.vehicle if word == "VEHICLE" else word for word in words))
    assert "kept" in run("show")


def test_crews_are_deleted_after_their_days(day: PlannedDay) -> None:
    """Seven days by default, sooner than positions; upkeep removes them."""
    older, newer = TODAY - timedelta(days=6), TODAY - timedelta(days=5)
    for known in (older, newer):
        run("assign", day.vehicle, known.isoformat(), "Max")
    assert days_known(day.database, MORNING) == [older, newer]
    assert days_known(day.database, MORNING + timedelta(days=1)) == [newer]
    assert days_known(day.database, MORNING + timedelta(days=2)) == []


def days_known(database: Database, now: datetime) -> list[date]:
    """Return the days with a crew after the retention was applied at an instant."""
    with database.connect(autocommit=True) as connection:
        retention.enforce(connection, retention.declared(connection), now)
        rows = connection.execute(
            "SELECT DISTINCT day FROM crew.assignment ORDER BY day"
        ).fetchall()
    return [day for (day,) in rows]


@pytest.mark.parametrize("command", ["show", "clear"])
def test_a_mistyped_vehicle_is_told(day: PlannedDay, command: str) -> None:
    """It would look as if nobody had driven; and no look is noted, because there was none."""
    before = trace(day.database)
    with pytest.raises(CrewError, match="there is no vehicle 'nope'"):
        run(command, "--vehicle", "nope")
    assert trace(day.database) == before


def test_a_backup_does_not_tell_who_drove(
    day: PlannedDay, empty_database: Database, tmp_path: Path
) -> None:
    """Tracks and names never lie in one file; the restored database has an empty crew table."""
    run("assign", day.vehicle, "2026-11-23", *NAMES)
    path = tmp_path / "town.backup"
    backup.back_up(day.database, path, at=MORNING)
    backup.restore(empty_database, path)
    assert days_known(empty_database, MORNING) == []
    assert days_known(day.database, MORNING) == [TODAY]
    with empty_database.connect() as connection:
        assert "assignment" not in checksums.tables(connection)
