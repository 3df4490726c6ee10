"""Several brokers at once: each with its own login and topics, and none in another's way."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cli.main import build
from config.errors import SettingsError
from config.source import Family, Source
from ingest.intake import Intake
from ingest.messages import Kind, up_topic
from storage import devices
from tests.fixtures.authority import Authority
from tests.fixtures.broker import SERVER
from tests.fixtures.elsewhere import OtherBroker
from tests.fixtures.served import NOON, Served
from tests.integration.test_metrics import with_metrics

pytestmark = pytest.mark.db
SENSOR = "s-elsewhere"


def eventually(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until something holds; metrics that cannot be read yet hold nothing."""
    deadline = time.monotonic() + timeout_s
    while True:
        with suppress(OSError):
            if holds():
                return
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def levels(served: Served) -> list[int]:
    """Return the numbers of the levels that are stored."""
    with served.database.connect() as connection:
        return [seq for (seq,) in connection.execute("SELECT seq FROM level ORDER BY seq")]


class Partner:
    """Somebody whose sensors speak our contract, on a broker of their own."""

    def __init__(
        self,
        served: Served,
        folder: Path,
        name: str,
        authority: Authority | None = None,
        *,
        mutual: bool = False,
        divides: bool = False,
    ) -> None:
        self.sensor = served.region.containers[0].sensor or ""
        self.topic = up_topic(served.region.id, self.sensor, Kind.LEVEL)
        reads = (f"{self.topic}/+" if divides else self.topic,)
        self.broker = OtherBroker(
            folder, f"user-{name}", reads, authority, mutual=mutual, divides=divides
        )
        self.name, self.served = name, served

    def declare(self, **changes: object) -> Source:
        """Let the region name this broker."""
        ca = self.broker.authority.trusted.ca if self.broker.authority else None
        facts = {
            "id": self.name,
            "family": Family.CONTRACT,
            "url": self.broker.url,
            "topics": (self.topic,),
            "user": self.broker.user,
            "ca": str(ca) if ca else None,
        }
        declared = Source.model_validate(facts | changes)
        secret = SecretStr(self.broker.password)
        self._attach()
        self.served.sources = (*self.served.sources, declared)
        self.served.passwords = {**self.served.passwords, self.name: secret}
        return declared

    def _attach(self) -> None:
        """Let the registry know that this broker speaks for the sensor, under its own name."""
        place = self.served.region.containers[0]
        with self.served.database.connect() as connection:
            devices.add(
                connection,
                self.served.region.id,
                self.sensor,
                devices.Kind.SENSOR,
                at=NOON,
                server_user=SERVER,
                container=place.id,
                behind=devices.Behind(self.name, self.sensor),
            )

    def say(self, seq: int) -> None:
        """Tell a fill level."""
        level = {"time": NOON.isoformat(), "seq": seq, "fill": 0.5}
        self.broker.publish(self.topic, json.dumps(level))


@pytest.fixture
def partner(served: Served, tmp_path: Path) -> Iterator[Partner]:
    """A partner's broker, running, over TLS and with a password."""
    partner = Partner(served, tmp_path / "partner", "partner", Authority(tmp_path / "authority"))
    with partner.broker:
        yield partner


def say_ourselves(served: Served, seq: int) -> None:
    """Tell a fill level on our own broker."""
    sensor = served.region.containers[-1].sensor or ""  # no other broker speaks for it
    level = {"time": NOON.isoformat(), "seq": seq, "fill": 0.5}
    gateway = served.town.client("example-gateway")
    gateway.publish(up_topic(served.region.id, sensor, Kind.LEVEL), json.dumps(level))


def test_a_partner_with_several_ingesters_is_understood(served: Served, tmp_path: Path) -> None:
    """Another binround's NATS adds a shard to its topics; its devices are the same."""
    partner = Partner(served, tmp_path / "partner", "partner", divides=True)
    with partner.broker:
        partner.declare(topics=(f"{partner.topic}/+",))
        read = with_metrics(served)
        with served.ingester():
            eventually(lambda: read()["binround_ingest_connected partner"] == 1)
            partner.say(1)
            eventually(lambda: levels(served) == [1])


