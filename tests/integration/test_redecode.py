"""History is repaired after a decoder was mended: exactly, and again changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import build
from ingest import redecode as module
from ingest.codecs import frames as codecs
from ingest.codecs.calibration import Calibration
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Measurement, Said
from ingest.codecs.vendors.milesight import read_em400, read_em500
from ingest.redecode import Repaired, redecode
from storage import audit, calibrations
from storage.frames import Choice
from tests.fixtures.makers import LORA, PHONES, Makers, em400, uplink
from tests.fixtures.served import NOON

pytestmark = pytest.mark.db
DAY = timedelta(days=1)
EVERYTHING = Choice()
TABLES = ("level", "status", "position", "last_level", "last_status", "last_position", "level_day")


def em500_past(past: dict[datetime, int]) -> str:
    """Return a frame of an EM500 with history only."""
    items = [
        b"\x20\xce" + int(at.timestamp()).to_bytes(4, "little") + mm.to_bytes(2, "little")
        for at, mm in past.items()
    ]
    return b"".join(items).hex()


def replace(
    patch: pytest.MonkeyPatch, model: str, read: Callable[[bytes], tuple[Said, ...]]
) -> None:
    """Let a model's frames be read by another version of its decoder."""
    known = codecs.frame_codecs()
    patch.setitem(known, model, FrameCodec(model, known[model].ports, read))


def contents(makers: Makers) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that frames lead to."""
    return {table: makers.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}  # noqa: S608


def run(makers: Makers, choice: Choice = EVERYTHING, *, dry_run: bool = False) -> Repaired:
    """Read frames again."""
    with makers.database.connect(autocommit=True) as connection:
        return redecode(connection, makers.region.id, choice, dry_run=dry_run)


def say_all(makers: Makers) -> None:
    """Let two sensors speak for some days: one live, one with history that overlaps."""
    live, past = [], []
    for number in range(30):
        at = NOON - timedelta(hours=7 * number)
        live.append(uplink("bin-0", em400(1000 + 10 * number), 85, number, at))
    for day in range(5):
        at = NOON - day * DAY
        seen = {at - timedelta(hours=6 * back): 2000 + 100 * day + back for back in range(1, 6)}
        past.append(uplink("bin-1", em500_past(seen), 85, day, at + timedelta(seconds=1)))
    for sent in (live, past):
        assert makers.say(LORA, sent[0][0], *(payload for _, payload in sent)) == []


@pytest.fixture
def town(makers: Makers) -> Makers:
    """Two sensors behind a network server."""
    makers.attach(LORA, "bin-0", "milesight-em400-mud", place=0)
    makers.attach(LORA, "bin-1", "milesight-em500-udl", place=1)
    return makers


def wrong_em400(frame: bytes) -> tuple[Said, ...]:
    """Read a frame as a version with four mistakes did: centimetres, no battery, lost frames."""
    (said,) = read_em400(frame)
    assert isinstance(said, Measurement)
    if said.distance_mm is not None and said.distance_mm % 50 == 0:
        return (Measurement(battery_pct=1, battery_v=3.0),)
    return (said.model_copy(update={"distance_mm": (said.distance_mm or 0) // 10,
                                    "battery_pct": None, "tilt": True}),)  # fmt: skip


def wrong_em500(frame: bytes) -> tuple[Said, ...]:
    """Read history with every instant an hour late."""
    hour = timedelta(hours=1)
    return tuple(
        said.model_copy(update={"time": said.time and said.time + hour})
        for said in read_em500(frame)
    )


def test_a_mended_decoder_repairs_history_exactly(
    town: Makers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After redecoding, every table holds what the right decoder would have stored at once."""
    say_all(town)
    run(town)  # the days are rolled up
    right = contents(town)
    assert all(right[table] for table in ("level", "status", "last_level", "level_day"))
    with town.database.connect() as connection:
        connection.execute("TRUNCATE level, status, last_level, last_status, frame")
    with monkeypatch.context() as old:
        replace(old, "milesight-em400-mud", wrong_em400)
        replace(old, "milesight-em500-udl", wrong_em500)
        say_all(town)
        run(town)
    assert contents(town) != right
    would = run(town, dry_run=True)
    assert contents(town) != right
    done = run(town)
    assert contents(town) == right
    assert (done.changed, done.added) == (would.changed, would.added)
    assert done.changed > 0
    assert done.added > 0
    assert done.removed > 0
    again = run(town)
    assert (again.changed, again.added, again.removed) == (0, 0, 0)
    assert again.right == len(right["level"]) + len(right["status"])
    assert contents(town) == right


