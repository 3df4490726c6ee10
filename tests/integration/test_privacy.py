"""What is kept about people can be read by those whom it concerns; who looks leaves a trace."""

import re
from datetime import timedelta
from importlib import resources
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.privacy import app
from config.clock import SharedClock
from ingest.broker.embedded import embedded_address
from ingest.messages import Kind, down_topic, up_topic
from storage import audit, backup, privacy, retention
from storage.retention import POLICIES
from storage.sql import queries
from tests.fixtures.api import MORNING, PlannedDay
from tests.fixtures.broker import SERVER
from tests.fixtures.served import NOON, Served

pytestmark = pytest.mark.db
SPAN = {"since": MORNING.isoformat(), "until": (MORNING + timedelta(hours=1)).isoformat()}


@pytest.fixture
def driven(planned_day: PlannedDay) -> PlannedDay:
    """A day on which the truck said five times where it was."""
    for second in range(5):
        planned_day.drive(8.5 + second / 100, 52.0, second * 10)
    return planned_day


def run_report(day: PlannedDay, folder: Path, patch: pytest.MonkeyPatch, days: int = 0) -> Result:
    """Run the command, so many days after the morning."""
    clock = folder / "clock"
    SharedClock(clock).set(MORNING + timedelta(days=days), 0.0)
    patch.setenv("BINROUND_DATABASE_URL", day.database.dsn)
    patch.setenv("BINROUND_CLOCK", str(clock))
    patch.setenv("BINROUND_DATA_DIR", str(folder))
    patch.setenv("BINROUND_REGION", day.region.id)
    return CliRunner().invoke(app, ["report"])


def test_a_look_at_positions_is_audited(driven: PlannedDay, api: httpx.Client) -> None:
    """Who, which vehicle and which span; the positions come in the order of the truck's clock."""
    path = f"/v1/vehicles/{driven.vehicle}/positions"
    items, query = [], {**SPAN, "limit": "2"}
    for _ in range(3):
        answer = api.get(path, params=query).json()
        items += answer["items"]
        query["cursor"] = answer["next"]
    assert answer["next"] is None
    assert [item["lon"] for item in items] == pytest.approx([8.5, 8.51, 8.52, 8.53, 8.54])
    with driven.database.connect() as connection:
        trace = audit.entries(connection)
        assert {(entry.who, entry.action, entry.object) for entry in trace} == {
            ("local", "look-at-positions", f"vehicle/{driven.vehicle}")
        }
        assert trace[0].detail == SPAN
        assert [(look.who, look.times) for look in privacy.looks(connection)] == [("local", 3)]


def test_the_live_view_is_no_look_at_history(driven: PlannedDay, api: httpx.Client) -> None:
    """The newest position of each truck is what dispatching needs; it leaves no trace."""
    assert api.get("/v1/vehicles").status_code == 200
    with driven.database.connect() as connection:
        assert privacy.looks(connection) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"until": SPAN["since"]}, 422),
        ({"until": (MORNING + timedelta(days=2)).isoformat()}, 422),
        ({"since": "2026-11-23T04:30:00"}, 422),
        ({"cursor": "bm9wZQ"}, 422),
        ({"vehicle": "nobody"}, 404),
    ],
)
def test_what_shows_nothing_leaves_no_trace(
    driven: PlannedDay, api: httpx.Client, changes: dict[str, str], status: int
) -> None:
    """A span of more than a day, one without a zone, an unknown truck: a problem document."""
    vehicle = changes.get("vehicle", driven.vehicle)
    answer = api.get(f"/v1/vehicles/{vehicle}/positions", params={**SPAN, **changes})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    with driven.database.connect() as connection:
        assert audit.entries(connection) == []


