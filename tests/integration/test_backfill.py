"""What a network server said while our line was down is fetched from its storage, once."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from cli.main import build
from config.clock import RealClock
from config.errors import BackfillError
from config.region_folder import find_folder
from config.region_write import write_region
from config.source import Family, Source, TlsFiles
from ingest.backfill import ThingsStackStorage
from ingest.backfill.things_stack import PAGE
from storage import sources
from storage.devices import Behind
from tests.fixtures.elsewhere import Faults, NetworkServer, Storage, attach
from tests.fixtures.served import Served
from tests.integration.test_metrics import with_metrics
from tests.integration.test_other_brokers import eventually, say_ourselves

pytestmark = pytest.mark.db
BINS = ("bin-1", "bin-2", "bin-3")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[NetworkServer]:
    """A network server with three sensors, running."""
    network = NetworkServer(tmp_path / "network")
    with network.storage, network.broker:
        yield network


@pytest.fixture
def town(served: Served, network: NetworkServer, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The served region with that network server as its source `lns`, in real time."""
    for number, name in enumerate(BINS):
        attach(served, number, Behind("lns", name))
    monkeypatch.setattr("ingest.backfill.filler.SETTLE_S", 1.0)
    monkeypatch.setattr("ingest.backfill.filler.LOOK_S", 0.1)
    monkeypatch.setattr("ingest.backfill.filler.FIRST_S", 0.2)
    served.clock = RealClock()
    served.sources = (declared(network),)
    served.passwords = {"lns": SecretStr(network.broker.password)}
    return served


def declared(network: NetworkServer) -> Source:
    """Return the network server as a region would declare it."""
    return Source(
        id="lns",
        family=Family.THINGS_STACK,
        url=network.broker.url,
        topics=(f"v3/{network.broker.user}/devices/+/up",),
        user=network.broker.user,
        storage=network.storage.url,
    )


def arrived(town: Served) -> list[tuple[str, int]]:
    """Return (sensor, frame counter) of all levels that are stored, in order."""
    query = "SELECT alias, seq FROM level JOIN device ON id = device_id WHERE source = 'lns'"
    with town.database.connect() as connection:
        found = sorted((str(name), int(seq)) for name, seq in connection.execute(query))
    assert len(found) == len(set(found)), "something is stored twice"
    return found


def sent(numbers: range) -> list[tuple[str, int]]:
    """Return what `speak` lets the sensors say."""
    return sorted((BINS[number % len(BINS)], number) for number in numbers)


def speak(network: NetworkServer, numbers: range) -> None:
    """Let the sensors send, in turns."""
    for number in numbers:
        network.uplink(BINS[number % len(BINS)], number)


@contextmanager
def listening(town: Served) -> Iterator[Callable[[], dict[str, float]]]:
    """Run the ingester until the end, connected to the network server; gives its metrics."""
    read = with_metrics(town)
    with town.ingester():
        eventually(lambda: read()["binround_ingest_connected lns"] == 1)
        yield read


def mark(town: Served) -> datetime | None:
    """Return up to when all is stored, as it is written down."""
    with town.database.connect() as connection:
        return sources.mark(connection, "lns")


def test_what_was_said_while_the_line_was_down_is_stored(
    town: Served, network: NetworkServer
) -> None:
    """The network's broker is killed, its sensors go on, it returns: nothing is missing."""
    with listening(town) as read:
        speak(network, range(20))
        eventually(lambda: len(arrived(town)) == 20)
        assert network.broker.pid
        os.kill(network.broker.pid, signal.SIGKILL)
        network.broker.stop()
        eventually(lambda: read()["binround_ingest_connected lns"] == 0)
        speak(network, range(20, 200))
        network.broker.__enter__()
        eventually(lambda: read()["binround_ingest_connected lns"] == 1)
        speak(network, range(200, 220))
        eventually(lambda: len(arrived(town)) == 220)
        fetched = read()["binround_ingest_backfilled_total lns"]
    assert arrived(town) == sent(range(220))
    print(f"\nsaid 220, 180 of them to nobody: stored {len(arrived(town))}, fetched {fetched:.0f}")
    assert fetched >= 180


