"""kill -9 of the ingest process under load: nothing is lost and nothing is stored twice."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.messages import Kind, up_topic
from simulator.unit import Resend, Unit
from tests.fixtures.served import NOON, Served

pytestmark = [pytest.mark.db, pytest.mark.slow]

KILLS = 3
RECORDS_PER_UNIT = 600
PUBLISHING_S = 16.0


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


class Ingest:
    """The real command, `binround ingest`, in a process of its own."""

    def __init__(self, served: Served, folder: Path) -> None:
        self._served = served
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0

    def start(self) -> None:
        """Start it and wait until it takes messages."""
        self._starts += 1
        with (self._folder / f"ingest-{self._starts}.log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "ingest"],
                env={**self._served.environment, "BINROUND_LOG_LEVEL": "DEBUG"},
                cwd=Path(__file__).resolve().parents[2],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout
        assert self._process.stdout.readline().startswith("READY")

    def end(self, how: signal.Signals) -> int:
        """End it and return its exit code."""
        assert self._process
        self._process.send_signal(how)
        _, _ = self._process.communicate(timeout=30)
        return self._process.returncode

    @property
    def repeated(self) -> tuple[int, int]:
        """How many batches held something already stored, and how many records that were."""
        text = "".join(path.read_text() for path in self._folder.glob("ingest-*.log"))
        duplicates = [int(number) for number in re.findall(r"repeated .*duplicates=(\d+)", text)]
        return len(duplicates), sum(duplicates)


def stored(served: Served) -> set[tuple[str, int, int]]:
    """Return (device, boot, seq) of every stored record; twice would be an error."""
    query = (
        "SELECT name, boot, seq FROM device JOIN (SELECT device_id, boot, seq FROM position "
        "UNION ALL SELECT device_id, boot, seq FROM level) said ON said.device_id = device.id"
    )
    with served.database.connect() as connection:
        found = connection.execute(query).fetchall()
    assert len(found) == len(set(found)), "something is stored twice"
    return set(found)


@contextmanager
def units(served: Served) -> Iterator[list[Unit]]:
    """All trucks' units, connected; they send again soon so that the test is short."""
    resend = Resend(first_s=1.0, cap_s=4.0)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                Unit(
                    vehicle.id,
                    served.region.id,
                    served.town.url,
                    served.login(vehicle.id),
                    served.clock,
                    resend=resend,
                )
            )
            for vehicle in served.region.vehicles
        ]


def drive(truck: Unit, names: set[tuple[str, int, int]], lock: threading.Lock) -> None:
    """Record positions at a steady rate and note their names."""
    for number in range(RECORDS_PER_UNIT):
        key = truck.record(Kind.POSITION, NOON + timedelta(seconds=number), lon=8.5, lat=52.0)
        with lock:
            names.add((truck.device, key.boot, key.seq))
        time.sleep(PUBLISHING_S / RECORDS_PER_UNIT)


def measure(served: Served, names: set[tuple[str, int, int]], stop: threading.Event) -> None:
    """Publish fill levels through the gateway; a PUBACK is all it ever gets."""
    gateway = served.town.client("example-gateway")
    sensors = [container.sensor for container in served.region.containers if container.sensor]
    seq = 0
    while not stop.wait(0.05):
        seq += 1
        sensor = sensors[seq % len(sensors)]
        level = {"time": NOON.isoformat(), "seq": seq, "fill": 0.5}
        gateway.publish(up_topic(served.region.id, sensor, Kind.LEVEL), json.dumps(level))
        names.add((sensor, 0, seq))


def test_kill_nine_loses_nothing_and_stores_nothing_twice(served: Served, tmp_path: Path) -> None:
    """Three times under load, with units that keep records and sensors that have a PUBACK only."""
    ingest, names, lock = Ingest(served, tmp_path), set[tuple[str, int, int]](), threading.Lock()
    levels, done = set[tuple[str, int, int]](), threading.Event()
    ingest.start()
    with units(served) as fleet:
        drivers = [threading.Thread(target=drive, args=(each, names, lock)) for each in fleet]
        sensors = threading.Thread(target=measure, args=(served, levels, done))
        for thread in (*drivers, sensors):
            thread.start()
        for _ in range(KILLS):
            before = len(stored(served))
            while len(stored(served)) < before + 100:
                time.sleep(0.05)
            assert ingest.end(signal.SIGKILL) == -signal.SIGKILL
            ingest.start()
        under_load = any(thread.is_alive() for thread in drivers)
        for thread in drivers:
            thread.join()
        done.set()
        sensors.join()
        kept = [each.wait_stored(30) for each in fleet]
        resent = sum(each.counts.resent for each in fleet)
        acknowledged = sum(each.counts.stored for each in fleet)
    deadline = time.monotonic() + 20
    while not levels <= stored(served) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert ingest.end(signal.SIGTERM) == 0
    found, sent = stored(served), names | levels
    batches, duplicates = ingest.repeated
    print(
        f"\nkilled {KILLS} times: published {len(sent)} ({len(names)} by units, "
        f"{len(levels)} by sensors), acknowledged to units {acknowledged}, "
        f"stored {len(found)}, lost {len(sent - found)}, sent again {resent}, "
        f"batches with repeats {batches}, repeats refused {duplicates}"
    )
    assert under_load, "the kills came after the load; raise PUBLISHING_S"
    assert len(names) >= 3_000
    assert all(kept), "a unit still keeps records"
    assert found == sent
    assert duplicates > 0, "no record came twice, so nothing was proved"
