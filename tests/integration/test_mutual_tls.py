"""Mutual TLS as `binround setup` writes it, on both brokers: a certificate is who one is."""

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cli.main import build
from config.errors import BrokerError, SettingsError
from config.source import TlsFiles
from ingest.broker.nats import find_server
from ingest.line import Login
from ingest.messages import Kind, up_topic
from ingest.publisher import Publisher
from ingest.shards import plain
from simulator.link import Credentials, open_client
from storage.database import Database
from tests.fixtures.authority import Authority
from tests.fixtures.broker import SERVER, Heard, connect
from tests.fixtures.mosquitto import PROGRAM
from tests.fixtures.ports import free_port
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.db

PASSWORD = "of our own server"  # noqa: S105
OWN, OTHER = (up_topic("example", name, Kind.STATUS) for name in ("truck-1", "truck-2"))


class Secured(NamedTuple):
    """A broker in a process of its own that wants certificates."""

    name: str
    folder: Path
    authority: Authority
    process: subprocess.Popen[bytes]
    port: int
    server_port: int
    lines: list[Heard]

    def login(self, device: str) -> dict[str, str]:
        """Return what `setup` made for a device."""
        logins = json.loads((self.folder / "data" / "logins.json").read_text())
        return dict(logins.get(device) or logins["truck-2"])

    def server(self) -> Heard:
        """Connect as our own server and listen to everything that devices say."""
        heard = connect(
            self.server_port, SERVER, PASSWORD, "srv-1", tls=self.authority.issue(SERVER)
        )
        self.lines.append(heard)
        assert heard.subscribe("binround/v1/example/devices/+/up/#")
        return heard

    def device(self, name: str, client_id: str = "") -> Heard:
        """Connect as a device with its certificate, and the password that NATS wants, too."""
        login = self.login(name)
        heard = connect(
            self.port,
            login["user"],
            login["password"],
            client_id or login["client_id"],
            tls=self.authority.issue(name),
        )
        self.lines.append(heard)
        return heard

    def hang_up(self) -> None:
        """End every line."""
        for line in self.lines:
            line.client.disconnect()
            line.client.loop_stop()

    def lets_in(self, tls: ssl.SSLContext, name: str) -> bool:
        """Say CONNECT with a device's password; whether the broker answers that it may."""
        login = self.login(name)
        words = b"".join(_text(login[field]) for field in ("client_id", "user", "password"))
        body = _text("MQTT") + b"\x04\xc2\x00\x3c" + words
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 5) as bare,
            tls.wrap_socket(bare, server_hostname="127.0.0.1") as line,
        ):
            line.sendall(b"\x10" + bytes([len(body)]) + body)
            return line.recv(4)[3:] == b"\x00"
        return False

    def setup(self) -> None:
        """Write the configuration from the registry, and have it read."""
        setup(self.name, self.folder, self.authority, self.port)
        self.process.send_signal(signal.SIGHUP)


def _text(value: str) -> bytes:
    return len(value).to_bytes(2) + value.encode()


