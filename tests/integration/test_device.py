"""The device registry at work: credentials once, revocation in force, and kept when reloaded."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.device import app
from cli.stack import raise_stack
from config.clock import SharedClock
from config.errors import BinroundError
from config.region import Region
from config.region_folder import load_region
from config.settings import load_settings
from ingest.messages import Kind, up_topic
from storage import assets, audit
from storage.database import Database
from storage.logins import LOGINS, keep_logins, renew_login
from tests.fixtures.broker import NO_NAMES, Member, connect
from tests.fixtures.served import NOON, Served

pytestmark = pytest.mark.db
IN_FORCE_S = 60.0


@pytest.fixture
def region(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Region:
    """The example region, loaded; the commands work on its database."""
    found = load_region("example")
    with database.connect() as connection:
        assets.load_region(connection, found, at=NOON)
    monkeypatch.setenv("BINROUND_DATABASE_URL", database.dsn)
    monkeypatch.setenv("BINROUND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BINROUND_REGION", "example")
    return found


def run(*words: str) -> str:
    """Run `binround device ...`; what went wrong is raised."""
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    if isinstance(result.exception, BinroundError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def shown(output: str, name: str) -> Member:
    """Return the credentials that a command has shown."""
    lines = dict(line.split("  ", 1) for line in output.splitlines())
    return Member(name, None, lines["password"].strip(), lines["client id"].split()[0])


def registered(database: Database) -> dict[str, assets.Device]:
    """Return the devices in use."""
    with database.connect() as connection:
        return assets.devices(connection)


def reload(database: Database, region: Region) -> None:
    """Load the region again, as `binround setup` does."""
    with database.connect() as connection:
        assets.load_region(connection, region, at=NOON)


def eventually(holds: Callable[[], object], timeout_s: float) -> float:
    """Wait until something holds; returns the seconds it took."""
    begin = time.monotonic()
    while not holds():
        assert time.monotonic() < begin + timeout_s, "it did not come true in time"
        time.sleep(0.05)
    return time.monotonic() - begin


def test_credentials_are_shown_once_and_only_hashes_are_kept(
    database: Database, region: Region
) -> None:
    """What is printed opens the door; no list and no table has it."""
    made = shown(run("add", "yard-gateway", "--kind", "gateway"), "yard-gateway")
    kept = registered(database)["yard-gateway"]
    assert kept.client_id == made.client_id
    assert made.secret not in str(kept)
    listed = run("list")
    assert "yard-gateway" in listed
    assert made.secret not in listed
    assert made.client_id not in listed
    renewed = shown(run("rotate", "yard-gateway"), "yard-gateway")
    assert renewed.secret != made.secret
    with database.connect() as connection:
        actions = [(entry.action, entry.object) for entry in audit.entries(connection)]
    assert actions == [
        ("rotate-device", "device/yard-gateway"),
        ("add-device", "device/yard-gateway"),
    ]


def test_loading_the_region_again_brings_nobody_back(database: Database, region: Region) -> None:
    """A revoked unit stays out, an added sensor stays in, until a person says otherwise."""
    truck = region.vehicles[0].id
    watched = next(c for c in region.containers if c.sensor)
    run("revoke", truck)
    run("revoke", watched.sensor or "")
    run("add", "spare-1", "--kind", "sensor", "--container", watched.id, "--gateway",
        assets.gateway_name(region.id))  # fmt: skip
    reload(database, region)
    known = registered(database)
    assert truck not in known
    assert watched.sensor not in known
    assert known["spare-1"].container == watched.id
    assert "revoked" in run("list")
    run("add", truck, "--kind", "unit")
    assert registered(database)[truck].vehicle == truck


def test_a_container_has_one_sensor(database: Database, region: Region) -> None:
    """A second sensor is refused; one that the region names takes over from one added by hand."""
    watched = next(c for c in region.containers if c.sensor)
    with pytest.raises(BinroundError, match="this container has a sensor; revoke that first"):
        run("add", "spare-1", "--kind", "sensor", "--container", watched.id)
    run("revoke", watched.sensor or "")
    run("add", "spare-1", "--kind", "sensor", "--container", watched.id)
    containers = tuple(
        c.model_copy(update={"sensor": "spare-2"}) if c.id == watched.id else c
        for c in region.containers
    )
    reload(database, region.model_copy(update={"containers": containers}))
    at = [d.name for d in registered(database).values() if d.container == watched.id]
    assert at == ["spare-2"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "binround-server", "--kind", "gateway"), "our own user at the broker"),
        (("add", "truck-1", "--kind", "unit"), "there is such a device already"),
        (("add", "truck-99", "--kind", "unit"), "a unit has its vehicle's name"),
        (("add", "s", "--kind", "sensor"), "a sensor watches a container"),
        (
            ("add", "g", "--kind", "gateway", "--container", "c"),
            "only a sensor watches a container",
        ),
        (("revoke", "nobody"), "device 'nobody': there is no such device"),
        (("rotate", "nobody"), "device 'nobody': there is no such device"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    database: Database, region: Region, words: tuple[str, ...], message: str
) -> None:
    """Names that are no names, and devices at places that do not exist, change nothing."""
    before = registered(database)
    with pytest.raises(BinroundError, match=message) as caught:
        run(*words)
    assert "\n" not in str(caught.value)
    assert registered(database) == before


def test_a_name_that_a_broker_could_misread_is_refused(database: Database, region: Region) -> None:
    """Patterns, topic levels, other scripts: the message says what a name may hold."""
    before = registered(database)
    for name in NO_NAMES:
        with pytest.raises(BinroundError, match="use 1 to 32 of a-z, 0-9 and -"):
            run("add", "--kind", "gateway", "--", name)
    assert registered(database) == before


def test_a_sensor_behind_a_gateway_has_no_credentials(database: Database, region: Region) -> None:
    """Its gateway speaks for it, so there is nothing to show or to rotate."""
    watched = next(c for c in region.containers if c.sensor)
    gateway = assets.gateway_name(region.id)
    with pytest.raises(BinroundError, match=f"{gateway} speaks for it"):
        run("rotate", watched.sensor or "")
    run("revoke", watched.sensor or "")
    told = run("add", "s-2", "--kind", "sensor", "--container", watched.id, "--gateway", gateway)
    assert "password" not in told
    assert registered(database)["s-2"].gateway == gateway


def test_two_who_change_the_file_of_logins_lose_nothing(
    database: Database, region: Region, tmp_path: Path
) -> None:
    """`setup`, the API and `device` may run at once; each one's change is in the file."""
    path, clock = tmp_path / LOGINS, SharedClock(tmp_path / "clock")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: keep_logins(database, region, path, clock), range(4)))
        assert all(logins == made[0] for logins in made)
        fresh = [assets.Credentials(name, name, f"new-{name}") for name in made[0]]
        list(pool.map(lambda one: renew_login(path, one.device, one), fresh))
    kept = json.loads(path.read_text())
    assert {name: login["password"] for name, login in kept.items()} == {
        one.device: one.secret for one in fresh
    }


