"""The sensors' gateway against the real broker."""

import json
import os
import signal
import threading
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from pydantic import SecretStr

from config.errors import BrokerError
from ingest.messages import Kind
from simulator.gateway import Gateway
from simulator.link import Login
from simulator.sensors import Readings
from tests.fixtures.broker import REGION, Town

NAMES = ("s-1", "s-2", "s-3")
NOON = 1_780_315_200.0


def gateway(town: Town, **options: Any) -> Gateway:
    """Return the gateway with its own credentials."""
    member = town.members["gw-1"]
    login = Login(
        user="gw-1", password=SecretStr(member.secret), client_id=SecretStr(member.client_id)
    )
    return Gateway(REGION, town.url, login, **options)


def readings(count: int, twice: tuple[int, ...] = ()) -> Readings:
    """Return readings of three sensors, some of which the network repeats."""
    number = np.arange(count)
    return Readings(
        sensor=number % 3,
        container=number % 3,
        time=NOON + 60.0 * number.astype(np.float64),
        number=number // 3,
        fill=np.round((number % 100) / 100, 3),
        twice=np.isin(number, twice),
    )


class Noted:
    """Notes what was sent."""

    def __init__(self) -> None:
        self.records: list[tuple[str, int]] = []

    def note(self, device: str, _: Any, seq: int, kind: Kind) -> None:
        """Note a record."""
        assert kind is Kind.LEVEL
        self.records.append((device, seq))


def test_each_sensor_speaks_under_its_own_name(broker_town: Town) -> None:
    """The gateway's connection carries all; the topic says who; repeats are noted once."""
    server = broker_town.client("server")
    assert server.subscribe(f"binround/v1/{REGION}/devices/+/up/level/#")
    noted = Noted()
    with gateway(broker_town, sent=noted) as line:
        assert line.publish(NAMES, readings(9, twice=(4,))) == 9
        line.flush()
    heard = server.wait(10)
    said = [(m.topic.split("/")[4], json.loads(m.payload)) for m in heard]
    assert [(name, level["seq"]) for name, level in said if name == "s-2"] == [
        ("s-2", 0),
        ("s-2", 1),
        ("s-2", 1),
        ("s-2", 2),
    ]
    assert said[1][1] == {"time": "2026-06-01T12:01:00Z", "seq": 0, "boot": 0, "fill": 0.01}
    assert sorted(noted.records) == [(name, seq) for name in NAMES for seq in range(3)]


def test_nothing_is_lost_when_the_broker_is_killed_in_between(broker_town: Town) -> None:
    """What had no PUBACK is sent again; few are in flight, so memory stays bounded."""
    server = broker_town.client("server", keep_session=True)
    assert server.subscribe(f"binround/v1/{REGION}/devices/+/up/level/#")
    with gateway(broker_town, in_flight=20) as line:
        publishing = threading.Thread(target=line.publish, args=(NAMES, readings(3000)))
        publishing.start()
        server.wait(300)
        assert broker_town.broker.pid
        os.kill(broker_town.broker.pid, signal.SIGKILL)
        broker_town.broker.stop()
        with broker_town.broker:
            publishing.join(30)
            assert not publishing.is_alive()
            line.flush()
            wanted = {(name, seq) for name in NAMES for seq in range(1000)}
            with server.change:
                server.change.wait_for(lambda: names_of(server.messages) == wanted, 15)
            assert names_of(server.messages) == wanted


def names_of(messages: list[mqtt.MQTTMessage]) -> set[tuple[str, int]]:
    """Return sensor and number of readings."""
    return {(m.topic.split("/")[4], json.loads(m.payload)["seq"]) for m in messages}


def test_a_broker_that_is_gone_is_one_clear_line(broker_town: Town) -> None:
    """The gateway does not wait for ever."""
    with gateway(broker_town, in_flight=5, patience_s=0.3) as line:
        line.wait_connected(5)
        broker_town.broker.stop()
        with pytest.raises(BrokerError, match="took no reading"):
            line.publish(NAMES, readings(30))
