"""Data a day late, three times over, or in no order at all: the database ends the same."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fixtures.day import Said, a_day, forget, state, tell
from tests.fixtures.history import compare, stored
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Name
from tests.fixtures.served import Served
from tests.fixtures.waiting import eventually

pytestmark = [pytest.mark.db, pytest.mark.slow]

DAY = timedelta(days=1)


def midnight() -> datetime:
    """Return the beginning of the last whole day."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - DAY


def names(said: list[Said]) -> set[Name]:
    """Return what names the records."""
    return {each.name for each in said}


def test_data_a_day_late_lands_and_is_never_the_newest(served: Served, tmp_path: Path) -> None:
    """Yesterday's records come after today's: they are stored, and the newest stay the newest."""
    began = midnight()
    yesterday = a_day(served, began)
    now = datetime.now(UTC).replace(microsecond=0)
    fresh = {
        each.topic: each._replace(
            name=each.name._replace(seq=1_000_000),
            payload=each.payload.replace('"seq": 0', '"seq": 1000000'),
        )
        for each in a_day(served, now - timedelta(hours=5, minutes=2))
        if each.name.seq == 0 and "position" in each.topic
    }
    today = list(fresh.values())
    with IngestProcess(served, tmp_path) as ingest:
        tell(served, today)
        eventually(lambda: stored(served.database).keys() >= names(today))
        with served.database.connect(autocommit=True) as connection:
            newest = state(connection, began, began + DAY)["last_position"]
        acknowledged = tell(served, yesterday) + len(today)
        published = names(yesterday) | names(today)
        compare("a day late", published, acknowledged, served.database, ingest)
        with served.database.connect(autocommit=True) as connection:
            known = state(connection, began, began + DAY)
    assert len(newest) == len(served.region.vehicles) == len(today)
    assert known["last_position"] == newest
    assert not any(row["clock_suspect"] for row in known["position"])
    readings = [each for each in yesterday if "level" in each.topic]
    assert sum(row["readings"] for row in known["level_day"]) == len(readings)


def test_every_message_three_times_is_stored_once(served: Served, tmp_path: Path) -> None:
    """Twice at once, and again when all is said."""
    day = a_day(served, midnight())
    with IngestProcess(served, tmp_path) as ingest:
        acknowledged = tell(served, [each for each in day for _ in range(2)])
        acknowledged += tell(served, day)
        assert acknowledged == 3 * len(day)
        eventually(lambda: ingest.metric("received_total") >= 3 * len(day), 60)
        eventually(lambda: ingest.repeats[0] >= 2 * len(day), 60, "a count of all repeats")
        compare("three times each", names(day), len(day), served.database, ingest)
        assert ingest.metric("stored_total") == len(day)


def test_a_day_in_random_order_ends_like_the_day_in_order(served: Served, tmp_path: Path) -> None:
    """Every series, every newest state, every emptying and every day's roll-up is the same."""
    began = midnight()
    day = a_day(served, began)
    with (
        IngestProcess(served, tmp_path) as ingest,
        served.database.connect(autocommit=True) as connection,
    ):
        acknowledged = tell(served, day)
        compare("a day in order", names(day), acknowledged, served.database, ingest)
        in_order = state(connection, began, began + DAY)
        forget(connection)
        random.Random(7).shuffle(day)
        acknowledged = tell(served, day)
        compare("a day in random order", names(day), acknowledged, served.database, ingest)
        assert state(connection, began, began + DAY) == in_order
    assert len(in_order["emptying"]) > 0
