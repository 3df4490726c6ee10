"""A link that swallows everything without a word, on each side: it is noticed, and left."""

from pathlib import Path

import pytest

from tests.fixtures.history import check, trust
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.proxy import FaultProxy, over, proxy_to
from tests.fixtures.served import Served
from tests.fixtures.waiting import eventually

pytestmark = [pytest.mark.db, pytest.mark.slow]

NOTICED_S = 90.0  # keepalives and patience are 20 s at most; the rest is for busy machines


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


def test_between_devices_and_broker(served: Served, tmp_path: Path) -> None:
    """Units notice by their keepalive, connect again and send what was not acknowledged."""
    with (
        FaultProxy(("127.0.0.1", served.town.broker.port)) as link,
        IngestProcess(served, tmp_path) as ingest,
        Load(served, port=link.port, keepalive_s=3) as load,
    ):
        load.progress()
        link.become("black hole")
        eventually(lambda: not any(unit.connected for unit in load.units), NOTICED_S, "a farewell")
        link.become("pass")
        load.progress()
        check("black hole between devices and broker", load, served.database, ingest)


def test_between_broker_and_ingester(served: Served, tmp_path: Path) -> None:
    """The ingester notices by its keepalive; what it had not acknowledged comes again."""
    with (
        FaultProxy(("127.0.0.1", served.town.broker.port)) as link,
        IngestProcess(
            served, tmp_path, BINROUND_BROKER_URL=f"mqtt://127.0.0.1:{link.port}"
        ) as ingest,
        Load(served) as load,
    ):
        load.progress()
        link.become("black hole")
        eventually(lambda: not ingest.metric("connected"), NOTICED_S, "a lost line")
        link.become("pass")
        load.progress()
        check("black hole between broker and ingester", load, served.database, ingest)


def test_between_ingester_and_database(served: Served, tmp_path: Path) -> None:
    """A transaction that nobody answers is given up, and begun again on another connection."""
    with (
        proxy_to(served.database) as link,
        IngestProcess(
            served, tmp_path, BINROUND_DATABASE_URL=over(link, served.database).dsn
        ) as ingest,
        Load(served) as load,
    ):
        load.progress()
        link.become("black hole")
        eventually(lambda: ingest.metric("database_retries_total") > 0, NOTICED_S, "a retry")
        trust(load, served.database)
        link.become("pass")
        load.progress()
        check("black hole between ingester and database", load, served.database, ingest)
