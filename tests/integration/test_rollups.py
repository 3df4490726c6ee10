from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from config.region import Retention
from storage import assets, retention, rollups, timeseries
from storage.database import Database
from storage.history import Every, LevelHistory, levels
from storage.telemetry import Batch, LevelRow, PositionRow, store
from tests.integration.storage_region import small_region

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, 2, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RULES = Retention(purpose="dispatch", positions_days=14)
LONGER = Retention(purpose="x", positions_days=21, longer_because="a test")
ZONE = ZoneInfo("Europe/Berlin")
STEPS = {"level_hour": HOUR, "level_day": DAY, "fleet_5min": timedelta(minutes=5)}


def readings(seed: int, count: int, come_at: datetime, oldest: timedelta = 12 * DAY) -> Batch:
    """Return levels and fixes of three devices each at random instants, some with wrong clocks."""
    chance = np.random.default_rng(seed)
    ages = [timedelta(seconds=float(s)) for s in chance.uniform(0, oldest.total_seconds(), count)]
    value = iter(chance.uniform(0, 1, 5 * count).tolist())
    batch = Batch(levels=[], positions=[])
    for n, age in enumerate(ages):
        at, device, wrong = NOW - age, n % 3, next(value) < 0.05
        fill = np.float32(next(value)).item()
        level = LevelRow(at, device, n, f"bin-{device}", fill, None, None, None, 0, come_at, wrong)
        speed = None if n % 7 == 0 else np.float32(20 * next(value)).item()
        fix = PositionRow(at, 10 + device, n, f"truck-{device}", 8 + next(value), 52 + next(value),
                          speed, None, None, 0, come_at, wrong)  # fmt: skip
        batch = Batch(levels=[*batch.levels, level], positions=[*batch.positions, fix])
    return batch


def brute_force(rows: Iterable[Any], key: str, step: timedelta) -> dict[Any, list[Any]]:
    """Return the sound rows by key and begin of their step, in the order of time."""
    found = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.time, row.device_id, row.seq)):
        if not row.clock_suspect:
            found[getattr(row, key), rollups.floor(row.time, step)].append(row)
    return found


def _of_levels(rows: Sequence[LevelRow]) -> tuple[float, ...]:
    fills = [row.fill for row in rows]
    return len(fills), min(fills), fmean(fills), max(fills)


def _of_fleet(rows: Sequence[PositionRow]) -> tuple[float | None, ...]:
    speeds = [row.speed_mps for row in rows if row.speed_mps is not None]
    places = rows[0].lon, rows[0].lat, rows[-1].lon, rows[-1].lat
    return (len(rows), *places, *((fmean(speeds), max(speeds)) if speeds else (None, None)))


def kept(connection: psycopg.Connection, table: LiteralString) -> dict[Any, tuple[Any, ...]]:
    """Return a roll-up's rows by key and begin."""
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    return {row[:2]: row[2:] for row in rows}


def _known(row: Iterable[float | None]) -> list[float]:
    return [-1 if value is None else value for value in row]


def same(connection: psycopg.Connection, batch: Batch) -> None:
    """Assert that all roll-ups say what the rows themselves say."""
    by_brute_force: list[tuple[LiteralString, Sequence[Any], str, Callable[[Any], Any]]] = [
        ("level_hour", batch.levels, "container", _of_levels),
        ("level_day", batch.levels, "container", _of_levels),
        ("fleet_5min", batch.positions, "vehicle", _of_fleet),
    ]
    for table, rows, key, summed_up in by_brute_force:
        expected = brute_force(rows, key, STEPS[table])
        found = kept(connection, table)
        assert found.keys() == expected.keys(), table
        for place, group in expected.items():
            assert _known(found[place]) == pytest.approx(_known(summed_up(group)), rel=1e-6), place


def _both(one: Batch, other: Batch) -> Batch:
    return Batch(levels=[*one.levels, *other.levels], positions=[*one.positions, *other.positions])


def test_roll_ups_say_what_the_readings_say(each_database: Database) -> None:
    """Fill by hour and day and the fleet by five minutes, against sums by hand, on each server.

    What comes late changes its day when it has come; a wrong clock never counts.
    """
    early = readings(1, 400, NOW - DAY)
    late = readings(2, 60, NOW + 2 * HOUR, oldest=11 * DAY)
    late = Batch(
        levels=[row._replace(seq=row.seq + 1000) for row in late.levels],
        positions=[row._replace(seq=row.seq + 1000) for row in late.positions],
    )
    with each_database.connect(autocommit=True) as connection:
        store(connection, early)
        retention.upkeep(connection, RULES, ZONE, NOW)
        same(connection, early)
        store(connection, late)
        retention.upkeep(connection, RULES, ZONE, NOW + 3 * HOUR)
        same(connection, _both(early, late))


def test_weeks_without_upkeep_are_made_up_for(each_database: Database) -> None:
    """When the worker was away for five weeks, no day is missing from the roll-ups afterwards."""
    with each_database.connect(autocommit=True) as connection:
        retention.upkeep(connection, RULES, ZONE, NOW - 35 * DAY)
        rows = [
            LevelRow(at, 1, 0, "bin-1", 0.5, None, None, None, 0, at, False)
            for at in (NOW - n * 12 * HOUR for n in range(70))
        ]
        store(connection, Batch(levels=rows))
        retention.upkeep(connection, RULES, ZONE, NOW)
        found = kept(connection, "level_day")
        assert sum(row[0] for row in found.values()) == 70
        assert len(found) == 35 + 1


