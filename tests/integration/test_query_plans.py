from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from config.region import Retention
from storage import assets, console, history, privacy, retention, telemetry, timeseries
from storage.database import Database
from storage.history import Every
from tests.integration.storage_region import small_region

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
TODAY = NOW.replace(hour=0)
LOOK = {"who": "test", "at": NOW}
# A row a device, a container or a vehicle: reading them all is how a map is drawn.
SMALL = {
    "device", "vehicle", "container", "site", "belief", "emptying", "rolled_up", "tour", "plan",
    "device_assignment", "last_level", "last_position", "last_event", "last_status", "km_day",
}  # fmt: skip


class Explaining(psycopg.Cursor[Any]):
    """A cursor that keeps the plan of every query it runs."""

    plans: list[dict[str, Any]]

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Explain a query, then run it."""
        text = query if isinstance(query, sql.Composable) else sql.SQL(query)
        if text.as_string(self).lstrip("- \n").split("SELECT")[0].count("INSERT") == 0:
            with psycopg.Cursor(self.connection) as cursor:
                cursor.execute(sql.SQL("EXPLAIN (FORMAT JSON) ") + text, params)
                self.plans.append((cursor.fetchone() or [[{}]])[0][0]["Plan"])
        return super().execute(query, params, **options)


def read_whole(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from read_whole(part)


def city(connection: psycopg.Connection) -> None:
    """Store two weeks of 60 sensors and two days of 40 trucks, rolled up and counted."""
    assets.load_region(connection, small_region(), at=NOW)
    devices = assets.devices(connection).values()
    sensor = next(device.id for device in devices if device.container == "bin-1")
    unit = next(device.id for device in devices if device.vehicle == "truck-1")
    timeseries.detect(connection).ensure_chunks(connection, NOW - timedelta(days=15), NOW)
    connection.execute(
        "INSERT INTO level SELECT t, %s + n, 0, 'bin-' || n + 1, 0.5, NULL, NULL, NULL, 0, t, false"
        " FROM generate_series(0, 59) n,"
        " generate_series(%s::timestamptz, %s::timestamptz, '1 hour') t",
        [sensor, NOW - timedelta(days=14), NOW],
    )
    connection.execute(
        "INSERT INTO position SELECT t, %s + n, 0, 'truck-' || n + 1, 8.5, 52, 5, NULL, NULL, 0, t,"
        " false FROM generate_series(0, 39) n,"
        " generate_series(%s::timestamptz, %s::timestamptz, '1 minute') t",
        [unit, NOW - timedelta(days=2), NOW],
    )
    rules = Retention(purpose="dispatch", positions_days=14)
    retention.roll_up(connection, rules, small_region().time_zone, NOW)
    connection.execute("ANALYZE")


def nodes(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the kinds of steps that a plan has."""
    yield plan["Node Type"]
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_a_trucks_day_is_read_from_an_index_alone(database: Database) -> None:
    """Its fixes lie on as many pages as there are fixes; the map does without those pages."""
    with database.connect(autocommit=True) as connection:
        city(connection)
        connection.execute("VACUUM position")
        connection.cursor_factory = Explaining
        Explaining.plans = []
        privacy.track(connection, "truck-1", TODAY, NOW, **LOOK)  # type: ignore[arg-type]
        (plan,) = Explaining.plans
    assert "Index Only Scan" in set(nodes(plan))
    assert "Bitmap Heap Scan" not in set(nodes(plan))


def test_no_query_that_people_wait_for_reads_a_series_whole(each_database: Database) -> None:
    """Each finds its rows by an index, whatever else there is; its plan says so."""
    year = NOW - timedelta(days=365), NOW
    queries: dict[str, Callable[[psycopg.Connection], Any]] = {
        "states": lambda it: history.device_states(it, "town"),
        "trucks": telemetry.latest_positions,
        "map": lambda it: console.containers(it, "town"),
        "day": lambda it: privacy.track(it, "truck-1", TODAY, NOW, **LOOK).lon,  # type: ignore[arg-type]
        "pages": lambda it: privacy.positions(it, "truck-1", TODAY, NOW, **LOOK),  # type: ignore[arg-type]
        "fleet": lambda it: privacy.fleet_at(it, NOW - timedelta(hours=9), **LOOK),  # type: ignore[arg-type]
        "hours": lambda it: history.levels(it, "bin-1", *year, Every.HOUR).start,
        "days": lambda it: history.levels(it, "bin-1", *year, Every.DAY).start,
    }
    found = {}
    with each_database.connect(autocommit=True) as connection:
        city(connection)
        connection.cursor_factory = Explaining
        for name, ask in queries.items():
            Explaining.plans = []
            found[name] = len(ask(connection))
            assert Explaining.plans, name
            whole = {table for plan in Explaining.plans for table in read_whole(plan)}
            assert {table for table in whole if not table.endswith("_default")} <= SMALL, name
    assert found["hours"] == 24 * 14
    assert found["days"] == 15
    assert found["day"] == 14 * 60
    assert found["fleet"] == 2  # of the trucks that the region knows
