"""How distances are read: given by hand, learned after emptyings, and shown."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.device import app
from config.errors import BinroundError
from ingest.codecs.calibration import Calibration, History, tapered
from jobs import learn, upkeep
from storage import assets, audit, calibrations
from tests.fixtures.makers import LORA, PHONES, Makers, em400, uplink
from tests.fixtures.served import NOON

pytestmark = pytest.mark.db
DAY = timedelta(days=1)
BELL = Calibration(empty_mm=1800, full_mm=300, shape=tapered(0.6))


@pytest.fixture
def sensor(makers: Makers) -> str:
    """A sensor behind a network server, calibrated by hand a month ago."""
    name = makers.attach(LORA, "bin-0", "milesight-em400-mud", place=0, calibration=None)
    give(makers, name, BELL, NOON - 30 * DAY)
    return name


def give(makers: Makers, name: str, calibration: Calibration, since: datetime) -> None:
    """Calibrate by hand."""
    with makers.database.connect() as connection:
        calibrations.give(connection, makers.region.id, name, calibration, since=since)


def empty_daily(makers: Makers, first: datetime, floors_mm: list[int]) -> None:
    """Empty a container once a day; an hour before it is half full, an hour later it shows."""
    hour, sent = timedelta(hours=1), []
    with makers.database.connect() as connection:
        for day, floor_mm in enumerate(floors_mm):
            at = first + day * DAY
            connection.execute(
                "INSERT INTO emptying VALUES (%s, %s, 40)", [makers.containers[0].id, at]
            )
            for when, distance_mm in ((-hour, 900), (hour, floor_mm), (5 * hour, floor_mm - 200)):
                number = int((at + when).timestamp())
                sent.append(uplink("bin-0", em400(distance_mm), 85, number, at + when))
    came = first + len(floors_mm) * DAY
    assert makers.say(LORA, sent[0][0], *(payload for _, payload in sent), at=came) == []


def in_force(makers: Makers, name: str, at: datetime = NOON) -> tuple[int, bool]:
    """Return the floor in force, and whether it was learned."""
    with makers.database.connect() as connection:
        entry = calibrations.in_force(connection, at)[name]
    return entry.calibration.empty_mm, entry.learned


def study(makers: Makers, now: datetime = NOON) -> int:
    """Learn from emptyings."""
    with makers.database.connect(autocommit=True) as connection:
        return learn.from_emptyings(connection, now)


def test_the_floor_is_learned_from_what_emptyings_show(makers: Makers, sensor: str) -> None:
    """The daily upkeep learns the floor; shape and full mark stay, and again changes nothing."""
    empty_daily(makers, NOON - 8 * DAY, [1695, 1702, 1698, 640, 1701, 1699, 1697])
    upkeep.run(makers.database, makers.region, NOON)
    assert in_force(makers, sensor) == (1701, True)
    assert study(makers, NOON + timedelta(minutes=1)) == 0
    with makers.database.connect() as connection:
        newest, first = calibrations.entries(connection, sensor)
    assert newest.calibration == BELL.model_copy(update={"empty_mm": 1701})
    assert (first.calibration, first.learned) == (BELL, False)
    makers.clock.instant = NOON + timedelta(hours=2)
    assert makers.uplink("bin-0", em400(1701), 85, 7, NOON + timedelta(hours=1)) == []
    assert makers.row("SELECT fill FROM last_level") == (0.0,)


def test_too_little_and_too_small_teaches_nothing(makers: Makers, sensor: str) -> None:
    """Four emptyings are too few; a floor two centimetres off is noise."""
    empty_daily(makers, NOON - 8 * DAY, [1600] * 4)
    assert study(makers) == 0
    give(makers, sensor, BELL.model_copy(update={"empty_mm": 1780}), NOON - 20 * DAY)
    with makers.database.connect() as connection:
        connection.execute("TRUNCATE level, last_level, emptying")
    empty_daily(makers, NOON - 8 * DAY, [1765] * 7)
    assert study(makers) == 0
    assert in_force(makers, sensor) == (1780, False)


def test_a_correction_by_hand_wins_and_learning_goes_on(makers: Makers, sensor: str) -> None:
    """Emptyings before it count no more; those after it do."""
    empty_daily(makers, NOON - 8 * DAY, [1700] * 7)
    assert study(makers) == 1
    later = NOON + timedelta(hours=6)
    give(makers, sensor, Calibration(empty_mm=2000, full_mm=100), later)
    assert study(makers, later + timedelta(hours=1)) == 0
    assert in_force(makers, sensor, later) == (2000, False)
    makers.clock.instant = NOON + 10 * DAY
    empty_daily(makers, NOON + DAY, [1900] * 6)
    assert study(makers, NOON + 8 * DAY) == 1
    assert in_force(makers, sensor, NOON + 8 * DAY) == (1900, True)


def test_a_correction_of_the_past_forgets_what_was_learned_since(
    makers: Makers, sensor: str
) -> None:
    """What was learned from wrong numbers does not outlive them."""
    empty_daily(makers, NOON - 8 * DAY, [1700] * 7)
    assert study(makers) == 1
    give(makers, sensor, BELL, NOON - 3 * DAY)
    assert in_force(makers, sensor) == (1800, False)


def test_the_first_calibration_counts_from_the_beginning() -> None:
    """A container was as deep before somebody measured it."""
    lower = Calibration(empty_mm=900)
    history = History((NOON, NOON + DAY), (BELL, lower))
    assert history.at(NOON - 100 * DAY) is BELL
    assert history.at(NOON) is BELL
    assert history.at(NOON + DAY) is lower


def run(*words: str) -> str:
    """Run `binround device ...`; what went wrong is raised."""
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    if isinstance(result.exception, BinroundError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def commands(makers: Makers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Makers:
    """The commands work on this database."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", makers.database.dsn)
    monkeypatch.setenv("BINROUND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BINROUND_REGION", "example")
    return makers


