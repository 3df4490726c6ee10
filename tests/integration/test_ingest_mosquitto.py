"""Mosquitto with the configuration that we generate: the same rights, the same service."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.broker.mosquitto import write_mosquitto
from ingest.messages import Kind, down_topic, up_topic
from ingest.retained import clear_older, retained_tours
from simulator.unit import Unit
from tests.fixtures.broker import SERVER
from tests.fixtures.served import NOON, Served

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"

pytestmark = [
    pytest.mark.db,
    pytest.mark.skipif(
        not Path(MOSQUITTO).is_file(), reason="mosquitto is not installed (apt install mosquitto)"
    ),
]


@pytest.fixture
def over_mosquitto(served: Served, tmp_path: Path) -> Iterator[Served]:
    """The served region with Mosquitto in the place of the embedded broker."""
    town = served.town
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secrets = {name: member.secret for name, member in town.members.items() if member.secret}
    data = tmp_path / "mosquitto-data"
    data.mkdir()
    config = write_mosquitto(
        tmp_path / "mosquitto",
        data,
        town.grants(),
        {SERVER: town.server_secret, **secrets},
        port=port,
    )
    if os.geteuid() == 0:  # it would otherwise become another user, who may not read our files
        config.write_text(f"{config.read_text()}user root\n")
    broker = subprocess.Popen([MOSQUITTO, "-c", config], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.05)
    town.broker.stop()
    town.broker.port = port
    served.settings = served.settings.model_copy(update={"broker_url": town.url})
    yield served
    town.hang_up()
    broker.terminate()
    broker.wait(10)


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