def test_what_nobody_made_a_part_for_does_not_pile_up(database: Database) -> None:
    """After upkeep the default partitions hold only what has an impossible clock."""
    with database.connect(autocommit=True) as connection:
        if not isinstance(timeseries.detect(connection), timeseries.Partitions):
            pytest.skip("TimescaleDB makes its chunks by itself")
        fixes = [
            PositionRow(at, 7, 0, "truck", 8, 52, None, None, None, 0, at, False)
            for at in (NOW - n * DAY for n in range(10))
        ]
        wrong = PositionRow(datetime(1970, 1, 1, tzinfo=UTC), 7, 1, "truck", 8, 52, None, None,
                            None, 0, NOW, clock_suspect=True)  # fmt: skip
        store(connection, Batch(positions=[*fixes, wrong]))
        retention.upkeep(connection, RULES, ZONE, NOW)
        left = connection.execute("SELECT time, seq FROM position_default").fetchall()
        assert left == [(wrong.time, 1)]
        assert connection.execute("SELECT count(*) FROM position").fetchone() == (11,)


def test_a_day_stays_when_its_readings_go(each_database: Database) -> None:
    """Readings go after their span; the sums of their days stay, and are not made of the rest."""
    old = NOW - 729 * DAY
    rows = [
        LevelRow(old + n * HOUR, 1, 0, "bin-1", n / 100, None, None, None, 0, old, False)
        for n in range(24)
    ]
    with each_database.connect(autocommit=True) as connection:
        store(connection, Batch(levels=rows))
        retention.upkeep(connection, RULES, ZONE, NOW)
        before = kept(connection, "level_day")
        late = rows[14]._replace(seq=1, received_at=NOW + DAY)  # of a day that has begun to go
        store(connection, Batch(levels=[late]))
        retention.upkeep(connection, RULES, ZONE, NOW + 36 * HOUR)
        left = connection.execute("SELECT count(*) FROM level").fetchone()
        assert left is not None
        assert 0 < left[0] < 24
        assert kept(connection, "level_day") == before
        hours = kept(connection, "level_hour")
        assert 0 < len(hours) < 24
        assert min(hour for _, hour in hours) >= NOW - 729 * DAY + 11 * HOUR


def test_the_fleet_in_short_goes_with_its_positions(each_database: Database) -> None:
    """After retention no five minutes older than the region declares are left."""
    fixes = [
        PositionRow(at, 7, 0, "truck", 8, 52, None, None, None, 0, at, False)
        for at in (NOW - n * HOUR for n in range(24 * 20))
    ]
    with each_database.connect(autocommit=True) as connection:
        store(connection, Batch(positions=fixes))
        removed = retention.upkeep(connection, LONGER, ZONE, NOW)
        assert removed["fleet_5min"] == 0
        assert len(kept(connection, "fleet_5min")) == len(fixes)
        removed = retention.enforce(connection, RULES, NOW)
        places = kept(connection, "fleet_5min")
        assert removed["fleet_5min"] == len(fixes) - len(places) == 24 * 6 - 1
        assert min(bucket for _, bucket in places) >= NOW - 14 * DAY - timedelta(minutes=5)
        assert retention.enforce(connection, RULES, NOW)["fleet_5min"] == 0


def test_a_containers_year_is_the_same_rolled_up_or_not(each_database: Database) -> None:
    """Its levels by hour and by day show what came last, too, before the next upkeep."""
    rows = [
        LevelRow(NOW - n * HOUR, 1, 0, "bin-1", 0.001 * n, None, None, None, 0, NOW, False)
        for n in range(300)
    ]
    with each_database.connect(autocommit=True) as connection:
        assets.load_region(connection, small_region(), at=NOW)
        sensor = next(d for d in assets.devices(connection).values() if d.container == "bin-1")
        rows = [row._replace(device_id=sensor.id) for row in rows]
        store(connection, Batch(levels=rows[20:]))
        spans = [(every, NOW - 250 * HOUR, NOW) for every in Every]
        retention.upkeep(connection, RULES, ZONE, NOW - 20 * HOUR)
        store(connection, Batch(levels=rows[:20]))
        before = [_told(levels(connection, "bin-1", *span[1:], span[0])) for span in spans]
        retention.upkeep(connection, RULES, ZONE, NOW + HOUR)
        after = [_told(levels(connection, "bin-1", *span[1:], span[0])) for span in spans]
        assert after == before
        hours, days = before
        assert (len(hours), len(days)) == (251, 12)
        assert hours[-1][:2] == (NOW.replace(minute=0, tzinfo=None), 1)
        assert _told(levels(connection, "bin-2", NOW - DAY, NOW)) == []


def _told(history: LevelHistory) -> list[tuple[Any, ...]]:
    """Return the rows of a history."""
    columns = [getattr(history, field.name).tolist() for field in fields(history)]
    return list(zip(*columns, strict=True))
