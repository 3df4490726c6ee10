"""Mosquitto with the configuration that we generate: the same rights, the same service."""

from contextlib import suppress
from datetime import timedelta

import pytest

from ingest.messages import Kind, down_topic, up_topic
from ingest.retained import clear_older, retained_tours
from simulator.unit import Unit
from tests.fixtures.served import NOON, Served

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


def test_the_ingester_works_over_it(over_mosquitto: Served) -> None:
    """A unit's record is stored and acknowledged, whichever broker is between."""
    served = over_mosquitto
    login = served.login("truck-1")
    with (
        served.ingester(),
        Unit("truck-1", served.region.id, served.town.url, login, served.clock) as truck,
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
