"""The broker's messages: delivered again until they are acknowledged, and never out of bounds."""

import os
import signal
import threading
import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from config.clock import FixedClock
from config.errors import BrokerError
from ingest.broker.nats import REDELIVER_S
from ingest.line import Login
from ingest.messages import Kind, up_topic
from ingest.sources import Delivery, Inbox, MqttSource
from tests.fixtures.broker import REGION, Heard, Town

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ALL_UP = f"binround/v1/{REGION}/devices/+/up/#"
TOPIC = up_topic(REGION, "truck-1", Kind.POSITION)


def open_source(broker_town: Town, queue_messages: int = 1000) -> MqttSource:
    """Connect as the ingester does."""
    login = broker_town.server_login("ingest")
    source = MqttSource(login, (ALL_UP,), FixedClock(NOON), Inbox(queue_messages))
    source.start()
    return source


def publish(truck: Heard, numbers: range) -> None:
    """Publish numbers, one message each."""
    for number in numbers:
        truck.publish(TOPIC, str(number))


def take(source: MqttSource, count: int, timeout_s: float = 8.0) -> list[Delivery]:
    """Take messages until there are enough or the time is over."""
    taken: list[Delivery] = []
    deadline = time.monotonic() + timeout_s
    while len(taken) < count and time.monotonic() < deadline:
        taken += source.take(1000, 0.01, 0.1)
    return taken


def numbers(deliveries: list[Delivery]) -> list[int]:
    """Return what was published."""
    return [int(delivery.payload) for delivery in deliveries]


def test_what_was_not_acknowledged_comes_again(broker_town: Town) -> None:
    """An ingester that died before the commit gets those messages again, and no others."""
    first = open_source(broker_town)
    truck = broker_town.client("truck-1")
    publish(truck, range(20))
    taken = take(first, 20)
    assert numbers(taken) == list(range(20))
    first.acknowledge(taken[:12])
    first.stop()
    publish(truck, range(20, 25))
    second = open_source(broker_town)
    assert sorted(numbers(take(second, 13))) == list(range(12, 25))
    second.stop()


def test_a_slow_writer_gets_nothing_twice(broker_town: Town) -> None:
    """The broker repeats what is not acknowledged in time; a message in memory is not doubled."""
    source = open_source(broker_town)
    publish(broker_town.client("truck-1"), range(5))
    taken = take(source, 5)
    assert source.take(1000, 0.01, REDELIVER_S + 1.5) == []
    source.acknowledge(taken)
    source.stop()


def test_an_acknowledgement_never_goes_to_a_later_connection(broker_town: Town) -> None:
    """Numbers are used again on a new connection; acknowledging an old one would lose data."""
    source = open_source(broker_town)
    truck = broker_town.client("truck-1")
    publish(truck, range(3))
    old = take(source, 3)
    assert broker_town.broker.pid
    os.kill(broker_town.broker.pid, signal.SIGKILL)
    broker_town.broker.stop()
    with broker_town.broker:
        again = take(source, 3, timeout_s=15)
        assert sorted(numbers(again)) == [0, 1, 2]
        source.acknowledge(old)
        source.stop()
        successor = open_source(broker_town)
        assert sorted(numbers(take(successor, 3))) == [0, 1, 2]
        successor.stop()


def test_quality_of_service_zero_needs_no_acknowledgement(broker_town: Town) -> None:
    """A broker hangs up on who acknowledges such a message; the next one still comes."""
    source = open_source(broker_town)
    truck = broker_town.client("truck-1")
    for number in range(2):
        truck.client.publish(TOPIC, str(number), qos=0)
        taken = take(source, 1)
        assert numbers(taken) == [number]
        source.acknowledge(taken)
    assert source.is_up
    source.stop()


def test_a_full_inbox_stops_the_network(broker_town: Town) -> None:
    """Memory is bounded: with nobody taking, at most the limit is held; nothing is lost."""
    source = open_source(broker_town, queue_messages=50)
    publish(broker_town.client("truck-1"), range(200))
    time.sleep(0.5)
    assert source.waiting == 50
    seen: set[int] = set()
    deadline = time.monotonic() + 15
    while len(seen) < 200 and time.monotonic() < deadline:
        batch = source.take(20, 0, 0.5)
        seen.update(numbers(batch))
        source.acknowledge(batch)
    assert seen == set(range(200))
    source.stop()


def test_a_closed_inbox_lets_go_of_the_network() -> None:
    """A thread that waits for room ends when the inbox closes; what is inside can be taken."""
    inbox = Inbox(1)
    delivery = Delivery(TOPIC, b"1", NOON, None)
    inbox.put(delivery)
    waiting = threading.Thread(target=inbox.put, args=(delivery,))
    waiting.start()
    inbox.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert inbox.take(10, 0, 0) == [delivery]


def test_no_broker_is_told_in_one_line(broker_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing there, a wrong secret, a wrong address: each message says what to check."""
    monkeypatch.setattr("ingest.sources.START_S", 0.5)

    def start(url: str, secret: str) -> None:
        login = Login(url, "binround-server", SecretStr(secret), SecretStr("x" * 16))
        MqttSource(login, (ALL_UP,), FixedClock(NOON), Inbox(10)).start()

    with pytest.raises(BrokerError, match=r"no broker at mqtt://127.0.0.1:1 .*BROKER_URL[^\n]*$"):
        start("mqtt://127.0.0.1:1", "x")
    with pytest.raises(BrokerError, match=r"not authorized.*BINROUND_BROKER_PASSWORD[^\n]*$"):
        start(broker_town.url, "wrong")
    with pytest.raises(BrokerError, match=r"is not mqtt://host:port"):
        start("http://127.0.0.1:1", "x")