def test_it_may_be_broken_off_and_started_again(
    town: Makers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is done; the next run finishes the rest, the daily figures included."""
    monkeypatch.setattr(module, "PAGE", 7)
    say_all(town)
    run(town)
    right = contents(town)
    with monkeypatch.context() as old:
        replace(old, "milesight-em400-mud", wrong_em400)
        run(town)
    assert contents(town) != right

    def stop(_device: str, so_far: Repaired) -> None:
        if so_far.frames >= 14:
            raise KeyboardInterrupt

    with (
        town.database.connect(autocommit=True) as connection,
        pytest.raises(KeyboardInterrupt),
    ):
        redecode(connection, town.region.id, Choice(), on_page=stop)
    done = run(town)
    assert done.right > 0
    assert done.changed > 0
    assert contents(town) == right


def test_what_no_longer_decodes_is_named_and_stays(
    town: Makers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that became worse loses nothing: the rows stay and the reason is told."""
    say_all(town)
    run(town)
    before = contents(town)

    def worse(_frame: bytes) -> tuple[Said, ...]:
        return ()

    replace(monkeypatch, "milesight-em400-mud", worse)
    done = run(town)
    assert done.unreadable == {
        "measurement: none in this frame, it tells only about the device": 30
    }
    assert contents(town) == before


def test_the_calibration_of_each_instant_counts(town: Makers) -> None:
    """A correction from an instant on changes the readings from then on, and no others."""
    say_all(town)
    sensor, middle = town.containers[0].sensor or "", NOON - 4 * DAY
    old = town.rows("SELECT time, fill FROM level WHERE time < %s ORDER BY 1", middle)
    lower = Calibration(empty_mm=2500)
    with town.database.connect() as connection:
        calibrations.give(connection, town.region.id, sensor, Calibration(empty_mm=5000),
                          since=NOON - 20 * DAY)  # fmt: skip
        calibrations.give(connection, town.region.id, sensor, lower, since=middle)
    done = run(town, Choice(device=sensor))
    assert done.frames == 30
    assert done.added == done.removed == 0
    assert town.rows("SELECT time, fill FROM level WHERE time < %s ORDER BY 1", middle) == old
    newer = town.rows(
        "SELECT distance_mm, fill FROM level JOIN device ON device_id = device.id"
        " WHERE name = %s AND time >= %s AND time < %s", sensor, middle, NOON,
    )  # fmt: skip
    assert len(newer) == done.changed
    assert all(fill == pytest.approx(1 - mm / 2500, abs=1e-6) for mm, fill in newer)


def test_a_choice_leaves_the_others_alone(town: Makers, monkeypatch: pytest.MonkeyPatch) -> None:
    """By device, by model, by span of time."""
    say_all(town)
    with monkeypatch.context() as other:
        replace(other, "milesight-em400-mud", wrong_em400)
        assert run(town, Choice(model="milesight-em500-udl")).frames == 5
        span = Choice(model="milesight-em400-mud", since=NOON - DAY, until=NOON)
        assert run(town, span, dry_run=True).frames == 3
        assert run(town, Choice(device="nobody")) == Repaired()
        assert run(town, span).changed > 0
        assert run(town, Choice(model="milesight-em500-udl")).changed == 0


def test_history_stays_where_the_device_was(town: Makers) -> None:
    """A sensor that hangs elsewhere now does not take its past along."""
    say_all(town)
    before = town.rows("SELECT container, count(*) FROM level GROUP BY 1 ORDER BY 1")
    with town.database.connect() as connection:
        connection.execute(
            "UPDATE device SET container = %s WHERE name = %s",
            [town.containers[5].id, town.containers[0].sensor],
        )
        connection.execute("DELETE FROM level WHERE fill > 0.7")
    assert run(town).added > 0
    assert town.rows("SELECT container, count(*) FROM level GROUP BY 1 ORDER BY 1") == before


def test_positions_are_repaired_too(makers: Makers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a phone's message says is read again from its JSON."""
    makers.attach(PHONES, "a/b")
    here = b'{"_type": "location", "tst": %d, "lat": 52, "lon": 8.5, "vel": 36}'
    tst = int(NOON.timestamp())
    sent = [here % (tst - number) for number in range(3)]
    assert makers.say(PHONES, "owntracks/a/b", *sent) == []
    right = contents(makers)
    with makers.database.connect() as connection:
        connection.execute("UPDATE position SET speed_mps = 36")
        connection.execute("UPDATE last_position SET speed_mps = 36")
    assert run(makers, Choice(model="owntracks")).changed == 3
    assert contents(makers) == right


def test_the_command_prints_counts_and_is_audited(
    town: Makers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator sees what would change, what did, and mistakes in what was asked."""
    monkeypatch.setenv("BINROUND_DATABASE_URL", town.database.dsn)
    monkeypatch.setenv("BINROUND_REGION", "example")

    def command(*words: str) -> Result:
        return CliRunner().invoke(build("redecode"), ["redecode", *words])

    with monkeypatch.context() as old:
        replace(old, "milesight-em400-mud", wrong_em400)
        say_all(town)
    told = command("--dry-run", "--model", "milesight-em400-mud").stdout
    assert told.startswith("would be: frames 30, right ")
    with town.database.connect() as connection:
        assert audit.entries(connection) == []
    assert ", unreadable 0" in command("--since", "2026-05-01").stdout
    assert "changed 0, added 0, removed 0" in command().stdout
    with town.database.connect() as connection:
        actions = [(entry.action, entry.object) for entry in audit.entries(connection)]
    assert actions == [("redecoded", "frame"), ("redecode", "frame")] * 2
    assert "there is no device 'nobody'" in str(command("--device", "nobody").exception)
    assert "no frames are of model 'x'" in str(command("--model", "x").exception)
