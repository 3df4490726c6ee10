import pytest
from typer.testing import CliRunner

from cli import explain
from cli.db import app
from config.errors import DatabaseError
from storage import migrate
from storage.database import Database

pytestmark = pytest.mark.db


def test_migrate_and_status_tell_what_they_did(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status before and after; migrating a second time says that there was nothing to do."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", empty_database.dsn)
    run = CliRunner().invoke

    before = run(app, ["status"]).output
    assert "schema       empty" in before
    assert "0001_registry" in before

    assert "applied 0001_registry" in run(app, ["migrate"]).output
    assert "was up to date" in run(app, ["migrate"]).output

    after = run(app, ["status"]).output
    assert migrate.migrations()[-1].name in after
    assert "pending      nothing" in after
    assert "TimescaleDB" in after
    assert "position" in after


def test_a_question_to_an_empty_database_says_what_to_do(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for an explanation before anything was set up is told how to set it up."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", empty_database.dsn)
    with pytest.raises(DatabaseError, match="binround db migrate"):
        explain.command("some-plan")
