"""The broker is killed or restarted under load, with and without the ingester beside it."""

from pathlib import Path

import pytest

from tests.fixtures.history import check
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.slow]

KILLS = 2


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


def test_killing_nats_loses_nothing(served: Served, tmp_path: Path) -> None:
    """What was on its way is sent again; what was acknowledged is on disk."""
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        for _ in range(KILLS):
            load.progress()
            served.town.kill()
            served.town.broker.__enter__()
        load.progress()
        check(f"NATS killed {KILLS} times", load, served.database, ingest)


def test_killing_nats_without_an_ingester_loses_nothing(served: Served, tmp_path: Path) -> None:
    """Messages that only the broker has survive its end."""
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        load.progress()
        ingest.kill()
        load.publish_more(1_000)
        served.town.kill()
        served.town.broker.__enter__()
        load.publish_more(300)
        ingest.start()
        load.progress()
        check("NATS killed, no ingester", load, served.database, ingest)


def test_restarting_nats_loses_nothing(served: Served, tmp_path: Path) -> None:
    """An upgrade of the broker is no event."""
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        for _ in range(KILLS):
            load.progress()
            served.town.broker.stop()
            served.town.broker.__enter__()
        load.progress()
        check(f"NATS restarted {KILLS} times", load, served.database, ingest)
