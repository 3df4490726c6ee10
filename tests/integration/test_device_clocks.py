"""How far a device's clock is from ours is estimated, beside the records, which stay as told."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest.clocks import Clocks
from ingest.messages import Kind, up_topic
from ingest.steps import Surroundings, walk
from storage import assets, clocks
from storage.database import Database
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.db
HOUR_S = 3600.0


def _ahead(database: Database) -> dict[str, float]:
    with database.connect() as connection:
        return clocks.ahead(connection)


def _publish(served: Served, device: str, times: list[datetime]) -> None:
    client = served.town.client(device)
    for seq, time in enumerate(times):
        message = {"time": time.isoformat(), "seq": seq, "lon": 8.5, "lat": 52.0}
        client.publish(up_topic(served.region.id, device, Kind.POSITION), json.dumps(message))


def test_a_wrong_clock_is_found_and_a_late_record_is_none(served: Served) -> None:
    """The quickest message counts: hours of stored records do not make a clock slow.

    A clock that runs an hour behind, as one set to the wrong zone does, is seen as such; its
    records are kept with the time that they were told.
    """
    late = [NOON - timedelta(hours=hours) for hours in (9, 5, 1)]
    with served.ingester() as counters:
        _publish(served, "truck-1", [*late, NOON - timedelta(seconds=2)])
        _publish(served, "truck-2", [NOON - timedelta(seconds=HOUR_S)])
        eventually(lambda: counters.stored == 5)
    assert _ahead(served.database) == pytest.approx({"truck-1": -2, "truck-2": -HOUR_S})
    with served.database.connect() as connection:
        assert clocks.wrong(connection, 60) == 1
        found = connection.execute("SELECT min(time), bool_or(clock_suspect) FROM position")
        assert found.fetchone() == (late[0], False)


def test_a_clock_that_was_put_right_is_believed_two_days_later(served: Served) -> None:
    """The largest lead of two days with messages counts; older ones are forgotten."""
    with served.database.connect(autocommit=True) as connection:
        device = assets.devices(connection)["truck-1"].id
        for day, lead_s in ((0, HOUR_S), (0, 1.0), (1, -0.5), (1, -40.0)):
            clocks.keep(connection, {device: lead_s}, NOON + timedelta(days=day))
            assert clocks.ahead(connection) == {"truck-1": HOUR_S}
        clocks.keep(connection, {device: -0.2}, NOON + timedelta(days=2))
        assert clocks.ahead(connection) == {"truck-1": -0.2}


def test_what_was_collected_stays_until_it_is_kept() -> None:
    """A database that is away loses no estimate; after keeping, half a minute passes."""
    now_s = 0.0
    collected = Clocks(every_s=30, monotonic=lambda: now_s)
    device = assets.Device(7, "truck-1", "unit", None, "truck-1", None, None, None)
    around = Surroundings("town", {"truck-1": device})
    message = json.dumps({"time": "2026-06-01T12:00:03Z", "seq": 1, "lon": 8.5, "lat": 52})
    topic = up_topic("town", "truck-1", Kind.POSITION)
    collected.note([walk(topic, message.encode(), NOON, around), walk(topic, b"", NOON, around)])
    assert collected.due() == collected.due() == {7: 3.0}
    collected.kept()
    collected.note([walk(topic, message.encode(), NOON, around)])
    assert collected.due() == {}
    now_s = 30.0
    assert collected.due() == {7: 3.0}


@pytest.mark.parametrize(
    "spelled",
    [
        "2026-10-25T02:30:00+02:00",  # the hour that comes twice, the first time
        "2026-10-25T02:30:00+01:00",  # and the second
        "2026-03-29T02:30:00+01:00",  # an hour that no wall clock shows
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
    ],
)
def test_any_instant_is_stored_as_it_was_told(served: Served, spelled: str) -> None:
    """Changes of summer time are no instants; years that cannot be are kept, and never newest."""
    told = datetime.fromisoformat(spelled).astimezone(UTC)
    with served.ingester() as counters:
        _publish(served, "truck-1", [told])
        eventually(lambda: counters.stored == 1)
    assert set(_ahead(served.database)) == {"truck-1"}
    with served.database.connect() as connection:
        time, suspect = connection.execute("SELECT time, clock_suspect FROM position").fetchone()  # type: ignore[misc]
        newest = connection.execute("SELECT count(*) FROM last_position").fetchone()
    assert time == told
    assert suspect == (told.date() < date(2020, 1, 1) or told > NOON + timedelta(minutes=10))
    assert newest == (0 if suspect else 1,)
