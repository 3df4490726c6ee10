"""A broker, a database and a fleet of 200 trucks in the registry, for one measurement."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from psycopg.conninfo import conninfo_to_dict

from benchmarks.ingest.publisher import TRUCKS
from config.region_folder import load_region
from ingest.broker import EmbeddedBroker, server_grant
from ingest.messages import PREFIX
from storage import assets, timeseries
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.migrate import migrate

REGION = "example"
USER = "binround-server"
ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0


@dataclass(frozen=True)
class Stand:
    """What a subject is measured between.

    Attributes:
        broker: NATS with its MQTT listener, everything on disk.
        server: PostgreSQL with its defaults; it also writes down when each row was committed.
        secret: of the server's user at the broker.
    """

    folder: Path
    broker: EmbeddedBroker
    server: EmbeddedServer
    database: Database
    secret: str

    @property
    def environment(self) -> dict[str, str]:
        """Settings for every process of the stand."""
        subscriber = secrets.token_hex(8)  # a session of its own for each subject
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "BINROUND_DATA_DIR": str(self.folder),
            "BINROUND_REGION": REGION,
            "BINROUND_DATABASE_URL": self.database.dsn,
            "BINROUND_BROKER_URL": self.broker.url,
            "BINROUND_BROKER_USER": USER,
            "BINROUND_BROKER_PASSWORD": self.secret,
            "PUBLISHER_CLIENT_ID": secrets.token_hex(8),
            "PUBLISHER_USER": USER,
            "PUBLISHER_PASSWORD": self.secret,
            "SUBSCRIBER_CLIENT_ID": subscriber,
            "SUBSCRIBER_USER": USER,
            "SUBSCRIBER_PASSWORD": self.secret,
            "PEER_DATABASE_URL": _url(self.database.dsn),
        }

    @property
    def topics(self) -> str:
        """What every subject subscribes to."""
        return f"{PREFIX}/{REGION}/devices/+/up/#"

    def count(self, table: str) -> int:
        """Return the rows of a table."""
        with self.database.connect() as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(row[0]) if row else 0

    def publisher(self, count: int, rate_per_s: float = 0) -> subprocess.Popen[str]:
        """Start the load: as fast as the broker takes it, or at a rate."""
        arguments = (str(self.broker.port), str(count), str(rate_per_s))
        return _start(self.environment, "benchmarks.ingest.publisher", *arguments)

    @contextmanager
    def subject(self, module: str, *arguments: str) -> Iterator["Subject"]:
        """Run a subject while the block lasts; it says READY when it takes messages."""
        process = _start(self.environment, module, *arguments)
        try:
            subject = Subject(process)
            if not subject.line().startswith("READY"):
                raise SystemExit(f"{module} {' '.join(arguments)} did not start")
            yield subject
        finally:
            process.terminate()
            process.communicate(timeout=START_S)


@dataclass(frozen=True)
class Subject:
    """A process that is measured, with its children."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        """Return the next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def ask(self) -> str:
        """Ask it for a line."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.line()

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        times = [each.cpu_times() for each in self._family()]
        return sum(one.user + one.system for one in times)

    def memory_mb(self) -> float:
        """Return its resident memory."""
        return sum(each.memory_info().rss for each in self._family()) / 2**20

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@contextmanager
def stand() -> Iterator[Stand]:
    """Start everything in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="binround-bench-") as name:
        folder, secret = Path(name), secrets.token_hex(16)
        server = EmbeddedServer(folder / "postgres", options=("track_commit_timestamp=on",))
        server.start()
        try:
            database = Database(server.dsn)
            _fill_registry(database)
            with EmbeddedBroker(folder / "broker", [server_grant(USER, secret)]) as broker:
                yield Stand(folder, broker, server, database, secret)
        finally:
            server.stop()


def _fill_registry(database: Database) -> None:
    migrate(database)
    region = load_region(REGION)
    truck, now = region.vehicles[0], datetime.now(UTC)
    fleet = tuple(truck.model_copy(update={"id": f"truck-{n}"}) for n in range(TRUCKS))
    with database.connect(autocommit=True) as connection:
        assets.load_region(connection, region.model_copy(update={"vehicles": fleet}), at=now)
        day = timedelta(days=1)
        timeseries.detect(connection).ensure_chunks(connection, now - day, now + 3 * day)


def wait_until(holds: Callable[[], bool], limit_s: float) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"it did not come true within {limit_s:.0f} s")
        time.sleep(0.05)


def _start(environment: Mapping[str, str], module: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program whose output and input are ours."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _url(dsn: str) -> str:
    """Return the address as a URL with the socket's folder as a parameter."""
    parts = conninfo_to_dict(dsn)
    user, name, host, port = (parts.get(key, "") for key in ("user", "dbname", "host", "port"))
    return f"postgres://{user}@localhost/{name}?host={host}&port={port}"
