import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config.earth import RADIUS_M
from config.region import Retention
from storage import audit, privacy, retention
from storage.database import Database
from storage.privacy import Kilometres
from storage.telemetry import Batch, PositionRow, store

pytestmark = pytest.mark.db
BERLIN = ZoneInfo("Europe/Berlin")
RULES = Retention(purpose="dispatch", positions_days=14)
DAY = date(2026, 11, 23)
START = datetime(2026, 11, 23, 6, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
EAST = 1 / 68_000  # degrees of longitude in a metre, about
Place = tuple[float, float]


def drive(metres_a_second: float = 8, fixes: int = 200, seed: int = 1) -> list[PositionRow]:
    """Return a drive with a fix every five seconds, that turns at random."""
    turns = np.random.default_rng(seed).normal(0, 0.3, fixes).cumsum()
    step = 5 * metres_a_second
    lon = 8.5 + (np.cos(turns) * step * EAST).cumsum()
    lat = 52 + (np.sin(turns) * step / 111_000).cumsum()
    return [
        PositionRow(START + timedelta(seconds=5 * n), 7, n, "truck-1", x, y, metres_a_second, None,
                    4, 0, START, clock_suspect=False)
        for n, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))
    ]  # fmt: skip


def length_km(rows: Sequence[PositionRow]) -> float:
    """Return the way along fixes, by the haversine formula."""
    return sum(_distance_m((a.lon, a.lat), (b.lon, b.lat)) for a, b in pairwise(rows)) / 1000


def _distance_m(a: Place, b: Place) -> float:
    (x1, y1), (x2, y2) = (tuple(map(math.radians, place)) for place in (a, b))
    h = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * RADIUS_M * math.asin(math.sqrt(h))


def kilometres(
    database: Database, rows: Sequence[PositionRow], now: datetime = NOW
) -> list[Kilometres]:
    """Store fixes, roll up, and return all days of the truck."""
    with database.connect(autocommit=True) as connection:
        store(connection, Batch(positions=rows))
        retention.upkeep(connection, RULES, BERLIN, now)
        return privacy.kilometres(
            connection, "truck-1", date(2026, 1, 1), date(2026, 12, 31), who="test", at=now
        )


def test_kilometres_are_the_way_along_the_fixes(each_database: Database) -> None:
    """The sum of the ways from fix to fix, whatever order they came in; a look is audited."""
    rows = drive()
    (day,) = kilometres(each_database, rows[::-1])
    assert tuple(day) == ("truck-1", DAY, pytest.approx(length_km(rows), rel=1e-9), 200, 0, 0)
    with each_database.connect() as connection:
        assert "look-at-kilometres" in {entry.action for entry in audit.entries(connection)}


def test_a_fix_far_away_counts_nothing(database: Database) -> None:
    """Where a satellite's echo puts the truck for a moment, it has not been."""
    rows = drive()
    wild = [
        *rows[:50],
        rows[50]._replace(lon=9.5),
        *rows[51:100],
        rows[100]._replace(lat=51.0),
        rows[101]._replace(lat=51.0),
        *rows[102:],
        rows[-1]._replace(time=rows[-1].time + timedelta(seconds=5), seq=999, lon=0.0, lat=0.0),
    ]
    (day,) = kilometres(database, wild)
    assert day.km == pytest.approx(length_km(rows), abs=0.15)  # three ways of 40 m are missing
    assert day.km <= length_km(rows)
    assert day.jumps == 4


def test_a_standing_truck_drives_nothing(database: Database) -> None:
    """Hours of trembling by some metres add up to no kilometre, with and without a speed."""
    noise = np.random.default_rng(4).normal(0, 2, (1000, 2))
    rows = [
        PositionRow(START + timedelta(seconds=10 * n), device, n, "truck-1", 8.5 + x * EAST,
                    52 + y / 111_000, speed, None, 4, 0, START, clock_suspect=False)
        for device, speed in ((7, 0.0), (8, None))
        for n, (x, y) in enumerate(noise.tolist())
    ]  # fmt: skip
    (day,) = kilometres(database, rows)
    assert day.km < 0.05


def test_a_silence_is_bridged_by_a_straight_line(database: Database) -> None:
    """After twenty minutes without a word the straight line counts; after a night nothing does."""
    rows = drive()
    evening = rows[-1]._replace(time=START + timedelta(hours=8), seq=999, lon=8.9)
    silent = [*rows[:60], *rows[180:], evening]
    late = [
        row._replace(time=row.time + timedelta(minutes=20)) if n >= 60 else row
        for n, row in enumerate(silent[:-1])
    ]
    (day,) = kilometres(database, [*late, evening])
    assert day.km == pytest.approx(length_km(silent[:-1]), rel=1e-9)
    assert day.gaps == 1


def test_two_units_on_a_truck_drive_once(database: Database) -> None:
    """Each unit's fixes make a way of their own, and the longer one counts."""
    rows = drive()
    other = [row._replace(device_id=8, lat=row.lat + 0.00003) for row in rows[:150]]
    (day,) = kilometres(database, [*rows, *other])
    assert day.km == pytest.approx(length_km(rows), rel=1e-9)


def test_a_day_ends_at_the_regions_midnight(database: Database) -> None:
    """A night shift in summer belongs to two days of Berlin, not of Greenwich."""
    rows = drive()
    middle = datetime(2026, 7, 1, 0, tzinfo=BERLIN)
    begin = middle - timedelta(seconds=5 * 100)
    night = [row._replace(time=begin + timedelta(seconds=5 * n)) for n, row in enumerate(rows)]
    first, second = kilometres(database, night, now=middle + timedelta(hours=3))
    assert (first.day, second.day) == (date(2026, 6, 30), date(2026, 7, 1))
    assert first.km == pytest.approx(length_km(rows[:100]), rel=1e-9)
    assert first.km + second.km == pytest.approx(length_km(rows), rel=1e-9)


def test_what_comes_late_joins_its_day(each_database: Database) -> None:
    """A unit that says its morning two days later gets its kilometres; nothing counts twice."""
    rows = drive()
    kilometres(each_database, rows[:80] + rows[150:])
    late = [row._replace(received_at=NOW + timedelta(days=2)) for row in rows[80:150]]
    (day,) = kilometres(each_database, late, now=NOW + timedelta(days=2))
    assert tuple(day) == ("truck-1", DAY, pytest.approx(length_km(rows), rel=1e-9), 200, 0, 0)