def binround(*arguments: str) -> None:
    """Run a command as an operator would."""
    result = CliRunner().invoke(build(), list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output


def setup(name: str, folder: Path, authority: Authority, port: int) -> None:
    """Let `binround setup` write a broker's configuration."""
    where = {
        "NATS": ["--broker-config", folder / "nats.conf"],
        "Mosquitto": ["--mosquitto", folder],
    }
    tls = ["--tls-cert", authority.server.certificate, "--tls-key", authority.server.key]
    clients = ["--tls-clients", authority.certificate]
    revoked = ["--tls-revoked", authority.revoked] if name == "Mosquitto" else []
    options = [*where[name], "--broker-port", port, *tls, *clients, *revoked]
    binround("setup", *map(str, options))
    if name == "Mosquitto" and os.geteuid() == 0:  # else it becomes another user
        config = folder / "mosquitto.conf"
        config.write_text(f"user root\n{config.read_text()}")


@pytest.fixture(params=["NATS", "Mosquitto"])
def secured(
    request: pytest.FixtureRequest,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Secured]:
    """The example region's broker, with the configuration of the real command."""
    name, folder = request.param, tmp_path
    if name == "Mosquitto" and not Path(PROGRAM).is_file():
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    port, server_port = free_port(), free_port()
    monkeypatch.setattr("cli.setup.SERVER_PORT", server_port)
    monkeypatch.setattr("cli.setup.KEEPER_PORT", free_port())
    monkeypatch.setenv("BINROUND_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("BINROUND_DATABASE_URL", database.dsn)
    monkeypatch.setenv("BINROUND_REGION", "example")
    monkeypatch.setenv("BINROUND_BROKER_PASSWORD", PASSWORD)
    authority = Authority(folder / "ca")
    setup(name, folder, authority, port)
    program, config = (
        (str(find_server()), folder / "nats.conf")
        if name == "NATS"
        else (PROGRAM, folder / "mosquitto.conf")
    )
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        server_port = port if name == "NATS" else server_port
        eventually(lambda: answers(port) and answers(server_port))
        made = Secured(name, folder, authority, process, port, server_port, [])
        yield made
        made.hang_up()
    finally:
        process.terminate()
        process.wait(20)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_only_a_certificate_of_ours_gets_in(secured: Secured, tmp_path: Path) -> None:
    """Without one, or with a stranger's for the same name, even the right password is no help."""
    none = secured.authority.trusted.context()
    stranger = Authority(tmp_path / "stranger").context("truck-1")
    stranger.load_verify_locations(secured.authority.certificate)
    assert not secured.lets_in(none, "truck-1")
    assert not secured.lets_in(stranger, "truck-1")
    assert secured.lets_in(secured.authority.context("truck-1"), "truck-1")


def test_a_device_says_what_is_its_own_and_nothing_else(secured: Secured) -> None:
    """The certificate names the device, and the topic has to be that device's."""
    server, truck = secured.server(), secured.device("truck-1")
    truck.client.publish(OTHER, "forged", qos=1)
    time.sleep(0.3)
    truck = secured.device("truck-1")  # Mosquitto may have hung up
    truck.publish(OWN, "own")
    assert [(plain(m.topic), m.payload) for m in server.wait(1)] == [(OWN, b"own")]
    assert server.wait(2, timeout_s=0.3) == server.messages[:1]


def test_nobody_is_thrown_off_by_a_client_id(secured: Secured) -> None:
    """Ids are secrets on NATS; on Mosquitto a device's id is its name, whatever it says."""
    victim = secured.device("truck-2")
    cut: list[object] = []
    victim.client.on_disconnect = lambda *args: cut.append(args)
    known = secured.login("truck-2")["client_id"] if secured.name == "Mosquitto" else "truck-2"
    for guess in ("truck-2", known):
        secured.device("truck-1", client_id=guess)
    time.sleep(0.3)
    assert victim.client.is_connected()
    assert cut == []


def test_a_revoked_device_is_out(secured: Secured) -> None:
    """After `device revoke`, `setup` and SIGHUP nothing more is heard of it, whatever it holds.

    Mosquitto knows a certificate to be bad only from its authority's list; until then it lets the
    device in, which can do nothing there.
    """
    server, truck = secured.server(), secured.device("truck-1")
    truck.publish(OWN, "before")
    assert [m.payload for m in server.wait(1)] == [b"before"]
    certificate = secured.authority.context("truck-1")
    begin = time.monotonic()
    binround("device", "revoke", "truck-1")
    secured.setup()
    if secured.name == "Mosquitto":
        time.sleep(0.5)
        secured.device("truck-1").client.publish(OWN, "after", qos=1)
        secured.authority.revoke("truck-1")
        secured.setup()
    eventually(lambda: not secured.lets_in(certificate, "truck-1"))
    truck.client.publish(OWN, "after", qos=1)  # its open line: cut, or heard by nobody
    assert [m.payload for m in server.wait(2, timeout_s=1.0)] == [b"before"]
    print(f"\n{secured.name}: out after {time.monotonic() - begin:.1f} s")


def test_a_simulated_unit_shows_its_certificate(secured: Secured) -> None:
    """A city is played over TLS as well, each device with its own files."""
    folder = Path(secured.authority.issue("truck-1").certificate or "").parent
    city = secured.folder / "city.json"
    url = f"mqtts://127.0.0.1:{secured.port}"
    devices = {"truck-1": secured.login("truck-1")}
    city.write_text(json.dumps({"url": url, "devices": devices, "gateway": "gateway"}))
    credentials = Credentials.read(city, secured.authority.certificate, folder)
    client = open_client(url, credentials.login("truck-1"), in_flight=1)
    client.loop_start()
    try:
        eventually(client.is_connected)
    finally:
        client.disconnect()
        client.loop_stop()


def test_our_own_line_shows_its_certificate(secured: Secured) -> None:
    """The ingester's lines come up with BINROUND_BROKER_CERT; without, the message says why."""
    files = secured.authority.issue(SERVER)
    url = f"mqtts://127.0.0.1:{secured.server_port}"
    heard = secured.server()

    def publisher(tls: TlsFiles) -> Publisher:
        return Publisher(Login(url, SERVER, SecretStr(PASSWORD), SecretStr("own-2"), tls))

    with publisher(files) as ours:
        assert ours.deliver(OWN, "hello", 5)
    assert [m.payload for m in heard.wait(1)] == [b"hello"]
    with pytest.raises(BrokerError):
        publisher(secured.authority.trusted).start()
    with pytest.raises(SettingsError, match="no-such"):
        publisher(TlsFiles(Path("no-such.pem"))).start()
