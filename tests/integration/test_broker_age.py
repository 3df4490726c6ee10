"""What waits in the broker or is retained there goes by the retention, too."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from config.errors import BrokerError
from ingest.broker import age
from ingest.broker.age import RETAINED, WAITING, Holding, holdings, limit_age
from ingest.broker.embedded import embedded_address
from ingest.messages import Kind, down_topic, up_topic
from tests.fixtures.broker import Town
from tests.fixtures.served import Served

FORTNIGHT = timedelta(days=14)
SOON = timedelta(seconds=1)


def address(town: Town) -> str:
    """Return where the broker takes its keeper's orders."""
    return embedded_address(town.broker.folder)


def held(town: Town) -> dict[str, Holding]:
    """Return what the broker's streams hold."""
    return {one.stream: one for one in holdings(address(town), town.server_secret)}


def wait_for(true: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Wait until something is true; returns whether it became so."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def leave_something(town: Town) -> None:
    """Let three positions wait for a subscriber that went away, and retain a tour."""
    server = town.client("server", keep_session=True)
    assert server.subscribe(f"{up_topic(town.region, '+', Kind.POSITION)}/#")
    server.publish(down_topic(town.region, "truck-1", "tour"), '{"tour": "x"}', retain=True)
    server.client.disconnect()
    server.client.loop_stop()
    truck = town.client("truck-1")
    for number in range(3):
        truck.publish(up_topic(town.region, "truck-1", Kind.POSITION), str(number))


def test_the_broker_forgets_by_itself(broker_town: Town) -> None:
    """Waiting positions and retained tours go when they are too old; nobody has to come back."""
    leave_something(broker_town)
    assert limit_age(address(broker_town), broker_town.server_secret, FORTNIGHT)
    before = held(broker_town)
    assert (before[WAITING].messages, before[RETAINED].messages) == (3, 1)
    assert before[WAITING].oldest is not None
    assert {one.limit for one in before.values()} == {FORTNIGHT}
    limit_age(address(broker_town), broker_town.server_secret, SOON)
    assert wait_for(lambda: not any(one.messages for one in held(broker_town).values()))
    late = broker_town.client("truck-1")
    assert late.subscribe(down_topic(broker_town.region, "truck-1", "tour"))
    assert late.wait(1, 0.5) == []


@pytest.mark.db
@pytest.mark.parametrize("ours", [True, False])
def test_whoever_starts_first_sets_the_limit(
    served: Served, monkeypatch: pytest.MonkeyPatch, *, ours: bool
) -> None:
    """The ingester does it, on the broker that it starts and on a NATS whose address it has."""
    monkeypatch.setattr(age, "LOOK_S", 0.05)
    town = served.town
    if ours:
        town.broker.stop()
        changes: dict[str, object] = {"broker_url": ""}
    else:
        changes = {"broker_admin_url": address(town)}
    served.settings = served.settings.model_copy(update=changes)
    with served.ingester():
        assert wait_for(lambda: {one.limit for one in held(town).values()} == {FORTNIGHT})


def test_the_limit_outlives_the_broker(broker_town: Town) -> None:
    """It lies on the disk with the messages: a broker that is killed goes by it when it is back."""
    leave_something(broker_town)
    limit_age(address(broker_town), broker_town.server_secret, FORTNIGHT)
    assert broker_town.broker.pid
    os.kill(broker_town.broker.pid, signal.SIGKILL)
    broker_town.broker.stop()  # collects the dead
    with broker_town.broker:
        broker_town.client("truck-2")
        after = held(broker_town)
        assert (after[WAITING].limit, after[WAITING].messages) == (FORTNIGHT, 3)
        assert after[RETAINED].limit == FORTNIGHT


def test_before_the_first_client_there_is_nothing_to_limit(broker_town: Town) -> None:
    """NATS makes its streams late; whoever sets the limit learns that it has to come again."""
    assert not limit_age(address(broker_town), broker_town.server_secret, FORTNIGHT)
    assert held(broker_town) == {}
    broker_town.client("truck-1")
    assert limit_age(address(broker_town), broker_town.server_secret, FORTNIGHT)


def test_only_the_keeper_gives_orders(broker_town: Town) -> None:
    """A wrong secret is refused; the keeper's own right ends at the streams' settings."""
    with pytest.raises(BrokerError, match="no NATS answers"):
        limit_age(address(broker_town), "guessed", FORTNIGHT)
    (keeper,) = (grant for grant in broker_town.grants() if grant.line == "STANDARD")
    assert all(topic.startswith("$JS/API/STREAM/") for topic in keeper.publish)
    with pytest.raises(BrokerError, match="no NATS answers"):
        limit_age("nats://127.0.0.1:1", broker_town.server_secret, FORTNIGHT)


def test_no_address_without_a_broker(broker_town: Town) -> None:
    """Once the broker has ended, or where there never was one, there is nobody to ask."""
    assert address(broker_town).startswith("nats://127.0.0.1:")
    broker_town.broker.stop()
    assert address(broker_town) == ""