def test_two_brokers_are_heard_at_once(served: Served, partner: Partner) -> None:
    """Ours, and a partner's with TLS and a password; what came from where is counted apart."""
    partner.declare()
    read = with_metrics(served)
    with served.ingester() as counters:
        eventually(lambda: read()["binround_ingest_connected partner"] == 1)
        partner.say(1)
        say_ourselves(served, 2)
        eventually(lambda: levels(served) == [1, 2])
        eventually(lambda: read()["binround_ingest_stored_total partner"] == 1)
        told = read()
    assert counters.stored == 1
    assert told["binround_ingest_stored_total"] == 1
    assert told["binround_ingest_received_total partner"] == 1
    assert told["binround_ingest_queue_messages partner"] == 0
    assert told["binround_ingest_lag_seconds partner"] == 0


def test_nobody_waits_for_a_broker_that_is_away(
    served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Our own broker is served meanwhile; the other one is heard as soon as it is there."""
    partner = Partner(served, tmp_path / "partner", "partner")
    with partner.broker:
        pass  # it has its port now
    partner.declare()
    read = with_metrics(served)
    with served.ingester():
        say_ourselves(served, 1)
        eventually(lambda: levels(served) == [1])
        eventually(lambda: "source partner: no line" in caplog.text)
        assert read()["binround_ingest_connected partner"] == 0
        with partner.broker:
            eventually(lambda: read()["binround_ingest_connected partner"] == 1)
            partner.say(2)
            eventually(lambda: levels(served) == [1, 2])
            records = list(caplog.records)
    said = [r.getMessage() for r in records if "source partner: no line" in r.getMessage()]
    assert len(said) == 1, "every attempt is told"
    assert f"to {partner.broker.url} (Connection refused), trying again" in said[0]
    assert "check sources.toml and BINROUND_SOURCE_PARTNER_PASSWORD" in said[0]


def test_a_broker_dies_and_returns_while_ours_goes_on(served: Served, partner: Partner) -> None:
    """Its session outlives both of us: what it took meanwhile is stored once."""
    partner.declare()
    read = with_metrics(served)
    with served.ingester():
        eventually(lambda: read()["binround_ingest_connected partner"] == 1)
        for seq in range(30):
            partner.say(seq)
        eventually(lambda: len(levels(served)) == 30)
        assert partner.broker.pid
        os.kill(partner.broker.pid, signal.SIGKILL)
        partner.broker.stop()
        eventually(lambda: read()["binround_ingest_connected partner"] == 0)
        say_ourselves(served, 1000)
        eventually(lambda: levels(served)[-1] == 1000)
        partner.broker.__enter__()
        eventually(lambda: read()["binround_ingest_connected partner"] == 1)
        for seq in range(30, 60):
            partner.say(seq)
        eventually(lambda: len(levels(served)) == 61)
    for seq in range(60, 80):
        partner.say(seq)  # nobody of us is there
    with served.ingester():
        eventually(lambda: len(levels(served)) == 81)
    assert levels(served) == [*range(80), 1000]


def test_a_wrong_password_is_told_and_the_others_go_on(
    served: Served, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the source and the variable, and no secret is in it at any level."""
    caplog.set_level("DEBUG")
    partner.declare()
    wrong = SecretStr("a-wrong-password")
    served.passwords = {"partner": wrong}
    read = with_metrics(served)
    with served.ingester():
        eventually(lambda: "refused: not authorized" in caplog.text)
        say_ourselves(served, 1)
        eventually(lambda: levels(served) == [1])
        assert read()["binround_ingest_connected partner"] == 0
        assert read()["binround_ingest_connected"] == 1
    assert "source partner: no line to mqtts://127.0.0.1" in caplog.text
    assert "BINROUND_SOURCE_PARTNER_PASSWORD" in caplog.text
    for secret in (wrong.get_secret_value(), partner.broker.password, served.town.server_secret):
        assert secret not in caplog.text


def test_a_source_without_its_password_is_told(
    served: Served, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    """Before its broker says so, and with the variable that is not set."""
    partner.declare()
    served.passwords = {}
    with served.ingester():
        assert "source partner: no password; set BINROUND_SOURCE_PARTNER_PASSWORD" in caplog.text


@pytest.mark.filterwarnings("ignore:Exception ignored in.*SSLSocket")  # paho's, not closed by it
def test_a_server_that_nobody_vouches_for_gets_no_password(
    served: Served, partner: Partner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate of another authority ends the line before we say who we are."""
    stranger = Authority(tmp_path / "stranger")
    partner.declare(ca=str(stranger.trusted.ca))
    with served.ingester():
        eventually(lambda: "certificate verify failed" in caplog.text)


def test_a_broker_that_wants_a_certificate_gets_ours(served: Served, tmp_path: Path) -> None:
    """Mutual TLS: with the certificate and key that the region names; without, no line."""
    authority = Authority(tmp_path / "authority")
    partner = Partner(served, tmp_path / "partner", "partner", authority, mutual=True)
    ours = authority.client
    with partner.broker:
        with_ours = partner.declare(certificate=str(ours.certificate), key=str(ours.key))
        without = with_ours.model_copy(update={"id": "other", "certificate": None, "key": None})
        served.sources = (*served.sources, without)
        served.passwords = {**served.passwords, "other": served.passwords["partner"]}
        read = with_metrics(served)
        with served.ingester():
            eventually(lambda: read()["binround_ingest_connected partner"] == 1)
            partner.say(1)
            eventually(lambda: levels(served) == [1])
            assert read()["binround_ingest_connected other"] == 0


def test_a_topic_that_is_forbidden_is_named_and_tried_again(
    served: Served, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    """The day the partner grants it, it is heard without a restart of ours."""
    partner.declare(topics=(partner.topic, "binround/v1/example/devices/s-9/up/level"))
    read = with_metrics(served)
    with served.ingester():
        refused = "user may not subscribe to binround/v1/example/devices/s-9/up/level"
        eventually(lambda: refused in caplog.text)
        assert read()["binround_ingest_connected partner"] == 0
        everything = "binround/v1/example/devices/#"
        reads = partner.broker.reads.__class__(
            partner.broker.user, partner.broker.reads.secret_hash, (), (everything,)
        )
        partner.broker.reload([reads, partner.broker.writes])
        eventually(lambda: read()["binround_ingest_connected partner"] == 1)


def test_files_that_are_no_certificates_are_told_at_the_start(
    served: Served, tmp_path: Path
) -> None:
    """In one line, before anything is served."""
    (tmp_path / "ca.pem").write_text("no certificate")
    partner = Partner(served, tmp_path / "partner", "partner")
    partner.declare(ca=str(tmp_path / "ca.pem"), url="mqtts://127.0.0.1:1")
    with pytest.raises(SettingsError, match=r"^TLS: .*ca\.pem: "), served.ingester():
        pass


def test_a_writer_that_fails_begins_anew_and_loses_nothing(
    served: Served, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw costs a partner's messages a delay, and us nothing."""
    partner.declare()
    read = with_metrics(served)
    monkeypatch.setattr("ingest.intake.RESTART_S", 0.1)
    with served.ingester():
        eventually(lambda: read()["binround_ingest_connected partner"] == 1)
        with monkeypatch.context() as broken:
            broken.setattr("ingest.writer.gather", None)
            partner.say(1)
            time.sleep(0.5)
        say_ourselves(served, 2)
        eventually(lambda: levels(served) == [1, 2])


def test_no_secret_is_shown(
    served: Served, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by `config show`, not by what an intake says of itself."""
    source = partner.declare()
    monkeypatch.setenv(source.variable, partner.broker.password)
    shown = CliRunner().invoke(build(), ["config", "show"])
    assert shown.exit_code == 0
    assert partner.broker.password not in shown.output
    intake = Intake(
        source,
        served.passwords["partner"],
        settings=served.settings,
        region=served.region.id,
        database=served.database,
        clock=served.clock,
    )
    assert partner.broker.password not in repr(vars(intake))