def test_what_was_said_before_we_came_is_stored(town: Served, network: NetworkServer) -> None:
    """With a new source all that its storage keeps; afterwards, what came while we were away."""
    speak(network, range(40))
    with listening(town):
        eventually(lambda: len(arrived(town)) == 40)
    first = mark(town)
    assert first is not None
    speak(network, range(40, 60))
    network.storage.faults.asked.clear()
    with listening(town):
        eventually(lambda: len(arrived(town)) == 60)
    asked = datetime.fromisoformat(network.storage.faults.asked[0]["after"])
    assert first - timedelta(minutes=6) < asked < first
    assert arrived(town) == sent(range(60))


def test_what_reaches_the_storage_late_is_not_missed(town: Served, network: NetworkServer) -> None:
    """The storage is written a little later than the line came up, so it is asked once more."""
    network.broker.stop()
    speak(network, range(10))
    late, network.storage.kept[4:7] = network.storage.kept[4:7], []
    network.broker.__enter__()
    with listening(town):
        eventually(lambda: len(arrived(town)) == 7)
        network.storage.kept += late
        eventually(lambda: len(arrived(town)) == 10)


FAULTS = [
    (Faults(status=401), "401 error:pkg/ratelimit:exceeded; check sources.toml and BINROUND_SOU"),
    (Faults(status=429), "429 error:pkg/ratelimit:exceeded"),
    (Faults(status=503), "503 error:pkg/ratelimit:exceeded"),
    (Faults(cut_after=3), "peer closed connection"),
    (Faults(error_after=3), "database is away"),
]


@pytest.mark.parametrize(("faults", "told"), FAULTS)
def test_a_storage_that_fails_is_asked_again(
    town: Served,
    network: NetworkServer,
    caplog: pytest.LogCaptureFixture,
    faults: Faults,
    told: str,
) -> None:
    """It is told and counted; live messages and our own broker go on meanwhile."""
    caplog.set_level("INFO")
    network.broker.stop()
    speak(network, range(10))
    network.broker.__enter__()
    network.storage.faults = faults
    with listening(town) as read:
        eventually(lambda: read()["binround_ingest_backfill_retries_total lns"] >= 1)
        speak(network, range(10, 13))
        say_ourselves(town, 1)
        eventually(lambda: set(sent(range(10, 13))) <= set(arrived(town)))
        eventually(lambda: read()["binround_ingest_stored_total"] == 1)
        assert not set(sent(range(9))) <= set(arrived(town))
        before = mark(town)
        network.storage.faults = Faults()
        eventually(lambda: arrived(town) == sent(range(13)))
    assert before is None or before < datetime.fromisoformat(
        network.storage.kept[9]["received_at"]
    ), "the mark passed what was missing"
    assert told in caplog.text
    assert network.broker.password not in caplog.text


def test_a_storage_that_hands_out_little_at_once_hides_nothing(
    town: Served, network: NetworkServer
) -> None:
    """Whatever its limits are, it is asked until nothing newer comes."""
    network.broker.stop()
    speak(network, range(50))
    network.broker.__enter__()
    network.storage.faults = Faults(at_most=7)
    with listening(town):
        eventually(lambda: arrived(town) == sent(range(50)))


def client(storage: Storage, key: str = "") -> ThingsStackStorage:
    """Return a client of a storage."""
    secret = SecretStr(key or storage.key)
    return ThingsStackStorage(storage.url, f"{storage.application}@city", secret, TlsFiles())


