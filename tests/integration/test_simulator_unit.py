"""A truck's unit against the real broker: what it keeps, sends again, and answers."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.clock import FixedClock
from config.errors import BrokerError
from ingest.messages import Ack, Kind, TourDown, down_topic, up_topic
from ingest.shards import plain
from simulator.link import Login
from simulator.records import Records
from simulator.unit import Resend, Unit
from tests.fixtures.broker import REGION, Heard, Town

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUICK = Resend(first_s=0.2, cap_s=0.8, window=50)
UP = f"binround/v1/{REGION}/devices/truck-1/up/#"


def unit(broker_town: Town, records: Records | None = None, **options: object) -> Unit:
    """Return the unit of truck-1 with its own credentials."""
    member = broker_town.members["truck-1"]
    login = Login(
        user="truck-1", password=SecretStr(member.secret), client_id=SecretStr(member.client_id)
    )
    defaults = {"resend": QUICK, "rng": random.Random(1)}
    return Unit(
        "truck-1",
        REGION,
        broker_town.url,
        login,
        FixedClock(NOON),
        records,
        **defaults | options,  # type: ignore[arg-type]
    )


def say(truck: Unit, count: int) -> None:
    """Let a unit say where it is, once a second."""
    truck.extend(
        [
            (Kind.POSITION, NOON + timedelta(seconds=second), {"lon": 8.5, "lat": 52.0})
            for second in range(count)
        ]
    )


def listen(broker_town: Town) -> Heard:
    """Connect as the server and hear all that truck-1 says."""
    server = broker_town.client("server")
    assert server.subscribe(UP)
    return server


def store(server: Heard, first: int, last: int, boot: int = 1) -> None:
    """Tell truck-1 that its records are stored."""
    topic = down_topic(REGION, "truck-1", "ack")
    server.publish(topic, Ack(boot=boot, ranges=((first, last),)).model_dump_json())


def numbers(server: Heard, count: int) -> list[int]:
    """Wait for a number of messages and return their `seq`."""
    return [json.loads(message.payload)["seq"] for message in server.wait(count)]


def test_a_record_is_kept_until_the_server_says_that_it_is_stored(broker_town: Town) -> None:
    """A PUBACK is not enough: only `down/ack` lets a unit forget."""
    server = listen(broker_town)
    with unit(broker_town) as truck:
        say(truck, 10)
        server.wait(10)
        assert truck.counts.pending == 10
        store(server, 0, 6)
        assert truck.wait_stored(5, at_most=3)
        store(server, 7, 9)
        assert truck.wait_stored(5)
        assert truck.counts.stored == 10


def test_what_is_not_stored_is_sent_again_under_the_same_name(broker_town: Town) -> None:
    """A record that no ack covers comes again, unchanged; what is stored does not."""
    server = listen(broker_town)
    with unit(broker_town) as truck:
        say(truck, 3)
        server.wait(3)
        store(server, 0, 1)
        heard = server.wait(5)
        again = [message.payload for message in heard[3:]]
        assert {json.loads(payload)["seq"] for payload in again[-2:]} == {2}
        assert again[-1] == heard[2].payload
        store(server, 2, 2)
        assert truck.wait_stored(5)


def test_waits_double_up_to_a_cap_and_vary() -> None:
    """Resending backs off, is bounded, and does not let a whole fleet act in one instant."""
    rng, resend = random.Random(3), Resend(first_s=2, cap_s=30, jitter=0.3)
    waits = [[resend.wait_s(attempt, rng) for _ in range(200)] for attempt in range(1, 9)]
    for attempt, drawn in enumerate(waits):
        base = min(30, 2 * 2**attempt)
        assert 0.7 * base <= min(drawn) < 0.8 * base
        assert 1.2 * base < max(drawn) <= 1.3 * base


def test_records_survive_a_restart_of_the_unit(broker_town: Town, tmp_path: Path) -> None:
    """A unit that was switched off sends what was not stored, and numbers go on."""
    server = listen(broker_town)
    with unit(broker_town, Records(tmp_path / "unit.db")) as truck:
        say(truck, 4)
        server.wait(4)
        store(server, 0, 1)
        assert truck.wait_stored(5, at_most=2)
    with unit(broker_town, Records(tmp_path / "unit.db")) as truck:
        assert truck.counts.pending == 2
        key = truck.record(Kind.STATUS, NOON)
        assert (key.boot, key.seq) == (2, 4)
        assert set(numbers(server, 7)[4:]) == {2, 3, 4}
        store(server, 2, 3)
        store(server, 4, 4, boot=2)
        assert truck.wait_stored(5)


def test_an_ack_of_another_boot_covers_nothing(broker_town: Town, tmp_path: Path) -> None:
    """`down/ack` names boot and seq; the same seq of another boot stays."""
    server = listen(broker_town)
    with unit(broker_town, Records(tmp_path / "unit.db")) as truck:
        say(truck, 2)
        server.wait(2)
        store(server, 0, 1, boot=7)
        assert not truck.wait_stored(0.3)


def test_a_unit_records_while_there_is_no_broker_and_sends_when_it_is_back(
    broker_town: Town,
) -> None:
    """An outage loses nothing, and no more than the window is under way at once."""
    truck = unit(broker_town)
    with truck:
        truck.wait_connected(5)
        broker_town.broker.stop()
        say(truck, 200)
        assert truck.counts.pending == 200
        with broker_town.broker:
            server = listen(broker_town)
            heard = set(numbers(server, 50))
            assert len(heard) <= QUICK.window
            for first in range(0, 200, 50):
                store(server, first, first + 49)
            assert truck.wait_stored(10)


def test_a_tour_is_taken_and_answered_once_for_each_revision(
    broker_town: Town, tmp_path: Path
) -> None:
    """The retained tour reaches a unit that comes late; it answers each revision one time."""
    server = listen(broker_town)
    send_tour(server, 1)
    with unit(broker_town, Records(tmp_path / "unit.db")) as truck:
        tour = truck.wait_tour(lambda tour: tour.day == "2026-03-02", 5)
        assert tour is not None
        assert tour.stops == ()
        (answer,) = server.wait(1)
        assert plain(answer.topic) == up_topic(REGION, "truck-1", Kind.TOUR_ACK)
        said = json.loads(answer.payload)
        assert (said["tour"], said["revision"], said["accepted"]) == ("p-truck-1", 1, True)
        store(server, 0, 0)
        assert truck.wait_stored(5)
    with unit(broker_town, Records(tmp_path / "unit.db")) as truck:
        assert truck.wait_tour(lambda tour: tour.revision == 1, 5)
        assert truck.counts.recorded == 0
        send_tour(server, 2)
        assert truck.wait_tour(lambda tour: tour.revision == 2, 5)
        assert truck.counts.recorded == 1


def test_a_refused_tour_is_answered_with_the_reason_and_not_driven(broker_town: Town) -> None:
    """A crew may refuse a revision; the dispatcher reads why."""
    server = listen(broker_town)
    with unit(broker_town, judge=lambda _: "already under way") as truck:
        send_tour(server, 1)
        said = json.loads(server.wait(1)[0].payload)
        assert (said["accepted"], said["reason"]) == (False, "already under way")
        assert truck.tour is None


def test_wrong_credentials_give_one_clear_line(broker_town: Town) -> None:
    """A unit that is not let in says so, and what to check."""
    stranger = Login(user="truck-1", password=SecretStr("no"), client_id=SecretStr("x"))
    truck = Unit("truck-1", REGION, broker_town.url, stranger, FixedClock(NOON))
    with truck, pytest.raises(BrokerError, match=r"unit truck-1: .*Not authorized.*credentials"):
        truck.wait_connected(0.5)


def send_tour(server: Heard, revision: int) -> None:
    """Publish an empty tour of the day for truck-1, retained."""
    tour = TourDown(
        tour="p-truck-1",
        revision=revision,
        plan="p",
        vehicle="truck-1",
        day="2026-03-02",
        start=NOON,
        end=NOON,
        stops=(),
    )
    topic = down_topic(REGION, "truck-1", "tour")
    server.publish(topic, tour.model_dump_json(), retain=True)