def test_a_device_behind_a_source_is_added_calibrated_and_shown(commands: Makers) -> None:
    """No credentials of ours; alias, model and numbers stand in the list; it is audited."""
    place = commands.containers[0]
    name = place.sensor or ""
    where = ("--kind", "sensor", "--container", place.id)
    added = run("add", name, *where, "--source", "lora", "--alias", "24E124713C141234", "--model",
                "milesight-em400-mud", "--empty-mm", "1800", "--full-mm", "300", "--shape",
                "bell")  # fmt: skip
    assert added.splitlines() == [
        f"{name} is known; lora speaks for it",
        "but sources.toml of this region declares no source lora: nothing is heard of it",
    ]
    (line,) = (line for line in run("list").splitlines() if line.startswith(name))
    assert "lora: 24e124713c141234" in line
    assert "milesight-em400-mud  1800 to 300 mm, bell" in line
    with commands.database.connect() as connection:
        assets.load_region(connection, commands.region, at=NOON)
        device = assets.devices(connection)[name]
    assert (device.source, device.gateway, device.client_id) == ("lora", None, None)
    shown = run("calibrate", name, "--empty-mm", "1700", "--shape", "0:0,0.5:0.7,1:1")
    assert "1700 to 0 mm, 0:0,0.5:0.7,1:1" in shown.splitlines()[0]
    assert run("calibrate", name) == shown
    with commands.database.connect() as connection:
        actions = [entry.action for entry in audit.entries(connection)]
    assert actions == ["calibrate-device", "add-device"]
    with pytest.raises(BinroundError, match="lora speaks for it"):
        run("rotate", name)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--source lora", "alias: a device behind a source needs a source and an alias"),
        ("--alias x", "source: a device behind a source needs a source and an alias"),
        ("--model elsys-elt", "only a device behind a source has one"),
        ("--source lora --alias x --model elsys", "model 'elsys': no decoder; known are"),
        ("--source lora --alias bin-0", "that is lvl-s001-1 already; revoke that first"),
        ("--source lora --alias x --gateway example-gateway", "it has a gateway or is one"),
        ("--full-mm 3", "--empty-mm is missing"),
        ("--empty-mm 3 --full-mm 3", "full_mm must be less than empty_mm"),
        ("--empty-mm 3 --shape egg", "'egg' is none of straight, bell, bin, underground"),
        ("--empty-mm 3 --shape 0:0,1:2", "shape must rise from"),
    ],
)
def test_mistakes_are_told(commands: Makers, words: str, problem: str) -> None:
    """Each says what to do instead, and nothing is added."""
    commands.attach(LORA, "bin-0", place=0)
    other = commands.containers[1]
    with pytest.raises(BinroundError, match=problem):
        run("add", other.sensor or "", "--kind", "sensor", "--container", other.id, *words.split())
    assert commands.row("SELECT count(*) FROM device WHERE source <> ''") == (1,)
    with pytest.raises(BinroundError, match="there is no sensor 'truck-1' in use"):
        run("calibrate", "truck-1", "--empty-mm", "2000")


def test_a_revoked_device_gives_up_its_name_at_the_source(commands: Makers) -> None:
    """Its successor on the same radio takes over; a truck's unit moves in the same way."""
    first, second = (one.sensor or "" for one in commands.containers[:2])
    commands.attach(LORA, "bin-0", place=0)
    run("revoke", first)
    commands.attach(LORA, "bin-0", place=1)
    commands.attach(PHONES, "fleet/t1")
    with commands.database.connect() as connection:
        assets.load_region(connection, commands.region, at=NOON)
        known = assets.by_source(assets.devices(connection).values())
    assert known["lora"]["bin-0"].name == second
    assert known["phones"]["fleet/t1"].name == "truck-1"
    assert first not in known[""]
