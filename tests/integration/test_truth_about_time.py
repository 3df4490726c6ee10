"""Two clocks are kept, the device's and ours; whatever the first says, nothing goes astray."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ingest.messages import Kind, up_topic
from jobs import upkeep
from storage.database import Database
from tests.fixtures.bench import REGION, WriterBench
from tests.fixtures.served import NOON

pytestmark = pytest.mark.db

BERLIN = "Europe/Berlin"
SENSOR = REGION.containers[0].sensor or ""
TOPIC = up_topic(REGION.id, SENSOR, Kind.LEVEL)
IMPOSSIBLE = ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2019-12-31T23:59:59Z",
              "2026-06-01T12:10:01Z", "2038-01-19T03:14:08Z", "9999-12-31T23:59:59Z")  # fmt: skip


@pytest.fixture
def bench(database: Database) -> Iterator[WriterBench]:
    """A writer whose clock stands at NOON."""
    made = WriterBench(database)
    yield made
    made.close()


def say(bench: WriterBench, *told: str, first: int = 0, fill: float = 0.5) -> None:
    """Let the sensor report at instants as they are spelled."""
    bench.write(
        (TOPIC, json.dumps({"time": time, "seq": seq, "fill": fill}).encode())
        for seq, time in enumerate(told, first)
    )


def test_impossible_clocks_survive_upkeep_and_are_never_the_newest(
    database: Database, bench: WriterBench
) -> None:
    """Year 1970 and year 9999 are kept beside the instant they came, until that is too old."""
    say(bench, "2026-06-01T11:00:00Z", first=100)
    say(bench, *IMPOSSIBLE, fill=1.5)
    kept = "SELECT count(*) FROM level WHERE clock_suspect AND received_at = %s"
    assert bench.counters.clock_suspect == len(IMPOSSIBLE)
    upkeep.run(database, REGION, NOON)
    assert bench.connection.execute(kept, [NOON]).fetchone() == (len(IMPOSSIBLE),)
    newest = bench.connection.execute("SELECT time, seq FROM last_level").fetchall()
    assert newest == [(NOON - timedelta(hours=1), 100)]
    days = bench.connection.execute("SELECT DISTINCT day FROM level_day").fetchall()
    assert days == [(NOON.replace(hour=0),)]
    upkeep.run(database, REGION, NOON + timedelta(days=800))
    assert bench.connection.execute(kept, [NOON]).fetchone() == (0,)


@pytest.mark.parametrize(
    ("spelled", "apart_s"),
    [
        (("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"), 3600),
        (("2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00"), 1),
    ],
)
def test_summer_time_ends_and_begins_without_a_trace(
    bench: WriterBench, spelled: tuple[str, str], apart_s: int
) -> None:
    """The hour that comes twice is two hours, the missing one none; the later is the newest."""
    bench.writer._clock.instant = datetime(2026, 11, 1, tzinfo=UTC)  # type: ignore[attr-defined]
    say(bench, *reversed(spelled))
    times = bench.connection.execute("SELECT time FROM level ORDER BY time").fetchall()
    assert (times[1][0] - times[0][0]).total_seconds() == apart_s
    newest = bench.connection.execute("SELECT time FROM last_level").fetchall()
    assert newest == [times[1]]
    wall = "SELECT count(DISTINCT (time AT TIME ZONE %s)::date) FROM level"
    assert bench.connection.execute(wall, [BERLIN]).fetchone() == (1,)
    assert bench.counters.clock_suspect == 0
