import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.api import PlannedDay

pytestmark = pytest.mark.db
BINROUND = [sys.executable, "-m", "cli.main", "api"]


@pytest.fixture
def environment(planned_day: PlannedDay, tmp_path: Path) -> dict[str, str]:
    """The settings of a process that serves the planned day."""
    return {
        **os.environ,
        "BINROUND_DATA_DIR": str(tmp_path),
        "BINROUND_DATABASE_URL": planned_day.database.dsn,
        "BINROUND_REGION": "example",
        "BINROUND_API_PORT": "0",
    }


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A running `binround api`."""
    with subprocess.Popen(
        BINROUND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word, address = process.stdout.readline().split()
    assert word == "READY"
    return address


def test_it_names_its_address_and_ends_at_once_when_told(
    process: subprocess.Popen[str],
) -> None:
    """One line tells where; SIGTERM ends it with exit code 0 though a browser still listens."""
    with httpx.Client(base_url=_address(process), timeout=20) as client:
        assert client.get("/readyz").status_code == 200
        with client.stream("GET", "/v1/live") as stream:
            next(stream.iter_lines())
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104
def test_nobody_else_may_reach_it_without_an_identity_provider(
    environment: dict[str, str], host: str
) -> None:
    """One clear line and an exit code; nothing listens."""
    done = subprocess.run(
        [*BINROUND, "--host", host], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "BINROUND_OIDC_ISSUER" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_a_taken_port_is_one_clear_line(environment: dict[str, str]) -> None:
    """The message names the port and what to set."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*BINROUND, "--port", str(port)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1
