"""Several ingesters share the load: each device's order is kept, and nothing is lost or doubled."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.messages import Kind, up_topic
from ingest.shards import Split
from tests.fixtures.ingesters import Ingesters
from tests.fixtures.mosquitto import mosquitto_instead
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = [pytest.mark.db, pytest.mark.slow]

TRUCKS = 16
LEGS = 5  # the load comes in so many legs, with something happening between them
PER_LEG = 50  # positions of each truck in a leg
PAUSE_S = 0.05

# Rows that came in before an earlier one of the same device.
DISORDER = """
SELECT count(*) FROM (
    SELECT received_at < lag(received_at) OVER (PARTITION BY device_id ORDER BY seq) AS late
    FROM position
) AS row WHERE late
"""


@pytest.fixture
def trucks() -> int:
    """So many that each of several ingesters has a few."""
    return TRUCKS


@pytest.fixture(params=[Split.BROKER, Split.DEVICES])
def split(request: pytest.FixtureRequest, served: Served, tmp_path: Path) -> Iterator[Split]:
    """The served region where NATS divides, then on Mosquitto where the ingesters do."""
    chosen: Split = request.param
    if chosen is Split.BROKER:
        yield chosen
        return
    with mosquitto_instead(served, tmp_path / "mosquitto"):
        yield chosen


class Drive:
    """Trucks that get a PUBACK and no more, and keep nothing."""

    def __init__(self, served: Served) -> None:
        self._topics = {
            vehicle.id: up_topic(served.region.id, vehicle.id, Kind.POSITION)
            for vehicle in served.region.vehicles
        }
        self._clients = {name: served.town.client(name) for name in self._topics}
        self._leg = 0

    @property
    def published(self) -> int:
        """How many positions the broker has acknowledged."""
        return self._leg * PER_LEG * len(self._topics)

    def leg(self) -> None:
        """Publish a leg and wait for every PUBACK."""
        handed = []
        for seq in range(self._leg * PER_LEG, (self._leg + 1) * PER_LEG):
            instant = NOON + timedelta(seconds=seq)
            said = {"time": instant.isoformat(), "seq": seq, "lon": 8.5, "lat": 52.0}
            for name, topic in self._topics.items():
                handed.append(self._clients[name].client.publish(topic, json.dumps(said), qos=1))
            time.sleep(PAUSE_S)
        eventually(lambda: all(each.is_published() for each in handed), 60, "a PUBACK for each")
        self._leg += 1


def figures(served: Served) -> tuple[int, int, int]:
    """Return how many positions are stored, how many of them are distinct, and out of order."""
    with served.database.connect() as connection:
        distinct = "SELECT count(*), count(DISTINCT (device_id, seq)) FROM position"
        stored = connection.execute(distinct).fetchone() or (0, 0)
        late = connection.execute(DISORDER).fetchone() or (0,)
    return stored[0], stored[1], late[0]


def test_two_share_the_load_and_one_is_killed(served: Served, split: Split, tmp_path: Path) -> None:
    """Whatever their number and whoever is killed: 0 lost, 0 twice, each device in order."""
    drive, log = Drive(served), tmp_path / "ingesters.log"

    def all_stored() -> bool:
        return figures(served)[0] >= drive.published

    with Ingesters(served, log, 2, BINROUND_BROKER_SPLIT=split) as several:
        drive.leg()
        eventually(all_stored, 60, "everything stored")
        shares = [several.metrics(n)["binround_ingest_stored_total"] for n in (1, 2)]
        assert [several.metrics(n)[f"binround_ingest_ingester {n} 2"] for n in (1, 2)] == [1, 1]
        under_load = threading.Thread(target=drive.leg)
        under_load.start()
        time.sleep(PER_LEG * PAUSE_S / 3)
        several.end(2, signal.SIGKILL)
        under_load.join()
        several.wait_ready()
        drive.leg()
        eventually(all_stored, 60, "everything stored")
        after_kill = figures(served)
    drive.leg()  # nobody is there
    with Ingesters(served, log, 3, BINROUND_BROKER_SPLIT=split):
        drive.leg()
        eventually(all_stored, 60, "everything stored")
        time.sleep(0.5)
    stored, distinct, late = figures(served)
    print(
        f"\ndivided by {split}: published and acknowledged {drive.published}, "
        f"stored {stored}, lost {drive.published - distinct}, twice {stored - distinct}, "
        f"out of order {late} ({after_kill[2]} after the kill), first shares {shares}"
    )
    assert drive.published >= 3_000
    assert stored == distinct == drive.published
    assert late == 0
    assert min(shares) >= sum(shares) / 4


def test_the_others_end_with_the_first_process(served: Served, tmp_path: Path) -> None:
    """However it ends, no ingester is left behind; one that was asked to end comes back."""
    with Ingesters(served, tmp_path / "log", 2) as several:
        before = several.pid(1)
        several.end(1, signal.SIGTERM)
        several.wait_ready()
        assert several.pid(1) != before
        below = several.kill()
        eventually(lambda: not any(each.is_running() for each in below), 30, "the end of all")
