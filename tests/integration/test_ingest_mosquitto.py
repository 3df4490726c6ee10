"""Mosquitto with the configuration that we generate: the same rights, the same service."""

import secrets
import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest

from ingest.messages import MAX_PAYLOAD_BYTES, Kind, down_topic, up_topic
from ingest.retained import clear_older, retained_tours
from simulator.unit import Unit
from tests.fixtures.broker import SERVER, connect
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.db


def test_a_device_says_and_hears_what_is_its_own(over_mosquitto: Served) -> None:
    """Mosquitto acknowledges a forgery and drops it, or hangs up; delivery is what counts."""
    town, region = over_mosquitto.town, over_mosquitto.region.id
    server, forger = town.client("server"), town.client("truck-1")
    assert server.subscribe(f"binround/v1/{region}/devices/+/up/+")
    with suppress(RuntimeError):  # 2.0.11 hangs up now and then
        forger.publish(up_topic(region, "truck-2", Kind.STATUS), "forged")
    truck = town.client("truck-1")
    truck.publish(up_topic(region, "truck-1", Kind.STATUS), "own")
    assert {m.payload for m in server.wait(1)} == {b"own"}
    for topic in (
        "#",
        down_topic(region, "truck-2", "tour"),
        down_topic(region, "truck-1", "tour"),
    ):
        truck.subscribe(topic)
    server.publish(down_topic(region, "truck-2", "tour"), "theirs", retain=True)
    server.publish(down_topic(region, "truck-1", "tour"), "mine", retain=True)
    assert {m.payload for m in truck.wait(1)} == {b"mine"}
    assert {m.payload for m in truck.wait(3, timeout_s=0.3)} == {b"mine"}
    assert town.client("truck-1", secret=town.server_secret).refused == ["Not authorized"]


@pytest.mark.parametrize("name", ["+", "#", "truck-1/up", "$SYS"])
def test_a_name_that_is_a_pattern_wins_nothing(over_mosquitto: Served, name: str) -> None:
    """As a user it gets nobody in, with whoever's secret; as a client id it opens no topic."""
    town, region = over_mosquitto.town, over_mosquitto.region.id
    own = town.members["truck-1"]
    server = town.client("server")
    assert server.subscribe(f"binround/v1/{region}/devices/+/up/+")
    refused = connect(town.broker.port, name, own.secret, secrets.token_hex(8))
    refused.client.loop_stop()
    assert refused.refused == ["Not authorized"]
    named = connect(town.broker.port, "truck-1", own.secret, name)
    with suppress(AssertionError, RuntimeError):
        named.publish(up_topic(region, "truck-2", Kind.STATUS), "forged")
    named.client.disconnect()
    named.client.loop_stop()
    town.client("truck-1").publish(up_topic(region, "truck-1", Kind.STATUS), "own")
    assert {m.payload for m in server.wait(1)} == {b"own"}


def test_an_oversized_message_is_cut_off(over_mosquitto: Served) -> None:
    """The largest message of the contract passes; a larger one never reaches the server."""
    town, region = over_mosquitto.town, over_mosquitto.region.id
    server, truck = town.client("server"), town.client("truck-1")
    assert server.subscribe(f"binround/v1/{region}/devices/+/up/+")
    topic, fits = up_topic(region, "truck-1", Kind.STATUS), b"x" * MAX_PAYLOAD_BYTES
    truck.publish(topic, fits)
    cut = threading.Event()
    truck.client.on_disconnect = lambda *_: cut.set()
    truck.client.publish(topic, fits + b"x" * 5_000, qos=1)
    assert cut.wait(10)
    truck.client.disconnect()
    town.client("truck-2").publish(up_topic(region, "truck-2", Kind.STATUS), "still here")
    assert {m.payload for m in server.wait(2)} == {fits, b"still here"}


def test_a_revoked_device_does_not_come_in_again(over_mosquitto: Served) -> None:
    """A reload takes its password away; its open connection needs a restart of the broker."""
    town, region = over_mosquitto.town, over_mosquitto.region.id
    truck = town.client("truck-1", keep_session=True)
    town.broker.reload(grant for grant in town.grants() if grant.user != "truck-1")
    eventually(lambda: town.client("truck-1").refused == ["Not authorized"], what="a refusal")
    town.broker.stop()
    town.broker.__enter__()
    eventually(lambda: "Not authorized" in truck.refused, what="the end of the open connection")
    town.client("truck-2").publish(up_topic(region, "truck-2", Kind.STATUS), "still here")


def test_nobody_is_thrown_off_by_a_client_id(over_mosquitto: Served) -> None:
    """A device's id is its user name, whatever it says; the server's listener lets no device in."""
    town = over_mosquitto.town
    victim, server = town.client("truck-2"), town.client("server")
    cut: list[object] = []
    victim.client.on_disconnect = server.client.on_disconnect = lambda *args: cut.append(args)
    intruder, leaked = town.members["truck-1"], town.members["truck-2"].client_id
    server_port = int(town.url.rpartition(":")[2])
    for guess in ("truck-2", leaked, "ingest-example", SERVER):
        there = connect(town.broker.port, "truck-1", intruder.secret, guess)
        refused = connect(server_port, "truck-1", intruder.secret, guess)
        assert refused.refused[:1] == ["Not authorized"]
        for line in (there, refused):
            line.client.disconnect()
            line.client.loop_stop()
    time.sleep(0.3)
    assert cut == []
    assert victim.client.is_connected()


def test_the_ingester_works_over_it(over_mosquitto: Served) -> None:
    """A unit's record is stored and acknowledged, whichever broker is between."""
    served = over_mosquitto
    url, login = f"mqtt://127.0.0.1:{served.town.broker.port}", served.login("truck-1")
    with (
        served.ingester(),
        Unit("truck-1", served.region.id, url, login, served.clock) as truck,
    ):
        truck.record(Kind.POSITION, NOON, lon=8.5, lat=52.0)
        assert truck.wait_stored(10)


def test_old_tours_are_cleared_on_it_too(over_mosquitto: Served) -> None:
    """What is retained is read and cleared over MQTT alone, so that any broker will do."""
    town = over_mosquitto.town
    town.region = over_mosquitto.region.id
    server, login = town.client("server"), town.server_login("tidier")
    for truck, day in (("truck-1", NOON.date()), ("truck-2", NOON.date() - timedelta(days=1))):
        payload = f'{{"day": "{day}"}}'
        server.publish(down_topic(town.region, truck, "tour"), payload, retain=True)
    assert clear_older(login, town.region, NOON.date()) == 1
    assert [tour.day for tour in retained_tours(login, town.region)] == [NOON.date()]