def test_the_report_names_every_table_purpose_and_look(
    driven: PlannedDay, api: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that can be tied to a person is left out, and it shows no position itself."""
    api.get(f"/v1/vehicles/{driven.vehicle}/positions", params=SPAN)
    told = run_report(driven, tmp_path, monkeypatch)
    assert told.exit_code == 0
    lines = {line.split()[0]: line for line in told.output.splitlines() if line.strip()}
    for policy in POLICIES:
        assert (policy.table in lines) is policy.person_linked
        assert not policy.person_linked or policy.purpose in lines[policy.table]
    assert lines["position"].split()[-4:] == ["14", "5", "2026-11-23", "04:30"]
    assert lines["local"].split()[:3] == ["local", "positions", "1"]
    assert driven.region.retention.purpose in told.output
    assert "8.5" not in told.output


def test_the_report_fails_when_a_rule_is_broken(
    driven: PlannedDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that outlived their span are named; once retention has run, it is content."""
    late = run_report(driven, tmp_path, monkeypatch, days=16)
    assert "kept for longer than declared: position, last_position" in str(late.exception)
    assert "OVERDUE" in late.output
    with driven.database.connect(autocommit=True) as connection:
        rules = retention.declared(connection)
        retention.enforce(connection, rules, MORNING + timedelta(days=16))
    assert run_report(driven, tmp_path, monkeypatch, days=16).exit_code == 0


def test_the_report_shows_what_lies_outside_of_the_database(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker's messages and tours, and backups; what is too old there fails it, too."""
    town, backups = served.town, tmp_path / "backups"
    server = town.client("server", keep_session=True)
    assert server.subscribe(f"{up_topic(town.region, '+', Kind.POSITION)}/#")
    tour = down_topic(town.region, "truck-1", "tour")
    server.publish(tour, '{"day": "2026-05-01"}', retain=True)
    server.client.disconnect()
    server.client.loop_stop()
    town.client("truck-1").publish(up_topic(town.region, "truck-1", Kind.POSITION), "{}")
    backups.mkdir()
    backup.back_up(served.database, backups / "kept", at=NOON)
    SharedClock(tmp_path / "clock").set(NOON, 0.0)
    for name, value in {
        "DATABASE_URL": served.database.dsn,
        "BROKER_URL": town.url,
        "BROKER_ADMIN_URL": embedded_address(town.broker.folder),
        "BROKER_USER": SERVER,
        "BROKER_PASSWORD": town.server_secret,
        "BACKUP_DIR": str(backups),
        "REGION": town.region,
        "CLOCK": str(tmp_path / "clock"),
    }.items():
        monkeypatch.setenv(f"BINROUND_{name}", value)
    told = CliRunner().invoke(app, ["report"])
    rows = {line.split("  ")[0]: line.split() for line in told.output.splitlines() if line}
    assert rows["broker: waiting messages"][-4:-2] == ["14", "1"]
    assert rows["broker: retained tours"][-5:] == ["14", "1", "2026-05-01", "00:00", "OVERDUE"]
    assert rows["backups"][-4:] == ["7", "1", "2026-06-01", "12:00"]
    assert "kept for longer than declared: broker: retained tours" in str(told.exception)


def test_what_the_report_cannot_see_it_names(
    driven: PlannedDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that does not run and a folder that nobody named are no zeros."""
    told = run_report(driven, tmp_path, monkeypatch)
    assert told.exit_code == 0
    for place in ("waiting", "retained", "backups"):
        assert f"{place}: cannot be seen from here" in told.output


def test_position_history_is_read_in_one_place() -> None:
    """Only audited statements read places out of history; roll-ups compute, and show nobody."""
    files = (resources.files("storage") / "queries").iterdir()
    subjects = {file.name.removesuffix(".sql") for file in files}
    history = re.compile(r"\b(FROM|JOIN)\s+(position|event|fleet_5min|tracker_frame)\b")
    places = re.compile(r"\b(lon|lat|first_lon|last_lon|payload)\b")
    reads = {
        (subject, name)
        for subject in subjects
        for name, text in queries(subject).items()
        if history.search(text) and places.search(text)
    }
    computed = {("kilometres", "compute"), ("rollups", "position")}
    audited = {("privacy", name) for name in ("positions", "track", "fleet_at")}
    assert reads == computed | audited
