"""One of several ingesters: what it does, what it leaves to others, and what waits for them."""

import json
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from config.errors import SettingsError
from ingest.messages import Kind, up_topic
from ingest.shards import Seat
from storage import plans
from tests.fixtures.ingesters import Ingesters
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.db

FIRST, SECOND = Seat(1, 2), Seat(2, 2)


@pytest.fixture
def trucks() -> int:
    """One in every shard, as NATS divides them."""
    return 8


def say(served: Served, seq: int, names: list[str] | None = None) -> None:
    """Publish a position of each truck; a PUBACK is all it gets."""
    for name in names or [vehicle.id for vehicle in served.region.vehicles]:
        instant = NOON + timedelta(seconds=seq)
        said = {"time": instant.isoformat(), "seq": seq, "lon": 8.5, "lat": 52.0}
        topic = up_topic(served.region.id, name, Kind.POSITION)
        served.town.client(name).publish(topic, json.dumps(said))


def stored(served: Served) -> int:
    """Return how many positions are stored."""
    with served.database.connect() as connection:
        (count,) = connection.execute("SELECT count(*) FROM position").fetchone() or (0,)
    return int(count)


def test_what_is_for_another_waits_until_it_is_started(served: Served) -> None:
    """The one that comes first sees to it that the broker keeps the others' messages, too."""
    with served.ingester(seat=FIRST) as first:
        say(served, 1)
        eventually(lambda: first.stored == 4)
    assert stored(served) == 4
    with served.ingester(seat=SECOND) as second:
        eventually(lambda: second.stored == 4)
    assert stored(served) == 8


def test_their_number_can_change_at_any_time(served: Served) -> None:
    """What was kept for one of two is there for the only one, and the other way round."""
    with served.ingester(seat=FIRST):
        pass
    say(served, 1)
    with served.ingester() as alone:
        eventually(lambda: alone.stored == 8)
    say(served, 2)
    with served.ingester(seat=SECOND) as second, served.ingester(seat=FIRST) as first:
        eventually(lambda: first.stored + second.stored == 8)
        assert (first.stored, second.stored) == (4, 4)


def test_tours_are_sent_by_the_first_alone(served: Served) -> None:
    """Of several ingesters one says each tour."""
    with served.database.connect() as connection:
        vehicle = served.region.vehicles[0]
        tour = plans.TourRecord(id="t1", vehicle=vehicle.id, start=NOON, end=NOON, km=0, hours=0,
                                kg=0, trips=0, stops=())  # fmt: skip
        plan = plans.PlanRecord(
            id="p1", region=served.region.id, service=vehicle.services[0], depot=vehicle.depot,
            day=NOON.date(), created_at=NOON, engine="test", seed=1, estimate=False, tours=(tour,),
        )  # fmt: skip
        plans.save(connection, plan)
        plans.publish(connection, "p1", at=NOON)
    with served.ingester(seat=SECOND) as second, served.ingester(seat=FIRST) as first:
        eventually(lambda: first.tours_sent >= 1)
        assert second.tours_sent == 0


def test_one_of_several_starts_no_broker_for_itself(served: Served) -> None:
    """It would wait for messages that go to another broker; the message says what to set."""
    served.settings = served.settings.model_copy(update={"broker_url": ""})
    with pytest.raises(SettingsError, match="BINROUND_BROKER_URL"), served.ingester(seat=SECOND):
        pass


def test_the_embedded_broker_is_started_once_for_all(served: Served, tmp_path: Path) -> None:
    """`binround ingest --instances 2` with no address set: one broker, two ingesters."""
    alone = {"BINROUND_BROKER_URL": "", "BINROUND_BROKER_PASSWORD": ""}
    folder = str(tmp_path / "alone")
    with Ingesters(served, tmp_path / "log", 2, BINROUND_DATA_DIR=folder, **alone) as several:
        below = psutil.Process(several.first).children(recursive=True)
        assert sum("nats-server" in process.name() for process in below) == 1
        eventually(lambda: all(several.metrics(n)["binround_ingest_connected"] for n in (1, 2)))


@pytest.mark.parametrize("split", ["devices", "shared"])
def test_where_the_broker_does_not_divide_the_ingesters_do(
    over_mosquitto: Served, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the devices' names, which follow the registry, or by a shared subscription."""
    monkeypatch.setattr("ingest.shard_source.LOOK_S", 0.1)
    served = over_mosquitto
    with served.ingester():
        pass  # from the time when one did it all
    update = {"broker_split": split}
    served.settings = served.settings.model_copy(update=update)
    with served.database.connect() as connection:
        connection.execute("UPDATE device SET active = false WHERE name = 'truck-8'")
    with served.ingester(seat=SECOND) as second, served.ingester(seat=FIRST) as first:
        say(served, 1, [f"truck-{number}" for number in range(1, 8)])
        eventually(lambda: first.stored + second.stored == 7)
        assert min(first.stored, second.stored) > 0
        assert first.received + second.received == 7
        with served.database.connect() as connection:
            connection.execute("UPDATE device SET active = true WHERE name = 'truck-8'")

        def heard() -> bool:
            say(served, 2, ["truck-8"])
            return first.stored + second.stored == 8

        eventually(heard)
