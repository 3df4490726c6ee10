"""What a device with valid credentials may try against others: each fails, and is counted."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import Refusals
from ingest.messages import MAX_PAYLOAD_BYTES, Kind, down_topic, up_topic
from tests.fixtures.broker import REGION, Heard, Town, connect
from tests.fixtures.metrics import read_metrics
from tests.fixtures.ports import free_port
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

ALL_UP = f"binround/v1/{REGION}/devices/+/up/#"
TRUCK_1, TRUCK_2 = (up_topic(REGION, name, Kind.POSITION) for name in ("truck-1", "truck-2"))


class Watch:
    """A town with its server listening, and the broker's refusals counted from now on."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        self.server = town.client("server")
        assert self.server.subscribe(ALL_UP)
        self._clients: list[mqtt.Client] = []
        self._refusals = Refusals(folder / "nats.log")
        self._before = self._refusals.counts()

    def refused(self, kind: str) -> int:
        """Return how often something was refused since the beginning; waits for the first."""
        deadline = time.monotonic() + 5
        while True:
            count = self._refusals.counts()[kind] - self._before[kind]
            if count or time.monotonic() > deadline:
                return count
            time.sleep(0.02)

    def heard(self) -> set[bytes | bytearray]:
        """Return all that reached the server, once truck-2 has said a last word."""
        last = self.town.client("truck-2")
        last.publish(TRUCK_2, "still here")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            payloads = {message.payload for message in self.server.wait(1)}
            if b"still here" in payloads:
                break
            time.sleep(0.02)
        return payloads

    def intruder(self, client_id: str, user: str = "truck-1") -> tuple[mqtt.Client, list[str]]:
        """Connect with truck-1's secret under a chosen client id or user; returns the answers."""
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311
        )
        client.username_pw_set(user, self.town.members["truck-1"].secret)
        answers: list[str] = []
        client.on_connect = lambda *args: answers.append(str(args[3]))
        client.on_disconnect = lambda *args: answers.append("cut")
        client.connect("127.0.0.1", self.town.broker.port)
        client.loop_start()
        self._clients.append(client)
        return client, answers

    def hang_up(self) -> None:
        """End the intruders."""
        for client in self._clients:
            client.disconnect()
            client.loop_stop()


@pytest.fixture
def watch(broker_town: Town, tmp_path: Path) -> Iterator[Watch]:
    """The watched town."""
    made = Watch(broker_town, tmp_path / "broker")
    yield made
    made.hang_up()


def test_a_foreign_topic(watch: Watch) -> None:
    """Publishing as another device: nobody hears it, and the attempt is counted."""
    watch.town.client("truck-1").publish(TRUCK_2, "forged")
    assert watch.refused("publish") == 1
    assert watch.heard() == {b"still here"}


def test_a_forged_id(watch: Watch) -> None:
    """Another's user name with one's own secret: no entry, and the attempt is counted."""
    _, answers = watch.intruder("0123456789abcdef", user="truck-2")
    eventually(lambda: "Not authorized" in answers)
    assert watch.refused("login") >= 1


def test_a_client_id_takeover(watch: Watch) -> None:
    """Whoever guesses a client id from what is public (name, region, topic) throws nobody off."""
    victim = watch.town.client("truck-2")
    cut: list[object] = []
    victim.client.on_disconnect = lambda *args: cut.append(args)
    for guess in ("truck-2", f"{REGION}-truck-2", "ingest-town", "binround-server"):
        watch.intruder(guess)
    time.sleep(0.3)
    assert victim.client.is_connected()
    assert cut == []
    assert watch.server.client.is_connected()


def test_a_client_id_that_leaked_is_seen(watch: Watch) -> None:
    """With a stolen client id a device can be thrown off; that is counted, and it comes back."""
    watch.town.client("truck-2")
    watch.intruder(watch.town.members["truck-2"].client_id)
    assert watch.refused("takeover") >= 1
    watch.hang_up()
    assert b"still here" in watch.heard()


