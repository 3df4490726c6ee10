"""Dead letters: kept once, shown, and used after all when a decoder or the registry is mended."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest
from typer.testing import CliRunner, Result

from cli.deadletters import app
from config.region_folder import load_region
from ingest.messages import Kind, up_topic
from ingest.replay import Replayed, replay
from ingest.rows import gather
from ingest.steps import Surroundings, walk
from storage import assets, audit, deadletters, telemetry
from storage.database import Database

pytestmark = pytest.mark.db
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIX = json.dumps({"time": NOON.isoformat(), "seq": 7, "lon": 8.5, "lat": 52.0}).encode()


@dataclass
class Post:
    """A database whose registry does not know the region's devices yet."""

    database: Database

    def arrive(self, topic: str, payload: bytes) -> telemetry.Stored:
        """Let a message come in, as the ingester stores it."""
        with self.database.connect() as connection:
            parcel = walk(topic, payload, NOON, self._around(connection))
            return telemetry.store(connection, gather([parcel]).batch())

    def enrol(self) -> str:
        """Load the region; returns the name of a truck."""
        region = load_region("example")
        with self.database.connect() as connection:
            assets.load_region(connection, region, at=NOON)
        return region.vehicles[0].id

    def replay(self) -> Replayed:
        """Replay everything."""
        with self.database.connect() as connection:
            around = self._around(connection)
            return replay(connection, deadletters.all_ids(connection), lambda _: around)

    def letters(self) -> list[deadletters.DeadLetter]:
        """Return all dead letters."""
        with self.database.connect() as connection:
            return deadletters.newest(connection, 100)

    def _around(self, connection: psycopg.Connection) -> Surroundings:
        return Surroundings("example", assets.devices(connection))


@pytest.fixture
def post(database: Database) -> Post:
    """Where messages come in."""
    return Post(database)


def fix_of(device: str) -> str:
    """Return where a truck tells its position."""
    return up_topic("example", device, Kind.POSITION)


def test_what_is_good_now_is_stored_and_the_rest_stays(post: Post) -> None:
    """A truck spoke before it was in the registry: once it is, nothing it said is lost."""
    truck = load_region("example").vehicles[0].id
    post.arrive(fix_of(truck), FIX)
    post.arrive(fix_of(truck), b"no json")
    post.enrol()
    assert post.replay() == Replayed(stored=1, rows=1, kept=1)
    with post.database.connect() as connection:
        assert telemetry.totals(connection).position == 1
        assert telemetry.latest_positions(connection)[truck].received_at == NOON
    (left,) = post.letters()
    assert left.payload == b"no json"
    assert left.reason.startswith("position: Invalid JSON")  # of today, no longer the registry


def test_replaying_again_changes_nothing(post: Post) -> None:
    """What was stored in the meantime is not stored twice, and its letter goes all the same."""
    truck = load_region("example").vehicles[0].id
    post.arrive(fix_of(truck), FIX)
    post.enrol()
    assert post.arrive(fix_of(truck), FIX).counts["position"] == 1
    assert post.replay() == Replayed(stored=1, rows=0, kept=0)
    assert post.replay() == Replayed()
    with post.database.connect() as connection:
        assert telemetry.totals(connection).position == 1


def test_a_bad_message_that_comes_again_is_the_same_dead_letter(post: Post) -> None:
    """A broker or a unit that repeats itself does not fill the table; other bytes are another."""
    for _ in range(3):
        post.arrive("some/topic", b"\xff")
    assert post.arrive("some/topic", b"\xfe").counts["dead_letter"] == 1
    assert post.arrive("some/topic", b"\xfe").duplicates == 1
    assert [(letter.payload, letter.repeats) for letter in post.letters()] == [
        (b"\xfe", 1),
        (b"\xff", 2),
    ]


def test_a_batch_may_hold_the_same_bad_message_twice(post: Post) -> None:
    """Redelivered within one batch it is one letter, too."""
    letter = telemetry.DeadLetterRow(NOON, "some/topic", b"x", "no reason")
    with post.database.connect() as connection:
        stored = telemetry.store(connection, telemetry.Batch(dead_letters=[letter] * 4))
    assert (stored.counts["dead_letter"], stored.duplicates) == (1, 3)
    assert [letter.repeats for letter in post.letters()] == [3]


def test_the_commands_list_show_and_replay(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator sees reasons and bytes; looking at bytes and replaying are in the audit."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", post.database.dsn)
    monkeypatch.setenv("BINROUND_REGION", "example")

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    truck = load_region("example").vehicles[0].id
    post.arrive(fix_of(truck), FIX)
    post.arrive(fix_of(truck), b"\xff\x00")
    post.enrol()
    good, bad = sorted(letter.id for letter in post.letters())
    listed = run("list").output
    assert f"device: {truck} is not in the registry" in listed
    assert "in all: 1 device, 1 position" in listed
    assert run("list", "--reason", "nothing like it").output.startswith("in all")
    assert '"lon": 8.5' in run("show", str(good)).output
    assert run("show", str(bad)).output.endswith("ff00\n")
    assert "there is no dead letter 999" in str(run("show", "999").exception)
    assert "or say --all" in str(run("replay").exception)
    assert run("replay", str(good)).output.startswith("stored 1 (1 new records), still")
    assert run("replay", "--all").output.startswith("stored 0 (0 new records), still not usable 1")
    with post.database.connect() as connection:
        actions = [entry.action for entry in audit.entries(connection)]
    assert actions == ["replay-dead-letters"] * 2 + ["look-at-dead-letter"] * 2
