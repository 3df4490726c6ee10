"""kill -9 of the ingest process under load: nothing is lost and nothing is stored twice."""

from pathlib import Path

import pytest

from tests.fixtures.history import check
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.slow]

KILLS = 3


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


def test_killing_the_ingester_loses_nothing(
    either: Served, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Three times under load, with units that keep records and sensors that have a PUBACK only."""
    with IngestProcess(either, tmp_path) as ingest, Load(either) as load:
        for _ in range(KILLS):
            load.progress()
            ingest.kill()
            load.publish_more(100)
            ingest.start()
        load.progress()
        broker = request.node.callspec.params["either"]
        check(f"{broker}, ingester killed {KILLS} times", load, either.database, ingest)
    assert ingest.repeats[0] > 0, "no record came twice, so nothing was proved"