@pytest.mark.parametrize("name", ["+", "#", "*", ">", "truck-1/up", "$SYS"])
def test_wildcard_names(watch: Watch, name: str) -> None:
    """A user name that would read as a pattern gets nobody in; as a client id it wins nothing."""
    _, answers = watch.intruder("0123456789abcdef", user=name)
    eventually(lambda: "Not authorized" in answers)
    assert watch.refused("login") >= 1
    client, _ = watch.intruder(name)
    client.publish(TRUCK_2, "forged", qos=1)
    assert watch.heard() == {b"still here"}


def test_a_foreign_downlink(watch: Watch) -> None:
    """Another's tours cannot be read: not by name, not by a pattern, and it is counted."""
    truck = watch.town.client("truck-1")
    watch.server.publish(down_topic(REGION, "truck-2", "tour"), "theirs", retain=True)
    topics = (down_topic(REGION, "truck-2", "tour"), f"binround/v1/{REGION}/devices/+/down/tour")
    assert not any(truck.subscribe(topic) for topic in topics)
    assert watch.refused("subscribe") >= 1
    assert truck.wait(1, timeout_s=0.3) == []


def test_an_oversized_message(watch: Watch) -> None:
    """It is cut off at the broker and counted; the neighbours are heard."""
    truck: Heard = watch.town.client("truck-1")
    truck.client.publish(TRUCK_1, b"x" * (MAX_PAYLOAD_BYTES + 5000), qos=1)
    assert watch.refused("oversize") >= 1
    assert watch.heard() == {b"still here"}


@pytest.mark.db
def test_every_attack_shows_in_the_ingesters_metrics(served: Served) -> None:
    """All six, one after the other: each counts under its kind, and nothing of it is stored."""
    port = free_port()
    served.settings = served.settings.model_copy(update={"ingest_metrics_port": port})
    town, region = served.town, served.region.id
    mine, theirs = town.members["truck-1"], town.members["truck-2"]
    forged = json.dumps({"time": NOON.isoformat(), "seq": 1})
    theirs_up = up_topic(region, "truck-2", Kind.STATUS)

    def refused(kind: str) -> float:
        return read_metrics(port).get(f"binround_ingest_broker_refusals_total {kind}", 0)

    with served.ingester() as counters:
        victim = town.client("truck-2")
        truck = town.client("truck-1")
        truck.publish(theirs_up, forged)
        eventually(lambda: refused("publish") == 1, what="the foreign topic")
        for tries, user in enumerate(("truck-2", "+", "#")):  # a forged id, then patterns
            heard = connect(town.broker.port, user, mine.secret, secrets.token_hex(8))
            heard.client.loop_stop()
            assert heard.refused == ["Not authorized"]
            assert refused("login") > tries
        assert not truck.subscribe(down_topic(region, "truck-2", "tour"))
        eventually(lambda: refused("subscribe") == 1, what="the foreign downlink")
        thief = connect(town.broker.port, "truck-1", mine.secret, theirs.client_id)
        eventually(lambda: refused("takeover") >= 1, what="the stolen client id")
        thief.publish(theirs_up, forged)
        thief.client.disconnect()
        thief.client.loop_stop()
        truck.client.publish(up_topic(region, "truck-1", Kind.STATUS), b"x" * 70_000, qos=1)
        eventually(lambda: refused("oversize") >= 1, what="the oversized message")
        truck.client.disconnect()
        eventually(victim.client.is_connected, what="the victim's return")
        victim.publish(theirs_up, json.dumps({"time": NOON.isoformat(), "seq": 2}))
        eventually(lambda: counters.stored == 1)
        assert counters.dead_letters == 0
    with served.database.connect() as connection:
        assert connection.execute("SELECT seq FROM status").fetchall() == [(2,)]


def test_refusals_are_counted_across_a_new_log(tmp_path: Path) -> None:
    """A log that begins anew, or is cut in the middle of a line, is counted right."""
    log = tmp_path / "nats.log"
    counted = Refusals(log)
    assert counted.counts()["publish"] == 0
    log.write_bytes(b"[ERR] - Publish Violation - x\n[ERR] - Publish Viol")
    assert counted.counts()["publish"] == 1
    with log.open("ab") as more:
        more.write(b"ation - y\n")
    assert counted.counts()["publish"] == 2
    (tmp_path / "new").write_bytes(b"[ERR] - Publish Violation - z\n")
    (tmp_path / "new").replace(log)
    assert counted.counts()["publish"] == 3
    assert counted.counts()["publish"] == 3