SPAN = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def test_more_than_a_page_comes_in_order(network: NetworkServer) -> None:
    """Oldest first; those of one instant all come, whichever page they are on."""
    network.broker.stop()
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    for number in range(2 * PAGE + 10):
        network.uplink("bin-1", number, noon + timedelta(milliseconds=number // 3))
    found = list(client(network.storage).uplinks(*SPAN))
    counts = [json.loads(uplink.payload)["uplink_message"]["f_cnt"] for uplink in found]
    assert sorted(set(counts)) == list(range(2 * PAGE + 10))
    assert len(counts) <= 2 * PAGE + 30
    assert found[0].topic == "v3/bins@city/devices/bin-1/up"
    assert [asked["limit"] for asked in network.storage.faults.asked] == [str(PAGE)] * 4


@pytest.mark.parametrize(
    "junk",
    [
        b"no json",
        b'{"result": {"received_at": "yesterday"}}',
        b'{"result": {"received_at": "2026-06-01T12:00:00Z", "end_device_ids": {"device_id":"/"}}}',
        b"{}",
        b"\xff\x00" * 500_000,
        b'{"result": {"received_at": "2026-06-01T12:00:00Z", "n": ' + b"9" * 5000 + b"}}",
        b"[" * 100_000,
    ],
)
def test_a_line_that_says_nothing_usable_costs_only_itself(
    network: NetworkServer, junk: bytes
) -> None:
    """Its beginning is kept for who looks at dead letters; its neighbours count."""
    network.broker.stop()
    speak(network, range(3))
    network.storage.faults = Faults(junk=junk)
    odd, *good = client(network.storage).uplinks(*SPAN)
    assert odd.received_at is None
    assert odd.topic == "v3/bins@city/storage"
    assert junk.startswith(odd.payload)
    assert len([uplink for uplink in good if uplink.received_at]) >= 3


def test_a_refusal_says_what_the_server_said(network: NetworkServer) -> None:
    """And never the key."""
    with pytest.raises(BackfillError, match=r"401 error:pkg/auth:token \(invalid token\)$") as no:
        list(client(network.storage, "NNSXS.WRONG").uplinks(*SPAN))
    assert "NNSXS" not in str(no.value)


def test_nobody_there_is_told(network: NetworkServer) -> None:
    """An address at which nothing answers is an error of its own kind."""
    url = "http://127.0.0.1:1/api/v3/as/applications/bins/packages/storage/uplink_message"
    nobody = ThingsStackStorage(url, "bins@city", SecretStr("x"), TlsFiles())
    with pytest.raises(BackfillError, match="Connection refused"):
        list(nobody.uplinks(*SPAN))


def backfill(town: Served, network: NetworkServer, *options: str) -> Result:
    """Run `binround backfill`."""
    source = declared(network)
    folder = town.settings.data_dir / "region"
    if not folder.exists():
        shutil.copytree(find_folder("example"), folder)
        write_region(town.region.model_copy(update={"sources": (source,)}), folder)
    environment = {
        **town.environment,
        "BINROUND_REGION": str(folder),
        source.variable: network.broker.password,
    }
    return CliRunner(env=environment).invoke(build("backfill"), ["backfill", *options])


def test_a_span_can_be_fetched_by_hand(town: Served, network: NetworkServer) -> None:
    """All of it, once; a second time nothing is new."""
    network.broker.stop()
    speak(network, range(700))
    first = backfill(town, network, "--source", "lns")
    assert first.exit_code == 0, first.output
    assert first.output.startswith("fetched 70")
    assert arrived(town) == sent(range(700))
    second = backfill(town, network, "--source", "lns", "--since", "2026-01-01")
    assert "0 new records, 0 new dead letters" in second.output
    assert network.broker.password not in first.output + second.output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--source", "ttn"], "no source 'ttn' with a storage in region example: lns"),
        (["--source", "lns", "--since", "2100-01-01"], "nothing lies between"),
        (["--source", "lns", "--since", "yesterday"], "--since"),
    ],
)
def test_a_span_that_cannot_be_is_told(
    town: Served, network: NetworkServer, options: list[str], told: str
) -> None:
    """In one line, with what there is."""
    result = backfill(town, network, *options)
    assert result.exit_code != 0
    assert told in " ".join(f"{result.output} {result.exception}".split())


def test_a_storage_that_refuses_ends_the_command(town: Served, network: NetworkServer) -> None:
    """With what it said; what came before it is stored."""
    network.broker.stop()
    speak(network, range(10))
    network.storage.faults = Faults(error_after=4)
    result = backfill(town, network, "--source", "lns")
    assert isinstance(result.exception, BackfillError)
    assert "fetched 4 messages" in result.output
    assert len(arrived(town)) == 4
