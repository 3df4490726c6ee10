import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.clock import RealClock, SharedClock, open_clock
from config.errors import SettingsError

START = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def test_a_standing_clock_tells_the_same_instant_to_every_reader(tmp_path: Path) -> None:
    """Two processes that open the same clock file see the same simulated time."""
    player, reader = SharedClock(tmp_path / "clock"), SharedClock(tmp_path / "clock")
    player.set(START, speed=0)
    assert reader.now() == player.now() == START
    assert reader.speed == 0


def test_a_running_clock_runs_at_its_speed(tmp_path: Path) -> None:
    """At x3600 a simulated second passes in 0.28 ms, so the clock must have moved by now."""
    clock = SharedClock(tmp_path / "clock")
    began = time.monotonic()
    clock.set(START, speed=3600)
    time.sleep(0.02)
    moved = clock.now() - START
    assert timedelta(seconds=0.02 * 3600) <= moved
    assert moved <= timedelta(seconds=(time.monotonic() - began) * 3600)


@given(st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), min_size=1))  # noqa: DTZ001
def test_the_last_anchor_wins(instants: list[datetime]) -> None:
    """Whatever was set before, the clock tells what was set last."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        clock = SharedClock(Path(folder) / "clock")
        for instant in instants:
            clock.set(instant.replace(tzinfo=UTC), speed=0)
        assert abs(clock.now() - instants[-1].replace(tzinfo=UTC)) < timedelta(milliseconds=1)


def test_the_setting_names_the_clock(tmp_path: Path) -> None:
    """`real` is the machine's clock, anything else the file of a simulated day."""
    SharedClock(tmp_path / "clock").set(START, speed=0)
    assert isinstance(open_clock("real"), RealClock)
    assert open_clock(str(tmp_path / "clock")).now() == START


@pytest.mark.parametrize("name", ["reel", "notes.txt"])
def test_a_name_that_is_no_clock_makes_none(tmp_path: Path, name: str) -> None:
    """A slip of the pen must not let all services work at an instant that stands still."""
    (tmp_path / "notes.txt").write_text("no clock")
    with pytest.raises(SettingsError, match="BINROUND_CLOCK"):
        open_clock(str(tmp_path / name))
    assert not (tmp_path / "reel").exists()
