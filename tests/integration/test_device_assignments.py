"""A device moves, and what it said before stays with what it was on then."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from config.region import Region
from ingest.rows import gather
from ingest.steps import Surroundings, walk
from storage import assets, devices, history, privacy, telemetry
from storage.database import Database
from storage.devices import Kind
from tests.integration.storage_region import small_region

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TODAY = NOW.replace(hour=0), NOW.replace(hour=23)
LOOK = {"who": "test", "at": NOW}


def moved() -> Region:
    """Return the region with the sensor of bin-1 at bin-3, and bin-1 without one."""
    region = small_region()
    places = {"eye-1": "bin-3", "eye-2": "bin-2"}
    sensors = {place: sensor for sensor, place in places.items()}
    containers = (c.model_copy(update={"sensor": sensors.get(c.id)}) for c in region.containers)
    return region.model_copy(update={"containers": tuple(containers)})


def say(connection: psycopg.Connection, name: str, kind: str, at: datetime, *, came: datetime,
        seq: int, said: str) -> None:  # fmt: skip
    """Store a message of a device, along the path that it takes in the ingester."""
    topic = f"binround/v1/town/devices/{name}/up/{kind}"
    payload = f'{{"time": "{at.isoformat()}", "seq": {seq}, {said}}}'.encode()
    around = Surroundings("town", assets.devices(connection))
    haul = gather([walk(topic, payload, came, around)])
    assert haul.dead_letters == []
    telemetry.store(connection, haul.batch())


def readings(connection: psycopg.Connection, container: str) -> int:
    """Return how many readings a container's history of today has."""
    return int(history.levels(connection, container, *TODAY).readings.sum())


def test_a_sensors_readings_stay_with_the_container_of_their_time(each_database: Database) -> None:
    """Neither the newest nor those that come late go along to the container it moves to."""
    with each_database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW - 9 * HOUR)
        fill = '"fill": 0.5'
        say(connection, "eye-1", "level", NOW - 2 * HOUR, came=NOW - 2 * HOUR, seq=1, said=fill)
        assets.load_region(connection, moved(), at=NOW)
        assert (readings(connection, "bin-1"), readings(connection, "bin-3")) == (1, 0)
        say(connection, "eye-1", "level", NOW - HOUR, came=NOW + HOUR, seq=2, said=fill)
        assert (readings(connection, "bin-1"), readings(connection, "bin-3")) == (2, 0)
        say(connection, "eye-1", "level", NOW + HOUR, came=NOW + HOUR, seq=3, said=fill)
        assert (readings(connection, "bin-1"), readings(connection, "bin-3")) == (2, 1)


def test_an_impossible_clock_does_not_name_an_earlier_container(database: Database) -> None:
    """A sensor that believes in 1970 is on what it is on now."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW - HOUR)
        assets.load_region(connection, moved(), at=NOW)
        past = datetime(1970, 1, 1, tzinfo=UTC)
        say(connection, "eye-1", "level", past, came=NOW + HOUR, seq=1, said='"fill": 0.5')
        assert connection.execute("SELECT container FROM level").fetchall() == [("bin-3",)]


def test_a_trucks_way_outlives_its_unit(database: Database) -> None:
    """A name that becomes a sensor's takes nothing from the truck that it was the unit of."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW - 9 * HOUR)
        place = '"lon": 8.5, "lat": 52.0'
        say(connection, "truck-1", "position", NOW - HOUR, came=NOW - HOUR, seq=1, said=place)
        devices.revoke(connection, "town", "truck-1", at=NOW)
        devices.add(
            connection, "town", "truck-1", Kind.SENSOR, at=NOW, server_user="ours",
            container="bin-3", gateway="town-gateway",
        )  # fmt: skip
        way = privacy.track(connection, "truck-1", *TODAY, **LOOK)  # type: ignore[arg-type]
        page = privacy.positions(connection, "truck-1", *TODAY, **LOOK)  # type: ignore[arg-type]
        fleet = privacy.fleet_at(connection, NOW - HOUR, **LOOK)  # type: ignore[arg-type]
    assert (len(way.lon), len(page), list(fleet)) == (1, 1, ["truck-1"])


def test_loading_a_region_again_moves_nothing(database: Database) -> None:
    """A device that stays where it is has no earlier places, however often it is declared."""
    with database.connect() as connection:
        for hours in range(3):
            assets.load_region(connection, small_region(), at=NOW + hours * HOUR)
        assert all(device.earlier == () for device in assets.devices(connection).values())


def test_a_clock_that_went_back_keeps_the_order_of_moves(database: Database) -> None:
    """The last move counts, even if it was made with a clock that is behind the one before."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)
        assets.load_region(connection, moved(), at=NOW - HOUR)
        assets.load_region(connection, small_region(), at=NOW + HOUR)
        (held,) = assets.devices(connection)["eye-1"].earlier
    assert held == ("bin-3", NOW + HOUR)
