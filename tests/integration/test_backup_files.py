"""Backups hold positions, so they have a span, too; what is not ours is never touched."""

import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.db import app
from config.clock import SharedClock
from config.errors import BinroundError, DatabaseError, SettingsError
from jobs import upkeep
from storage import backup, privacy
from storage.backup_files import backups_in, prune
from storage.database import Database
from tests.fixtures.api import MORNING, PlannedDay

pytestmark = pytest.mark.db
DAY = timedelta(days=1)


@pytest.fixture
def folder(planned_day: PlannedDay, tmp_path: Path) -> Path:
    """A folder with backups of 8 and 6 days ago, a draft that was given up, and other files."""
    folder = tmp_path / "backups"
    (folder / "sub").mkdir(parents=True)
    for days in (6, 8):
        backup.back_up(planned_day.database, folder / f"{days}-days", at=MORNING - days * DAY)
    draft = folder / "9-days.unfinished"
    draft.write_bytes(b"PK half")
    then = (MORNING - 9 * DAY).timestamp()
    os.utime(draft, (then, then))
    (folder / "notes.txt").write_text("backup of 2020")
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("manifest.json", '{"taken_at": "yesterday"}')
    return folder


def names(folder: Path) -> set[str]:
    """Return what lies in a folder."""
    return {path.name for path in folder.iterdir()}


OTHERS = {"sub", "notes.txt", "other.zip"}


def run(*words: str) -> str:
    """Run `binround db ...`; what went wrong is raised."""
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, BinroundError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def at_work(planned_day: PlannedDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedDay:
    """The commands work on the day's database and region, at its morning."""
    SharedClock(tmp_path / "clock").set(MORNING, 0.0)
    monkeypatch.setenv("BINROUND_CLOCK", str(tmp_path / "clock"))
    monkeypatch.setenv("BINROUND_REGION", planned_day.region.id)
    monkeypatch.setenv("BINROUND_DATABASE_URL", planned_day.database.dsn)
    monkeypatch.setenv("BINROUND_BACKUP_DIR", "")
    return planned_day


def test_age_is_what_a_backup_says_of_itself(folder: Path) -> None:
    """A copied or renamed file is as old as what it holds."""
    (folder / "8-days").rename(folder / "new")
    (folder / "new").touch()
    found = {each.path.name: each.taken_at for each in backups_in(folder)}
    assert found == {
        "9-days.unfinished": MORNING - 9 * DAY,
        "new": MORNING - 8 * DAY,
        "6-days": MORNING - 6 * DAY,
    }


def test_upkeep_deletes_old_backups(planned_day: PlannedDay, folder: Path) -> None:
    """Seven days by default; drafts too, and nothing that is no backup of ours."""
    removed = upkeep.run(planned_day.database, planned_day.region, MORNING, folder)
    assert removed["backups"] == 2
    assert names(folder) == {"6-days", *OTHERS}
    assert "backups" not in upkeep.run(planned_day.database, planned_day.region, MORNING)


def test_a_folder_that_is_away_holds_up_nothing(
    planned_day: PlannedDay, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The tables are kept in order all the same, and the log says what is wrong."""
    removed = upkeep.run(planned_day.database, planned_day.region, MORNING, tmp_path / "gone")
    assert "position" in removed
    assert "BINROUND_BACKUP_DIR" in caplog.text
    with pytest.raises(DatabaseError, match="cannot read the folder"):
        prune(tmp_path / "gone", MORNING)


def test_a_person_can_do_it_too(
    at_work: PlannedDay, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`binround db prune-backups` names what it deleted; without a folder it says what to do."""
    with pytest.raises(SettingsError, match="BINROUND_BACKUP_DIR"):
        run("prune-backups")
    assert f"deleted {folder / '8-days'}" in run("prune-backups", str(folder))
    monkeypatch.setenv("BINROUND_BACKUP_DIR", str(folder))
    assert "0 deleted" in run("prune-backups")
    assert names(folder) == {"6-days", *OTHERS}


def test_taking_a_backup_is_a_look(at_work: PlannedDay, tmp_path: Path) -> None:
    """Who took all positions out of the house can be read by those whom it concerns."""
    run("backup", str(tmp_path / "town.backup"))
    with at_work.database.connect() as connection:
        (look,) = privacy.looks(connection)
    assert (look.action, look.times) == ("look-at-everything", 1)
    assert look.who.startswith("cli/")


def test_an_old_backup_says_that_it_should_be_gone(
    at_work: PlannedDay,
    folder: Path,
    empty_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is restored all the same: somebody needs it; but its time was over."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", empty_database.dsn)
    assert "delete it" in run("restore", str(folder / "8-days"))


def test_a_backup_in_time_says_nothing(
    at_work: PlannedDay,
    folder: Path,
    empty_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ordinary restore is not spoilt by a warning."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", empty_database.dsn)
    assert "delete it" not in run("restore", str(folder / "6-days"))
