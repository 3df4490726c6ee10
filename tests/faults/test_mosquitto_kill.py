"""Mosquitto is killed or restarted under load: what its snapshots keep, and what units keep."""

from pathlib import Path

import pytest

from tests.fixtures.history import check, compare
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.slow]

KILLS = 2


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


def judge(case: str, load: Load, served: Served, ingest: IngestProcess) -> None:
    """Hold units to the whole promise; say what sensors lost with the last snapshot."""
    load.settle()
    readings = {name for name in load.published if name.device not in served.credentials}
    compare(case, load.published, load.acknowledged, served.database, ingest, may_lose=readings)


def test_killing_mosquitto_loses_no_record_of_a_unit(
    over_mosquitto: Served, tmp_path: Path
) -> None:
    """Of other devices at most what came after its last snapshot."""
    served = over_mosquitto
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        for _ in range(KILLS):
            load.progress()
            served.town.kill()
            served.town.broker.__enter__()
        load.progress()
        judge(f"Mosquitto killed {KILLS} times", load, served, ingest)


def test_killing_mosquitto_without_an_ingester_loses_no_record_of_a_unit(
    over_mosquitto: Served, tmp_path: Path
) -> None:
    """What only the broker had and had not written is with the units still."""
    served = over_mosquitto
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        load.progress()
        ingest.kill()
        load.publish_more(1_000)
        served.town.kill()
        served.town.broker.__enter__()
        load.publish_more(300)
        ingest.start()
        load.progress()
        judge("Mosquitto killed, no ingester", load, served, ingest)


def test_restarting_mosquitto_loses_nothing(over_mosquitto: Served, tmp_path: Path) -> None:
    """Told to end, it writes everything down; nobody loses anything."""
    served = over_mosquitto
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        for _ in range(KILLS):
            load.progress()
            served.town.broker.stop()
            served.town.broker.__enter__()
        load.progress()
        check(f"Mosquitto restarted {KILLS} times", load, served.database, ingest)
