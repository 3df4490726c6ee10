"""The whole system as its user starts it: one command, a simulated day, an account."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from psycopg.sql import SQL, Identifier

from config.settings import load_settings
from storage.database import open_database

pytestmark = [pytest.mark.slow, pytest.mark.db, pytest.mark.roads]

SERIES = ("level", "position", "event", "status")
A_FULL_DAY = "2026-03-02"  # a Monday; on some days this small region needs no tour


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "BINROUND_DATA_DIR": str(folder), "BINROUND_PLAN_BUDGET_S": "3"}


def _kill_ingester_once(demo: subprocess.Popen[bytes], sent: Path) -> int:
    """Kill -9 the ingester when the trucks have told of some of their day; return its pid."""
    family = psutil.Process(demo.pid)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and demo.poll() is None:
        if sent.exists() and b"position" in sent.read_bytes():
            for child in family.children():
                if child.is_running() and "ingest" in child.cmdline():
                    os.kill(child.pid, signal.SIGKILL)
                    return child.pid
        time.sleep(0.05)
    pytest.fail(f"the trucks never told where they are; exit {demo.poll()}")


def _stored(folder: Path) -> Counter[tuple[str, datetime, int]]:
    """Return how often each (device, time, seq) is in the database."""
    rows: Counter[tuple[str, datetime, int]] = Counter()
    query = "SELECT d.name, t.time, t.seq FROM {} t JOIN device d ON d.id = t.device_id"
    with open_database(load_settings(data_dir=folder)) as database, database.connect() as session:
        for table in SERIES:
            rows.update(session.execute(SQL(query).format(Identifier(table))).fetchall())
    return rows


def test_a_day_is_driven_and_nothing_is_lost_though_the_ingester_is_killed(tmp_path: Path) -> None:
    """All that was sent is stored once; every tour is legal, driven and acknowledged.

    The ingester is killed with SIGKILL while the trucks drive; the demo starts it again.
    """
    report, sent = tmp_path / "account.json", tmp_path / "sent.jsonl"
    command = [sys.executable, "-m", "cli.main", "demo", "--headless", "--until", "executed"]
    options = [
        "--region",
        "example",
        "--date",
        A_FULL_DAY,
        "--json",
        str(report),
        "--sent",
        str(sent),
    ]
    with subprocess.Popen(
        [*command, *options],
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as demo:
        _kill_ingester_once(demo, sent)
        output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output.decode()
    assert b"ingest had died and was started again" in output

    account = json.loads(report.read_text())
    assert account["violations"] == 0
    assert account["dead_letters"] == 0
    assert account["risk_priced"]["tours"] > 0
    assert account["tours_acknowledged"] == account["risk_priced"]["tours"]
    told = account["told"]
    assert told["stops_done"] - told["unloads"] == account["risk_priced"]["stops"]
    assert told["containers_emptied"] == account["risk_priced"]["containers"]

    published = _sent(sent)
    stored = _stored(tmp_path / "demo" / "example")
    lost = len(published - stored.keys())
    print(f"published {len(published)}, stored {len(stored)}, lost {lost}")
    assert stored.keys() == published
    assert max(stored.values()) == 1
    assert len(published) > 3000


def _sent(path: Path) -> set[tuple[str, datetime, int]]:
    """Return (device, time, seq) of everything the city sent but its answers to tours."""
    lines = map(json.loads, path.read_text().splitlines())
    return {
        (line["device"], datetime.fromisoformat(line["time"]), line["seq"])
        for line in lines
        if line["kind"] in SERIES
    }
