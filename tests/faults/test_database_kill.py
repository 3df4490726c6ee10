"""kill -9 of PostgreSQL under load: what was committed is there, the rest comes again."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from storage.database import Database
from storage.embedded import EmbeddedServer
from tests.fixtures.history import check
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.served import Served
from tests.fixtures.waiting import eventually

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


@pytest.fixture
def database(own_database: Database) -> Database:
    """A server that nobody else needs."""
    return own_database


def backends(database: Database) -> list[int]:
    """Return the processes that serve the ingester."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'binround' "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with database.connect() as connection:
        return [pid for (pid,) in connection.execute(query)]


def kill(server: EmbeddedServer) -> None:
    """End the postmaster and all that it has started, in one blow."""
    assert server.pid
    postmaster = psutil.Process(server.pid)
    for process in (postmaster, *postmaster.children(recursive=True)):
        process.kill()
    server.stop()


def test_killing_postgresql_loses_nothing(
    served: Served, own_server: EmbeddedServer, tmp_path: Path
) -> None:
    """First one backend, which makes the server end all others and recover; then all of it."""
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        load.progress()
        os.kill(backends(served.database)[0], signal.SIGKILL)
        load.progress()
        kill(own_server)
        load.publish_more(300)
        own_server.start()
        load.progress()
        check("PostgreSQL backend, then postmaster killed", load, served.database, ingest)
        eventually(lambda: ingest.metric("database_retries_total") > 0)


def test_killing_both_loses_nothing(
    served: Served, own_server: EmbeddedServer, tmp_path: Path
) -> None:
    """What the ingester had in memory while it waited for the database was not acknowledged."""
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        load.progress()
        kill(own_server)
        load.publish_more(1_000)
        eventually(lambda: ingest.metric("database_retries_total") > 0)
        ingest.kill()
        own_server.start()
        ingest.start()
        load.progress()
        check("PostgreSQL killed, then the ingester", load, served.database, ingest)
