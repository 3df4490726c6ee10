"""The database's disk is full: nothing is acknowledged, nothing is lost, and room is enough."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.database import Database
from storage.embedded import EmbeddedServer
from tests.fixtures.history import check, trust
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.served import Served
from tests.fixtures.waiting import eventually

pytestmark = [pytest.mark.db, pytest.mark.slow]

DISK_MB = 24
BALLAST = "ballast"


@pytest.fixture
def trucks() -> int:
    """Several units at once."""
    return 6


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with little room, at a place that the server's own user reaches."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk wants root")
    disk = Path(tempfile.mkdtemp(prefix="binround-small-"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0777", "tmpfs", disk],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        disk.rmdir()
        pytest.skip(f"no disk can be mounted here: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


@pytest.fixture
def database(small_disk: Path, own_server: EmbeddedServer, own_database: Database) -> Database:
    """The time series lie on the small disk; the server's own files and its log do not."""
    place = small_disk / "series"
    place.mkdir(mode=0o700)
    os.chown(place, own_server.folder.stat().st_uid, own_server.folder.stat().st_gid)
    own = psycopg.conninfo.conninfo_to_dict(own_database.dsn)["dbname"]
    other = Database(psycopg.conninfo.make_conninfo(own_database.dsn, dbname="postgres"))
    with other.connect(autocommit=True) as connection:
        literal = psycopg.sql.Literal(str(place))
        connection.execute(psycopg.sql.SQL("CREATE TABLESPACE small LOCATION {}").format(literal))
        name = psycopg.sql.Identifier(str(own))
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET TABLESPACE small").format(name))
    return own_database


def test_a_full_disk_loses_nothing(served: Served, small_disk: Path, tmp_path: Path) -> None:
    """The ingester waits and says so; when there is room again, everything lands."""
    with IngestProcess(served, tmp_path) as ingest, Load(served) as load:
        load.progress()
        with (small_disk / BALLAST).open("wb") as ballast:
            while True:
                try:
                    ballast.write(b"x" * 4096)
                    ballast.flush()
                except OSError:
                    break
        eventually(lambda: "No space left on device" in ingest.log, 60, "a full disk")
        load.publish_more(1_000)
        told = trust(load, served.database)
        eventually(lambda: ingest.metric("lag_seconds") > 2, 60, "a lag that is seen")
        assert load.stored == told
        assert ingest.metric("dead_letters_total") == 0
        (small_disk / BALLAST).unlink()
        load.progress()
        check("disk full", load, served.database, ingest)
