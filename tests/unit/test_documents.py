from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.config import settings_table
from cli.documents import law_table, retention_table, roles_table
from cli.main import build
from cli.reference import reference
from config.errors import SettingsError
from config.settings import load_settings
from tests.conftest import ROOT


def test_the_documented_settings_are_the_real_ones() -> None:
    """The table in the operations guide is the one the code would print."""
    assert settings_table() in (ROOT / "docs" / "operations.md").read_text()


def test_the_documented_retention_is_the_real_one() -> None:
    """What the privacy page promises is what the worker's upkeep enforces."""
    assert retention_table() in (ROOT / "docs" / "privacy.md").read_text()


def test_the_documented_law_is_the_real_one() -> None:
    """The page of the certificate lists the rules that plans are judged by."""
    assert law_table() in (ROOT / "docs" / "certificate.md").read_text()


def test_the_documented_roles_are_the_real_ones() -> None:
    """Who may do what stands in the operations guide as the API enforces it."""
    assert roles_table() in (ROOT / "docs" / "operations.md").read_text()


def test_the_documented_commands_are_the_real_ones() -> None:
    """The page of commands says what `--help` says."""
    assert (ROOT / "docs" / "cli.md").read_text() == reference(build())


def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be used is told by the name it has in the environment."""
    monkeypatch.setenv("BINROUND_API_PORT", "eighty")
    with pytest.raises(SettingsError, match="BINROUND_API_PORT"):
        load_settings()


def test_settings_can_be_shown_and_secrets_stay_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`binround config show` tells values and origins, but never a password."""
    monkeypatch.setenv("BINROUND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BINROUND_DATABASE_URL", "postgresql://u:hunter2@db/binround")
    shown = CliRunner().invoke(build(), ["config", "show"]).output
    assert f"BINROUND_DATA_DIR={tmp_path}  # set" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("setting", ["BROKER_URL", "OSRM_URL"])
def test_no_address_holds_a_password(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Addresses are shown and logged, so one with a password is refused, and not repeated."""
    monkeypatch.setenv(f"BINROUND_{setting}", "mqtt://u:hunter2@broker:1883")
    with pytest.raises(SettingsError, match=f"BINROUND_{setting}") as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)