def test_the_file_of_logins_follows(database: Database, region: Region, tmp_path: Path) -> None:
    """A login that `setup` keeps is renewed, struck out, and right when the device is back."""
    truck, path, clock = region.vehicles[0].id, tmp_path / LOGINS, SharedClock(tmp_path / "clock")
    keep_logins(database, region, path, clock)
    made = shown(run("rotate", truck), truck)
    assert json.loads(path.read_text())[truck]["password"] == made.secret
    run("revoke", truck)
    assert made.secret not in path.read_text()
    assert truck not in keep_logins(database, region, path, clock)
    back = shown(run("add", truck, "--kind", "unit"), truck)
    assert keep_logins(database, region, path, clock)[truck]["password"] == back.secret


def use(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands work on a served region that has a broker of its own."""
    served.use_own_broker()
    monkeypatch.setenv("BINROUND_DATABASE_URL", served.database.dsn)
    monkeypatch.setenv("BINROUND_DATA_DIR", str(served.settings.data_dir))
    monkeypatch.setenv("BINROUND_REGION", "example")


def test_a_revoked_device_is_out_within_a_minute(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is cut, it does not come in again, and the others do not notice."""
    use(served, monkeypatch)
    with served.ingester() as counters:
        served.town.broker.port = served.own_broker_port()
        first, second = served.town.client("truck-1"), served.town.client("truck-2")
        cut: list[object] = []
        second.client.on_disconnect = lambda *args: cut.append(args)
        run("revoke", "truck-1")
        assert eventually(lambda: "Not authorized" in first.refused, IN_FORCE_S) < IN_FORCE_S / 3
        message = {"time": NOON.isoformat(), "seq": 1, "boot": 0}
        second.publish(up_topic("example", "truck-2", Kind.STATUS), json.dumps(message))
        eventually(lambda: counters.stored == 1, 10)
        assert cut == []


def test_rotated_credentials_replace_the_old_ones(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old secret is out as if revoked, and the new one gets in."""
    use(served, monkeypatch)
    monkeypatch.setattr("ingest.broker.region.LOOK_S", 0.2)
    with served.ingester():
        served.town.broker.port = served.own_broker_port()
        old = served.town.client("truck-1")
        served.town.members["truck-1"] = shown(run("rotate", "truck-1"), "truck-1")
        eventually(lambda: "Not authorized" in old.refused, 10)
        assert served.town.client("truck-1").refused == []


def test_nobody_speaks_for_a_revoked_sensor(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its gateway stays connected, but what it says for that sensor is not stored."""
    use(served, monkeypatch)
    monkeypatch.setattr("ingest.broker.region.LOOK_S", 0.2)
    one, two = [c.sensor or "" for c in served.region.containers if c.sensor][:2]
    with served.ingester() as counters:
        served.town.broker.port = served.own_broker_port()
        gateway = served.town.client("example-gateway")

        def measure(sensor: str, seq: int) -> None:
            message = {"time": NOON.isoformat(), "seq": seq, "fill": 0.5}
            gateway.publish(up_topic("example", sensor, Kind.LEVEL), json.dumps(message))

        measure(one, 1)
        eventually(lambda: counters.stored == 1, 10)
        run("revoke", one)
        time.sleep(1.5)
        measure(one, 2)
        measure(two, 1)
        eventually(lambda: counters.stored == 2, 10)
        assert (counters.stored, counters.dead_letters) == (2, 0)


def test_the_demos_broker_follows_the_registry_too(
    database: Database, region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the demo and not the ingester owns the broker, a revoked unit is cut all the same."""
    monkeypatch.setattr("ingest.broker.region.LOOK_S", 0.2)
    settings = load_settings()
    clock = SharedClock(tmp_path / "clock")
    with raise_stack(settings, region, clock) as stack:
        login = json.loads(stack.credentials.read_text())["devices"][region.vehicles[0].id]
        port = int((settings.data_dir / "broker" / "port").read_text())
        truck = connect(port, login["user"], login["password"], login["client_id"])
        run("revoke", region.vehicles[0].id)
        eventually(lambda: "Not authorized" in truck.refused, 10)
        truck.client.disconnect()
        truck.client.loop_stop()
