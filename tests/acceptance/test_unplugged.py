"""What is missing says so: one clear line with what to do, an exit code, nothing half-written."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from config.errors import DatabaseError
from storage.database import Database


def binround(
    *arguments: str, folder: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    environment = {**os.environ, "BINROUND_DATA_DIR": str(folder), **(settings or {})}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line on stderr of a command that failed."""
    assert done.returncode != 0, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("binround: ")
    return lines[0]


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on loopback that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def closed_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("command", [["db", "status"], ["ingest"], ["worker"], ["api"]])
def test_a_wrong_database_address_names_the_setting(
    command: list[str], tmp_path: Path, closed_port: int
) -> None:
    """Every service that needs the database says which variable to look at."""
    wrong = f"postgresql://nobody:hunter2@127.0.0.1:{closed_port}/nowhere"
    said = complaint(binround(*command, folder=tmp_path, settings={"BINROUND_DATABASE_URL": wrong}))
    assert "BINROUND_DATABASE_URL" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "wrong",
    [
        "postgres//u:hunter2@db/binround",
        "postgresql://u:pa%hunter2@db/binround",
        "postgresql://u:pa@hunter2/1@db/binround",
    ],
)
def test_a_database_address_that_cannot_be_read_is_not_repeated(wrong: str) -> None:
    """What libpq says of a mistyped address holds the password; the user is told the form."""
    with pytest.raises(DatabaseError, match="BINROUND_DATABASE_URL") as refused:
        Database(wrong).connect()
    assert "hunter2" not in str(refused.value)


@pytest.mark.db
def test_no_broker_names_its_address(tmp_path: Path, closed_port: int) -> None:
    """The ingester says which broker does not answer, and which setting names it."""
    assert binround("db", "migrate", folder=tmp_path).returncode == 0
    url = f"mqtt://127.0.0.1:{closed_port}"
    said = complaint(binround("ingest", folder=tmp_path, settings={"BINROUND_BROKER_URL": url}))
    assert str(closed_port) in said
    assert "BINROUND_BROKER_URL" in said


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path, taken_port: int) -> None:
    """The demo does not start a database only to find that its page has no port."""
    said = complaint(binround("demo", "--port", str(taken_port), folder=tmp_path / "data"))
    assert str(taken_port) in said
    assert "--port" in said
    assert not (tmp_path / "data").exists()


def test_an_account_that_could_not_be_written_is_told_before_the_day_is_played(
    tmp_path: Path,
) -> None:
    """Nobody waits for a whole day only to find that its file has no folder."""
    report = tmp_path / "missing" / "day.json"
    done = binround("demo", "--headless", "--json", str(report), folder=tmp_path / "data")
    assert str(report) in complaint(done)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "command", [["demo", "--headless"], ["db", "migrate"], ["roads", "prepare"], ["plan"]]
)
def test_a_data_folder_that_cannot_be_written_names_the_setting(
    command: list[str], tmp_path: Path
) -> None:
    """Even root cannot make a folder inside a file; the message says what to set."""
    (tmp_path / "file").write_text("not a folder")
    said = complaint(binround(*command, folder=tmp_path / "file" / "data"))
    assert "BINROUND_DATA_DIR" in said


def test_a_region_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong name is told with the names that ship."""
    said = complaint(binround("demo", "--headless", "--region", "atlantis", folder=tmp_path))
    assert "atlantis" in said
    assert "bielefeld" in said


def test_a_region_with_mistakes_starts_nothing(tmp_path: Path) -> None:
    """A broken region folder is told with file and line, and no data folder appears."""
    region = tmp_path / "region"
    region.mkdir()
    (region / "region.toml").write_text('id = "x"\nname = 3\n')
    done = binround("demo", "--headless", "--region", str(region), folder=tmp_path / "data")
    assert done.returncode == 2
    assert "region.toml:2" in done.stderr
    assert not (tmp_path / "data").exists()


def test_without_internet_a_fetch_leaves_nothing_behind(tmp_path: Path) -> None:
    """The public extract's address is known; where it cannot be reached one line says so."""
    blocked = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    said = complaint(binround("roads", "fetch", "bielefeld", folder=tmp_path, settings=blocked))
    assert "internet" in said or "reach" in said
    assert not list(tmp_path.rglob("*.pbf"))


@pytest.mark.db
def test_without_the_road_engine_a_plan_says_that_it_is_an_estimate(tmp_path: Path) -> None:
    """A machine without OSRM still plans, and the plan is labelled as an estimate."""
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(
        "import importlib.util as u, sys\n"
        "sys.modules['osrm'] = None\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'osrm' else found(name, *a)\n"
    )
    settings = {"PYTHONPATH": str(blocker), "BINROUND_PLAN_BUDGET_S": "2"}
    done = binround(
        "plan", "--date", "2026-03-02", "--region", "example", folder=tmp_path / "data",
        settings=settings,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "estimate" in (done.stdout + done.stderr).lower()
