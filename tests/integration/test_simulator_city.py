"""The whole city against the real broker, ingester, database and planner."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from config.clock import SharedClock
from config.region import Region
from config.settings import Settings
from jobs.plan_day import PlanOrder, open_travel, run
from simulator.city import City, CityOptions
from simulator.link import Credentials
from simulator.sentlog import SentFile
from storage import plans
from storage.assets import gateway_name
from storage.database import Database
from tests.fixtures.roads import RoadNetwork
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.roads]

MONDAY = date(2026, 6, 1)
DAWN = datetime(2026, 6, 1, 3, 30, tzinfo=UTC)  # 05:30 in Berlin
SAID = "SELECT d.name, r.time, r.seq FROM {table} r JOIN device d ON d.id = r.device_id"


@pytest.fixture
def day(served: Served, tmp_path: Path) -> Iterator["Day"]:
    """The example region at 05:30 of a working day, its ingester running."""
    clock = SharedClock(tmp_path / "clock")
    clock.set(DAWN, 0.0)
    served.clock = clock
    with served.ingester():
        yield Day(served, clock, tmp_path)


class Day:
    """A simulated day that a test plays."""

    def __init__(self, served: Served, clock: SharedClock, folder: Path) -> None:
        self.served, self.clock, self.folder = served, clock, folder
        self.said: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}

    @property
    def database(self) -> Database:
        """Where the ingester stores."""
        return self.served.database

    def city(self, sent: SentFile | None = None) -> City:
        """Return the city, a fast one with a week of history."""
        served = self.served
        gateway = gateway_name(served.region.id)
        credentials = Credentials(
            url=served.town.url,
            devices={name: served.login(name) for name in served.credentials},
            gateway=gateway,
        )
        options = CityOptions(history_days=7, fast=True, poll_s=0.02)
        folder = self.folder / "city"
        return City(served.region, credentials, self.clock, folder, options, sent, self.said.append)

    @contextmanager
    def played(self) -> Iterator[None]:
        """Play the city beside the test, which plans; then wait until all is driven."""
        problems: list[BaseException] = []

        def play() -> None:
            try:
                with SentFile(self.folder / "sent.jsonl") as sent:
                    self.summary = self.city(sent).run()
            except BaseException as problem:  # handed to the test's own thread
                problems.append(problem)

        thread = threading.Thread(target=play)
        thread.start()
        try:
            self.wait_for("waiting-for-tours", thread)
            yield
        finally:
            thread.join(120)
        if problems:
            raise problems[0]
        assert not thread.is_alive()

    def wait_for(self, phase: str, thread: threading.Thread) -> None:
        """Wait until the city says that it has come to a phase."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and thread.is_alive():
            if any(said["phase"] == phase for said in self.said):
                return
            time.sleep(0.05)

    def plan(self, region: Region, settings: Settings) -> str:
        """Plan the day as the worker does and send it to the trucks."""
        with self.database.connect(autocommit=True) as connection:
            order = PlanOrder(MONDAY, publish=True)
            travel = open_travel(settings, region)
            plan, _ = run(connection, settings, region, travel, order, self.clock.now(), budget_s=2)
        return plan


def test_a_day_is_told_planned_driven_and_stored_without_loss(
    day: Day, road_town: RoadNetwork
) -> None:
    """What the city says it sent is what the database holds, record for record.

    Every published tour is driven and acknowledged; its lifts empty containers in the world.
    """
    settings = day.served.settings.model_copy(update={"data_dir": road_town.data_dir})
    with day.played():
        name = day.plan(day.served.region, settings)
    sent = {
        (said["kind"], said["device"], datetime.fromisoformat(said["time"]), said["seq"])
        for said in map(json.loads, (day.folder / "sent.jsonl").read_text().splitlines())
    }
    with day.database.connect() as connection:
        stored = {
            (kind, *row)
            for kind, table in (("level", "level"), ("position", "position"), ("event", "event"))
            for row in connection.execute(sql.SQL(SAID).format(table=sql.Identifier(table)))
        }
        plan = plans.get(connection, name)
    assert plan is not None
    assert {one for one in sent if one[0] != "tour-ack"} == stored
    assert day.summary["fixes"] > 1000
    assert all(tour.accepted for tour in plan.tours)
    assert {tour["vehicle"] for tour in day.summary["tours"]} == {t.vehicle for t in plan.tours}
    planned = sum(len(stop.containers) for tour in plan.tours for stop in tour.stops)
    assert 0 < day.summary["containers_emptied"] <= planned
