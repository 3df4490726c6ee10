"""The whole city against the real broker, ingester, database and planner."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from config.clock import SharedClock
from jobs.plan_day import PlanOrder, open_travel, run
from simulator.city import City, CityOptions
from simulator.link import Credentials
from simulator.sentlog import SentFile
from simulator.state import CityState
from storage import plans
from storage.assets import gateway_name
from tests.fixtures.roads import RoadNetwork
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.roads]

MONDAY = date(2026, 6, 1)
DAWN = datetime(2026, 6, 1, 3, 30, tzinfo=UTC)  # 05:30 in Berlin
Record = tuple[str, str, datetime, int]  # kind, device, time, seq
SAID = "SELECT d.name, r.time, r.seq FROM {table} r JOIN device d ON d.id = r.device_id"


@pytest.fixture
def day(served: Served, tmp_path: Path) -> Iterator["Day"]:
    """The example region at 05:30 of a working day, its ingester running."""
    clock = SharedClock(tmp_path / "clock")
    clock.set(DAWN, 0.0)
    served.clock = clock
    with served.ingester():
        yield Day(served, clock, tmp_path)


class Stopping(SharedClock):
    """A clock at which the city is broken off, as by Ctrl-C."""

    def __init__(self, path: Path, until: datetime) -> None:
        super().__init__(path)
        self._until = until

    def set(self, instant: datetime, speed: float) -> None:
        """Let the time be an instant, but none after the end."""
        if instant > self._until:
            raise KeyboardInterrupt
        super().set(instant, speed)


class Day:
    """A simulated day that a test plays."""

    def __init__(self, served: Served, clock: SharedClock, folder: Path) -> None:
        self.served, self.clock, self.folder = served, clock, folder
        self.said: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}

    def play(self, clock: SharedClock, *, fast: bool = True) -> None:
        """Play the city with a week of history until all is driven."""
        served = self.served
        credentials = Credentials(
            url=served.town.url,
            devices={name: served.login(name) for name in served.credentials},
            gateway=gateway_name(served.region.id),
        )
        options = CityOptions(history_days=7, fast=fast, until_executed=True, poll_s=0.02)
        folder = self.folder / "city"
        with SentFile(self.folder / "sent.jsonl") as sent:
            city = City(served.region, credentials, clock, folder, options, sent, self.said.append)
            self.summary = city.run()

    @contextmanager
    def played(self, clock: SharedClock, *, fast: bool = True) -> Iterator[None]:
        """Play the city beside the test, which plans."""
        problems: list[BaseException] = []

        def play() -> None:
            try:
                self.play(clock, fast=fast)
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

    def plan(self, data_dir: Path) -> str:
        """Plan the day as the worker does and send it to the trucks."""
        region = self.served.region
        settings = self.served.settings.model_copy(update={"data_dir": data_dir})
        with self.served.database.connect(autocommit=True) as connection:
            order, now = PlanOrder(MONDAY, publish=True), self.clock.now()
            travel = open_travel(settings, region)
            plan, _ = run(connection, settings, region, travel, order, now, budget_s=2)
        return plan

    def forget(self, span: timedelta) -> None:
        """Leave the city's state as it was some time ago, as after a sudden end."""
        file = self.folder / "city" / "city.json"
        state = CityState.read(file, self.served.region.id, 1)
        assert state is not None
        state.told_until -= span.total_seconds()
        state.emptied = [(name, at) for name, at in state.emptied if at < state.told_until]
        state.save(file)

    def sent(self) -> list[Record]:
        """Return what the city says it sent."""
        lines = (self.folder / "sent.jsonl").read_text().splitlines()
        return [
            (said["kind"], said["device"], datetime.fromisoformat(said["time"]), said["seq"])
            for said in map(json.loads, lines)
        ]

    def stored(self) -> set[Record]:
        """Return what the database holds of it."""
        with self.served.database.connect() as connection:
            return {
                (table, *row)
                for table in ("level", "position", "event")
                for row in connection.execute(sql.SQL(SAID).format(table=sql.Identifier(table)))
            }


def test_a_day_is_told_planned_driven_and_stored_without_loss(
    day: Day, road_town: RoadNetwork
) -> None:
    """What the city says it sent is what the database holds, record for record.

    Every published tour is driven and acknowledged, even when the city is stopped half-way and
    started again, and even when its last half hour was not saved: it goes on where it was, and
    no second of a tour is missing or told twice.
    """
    noon = DAWN.replace(hour=5)  # in the middle of the tours
    with pytest.raises(KeyboardInterrupt), day.played(Stopping(day.folder / "clock", noon)):
        name = day.plan(road_town.data_dir)
    day.forget(timedelta(minutes=30))
    day.play(day.clock)

    sent = day.sent()
    units = [one for one in sent if one[0] != "level"]
    assert len(units) == len(set(units))
    assert {one for one in sent if one[0] != "tour-ack"} == day.stored()
    with day.served.database.connect() as connection:
        plan = plans.get(connection, name)
    assert plan is not None
    assert plan.tours
    assert all(tour.accepted for tour in plan.tours)
    for tour in plan.tours:
        times = [
            when for kind, device, when, _ in sent if (kind, device) == ("position", tour.vehicle)
        ]
        assert times[0] < noon < times[-1]
        steps = {(later - earlier).total_seconds() for earlier, later in pairwise(times)}
        assert steps == {1.0}
    lifts = sum(len(stop.containers) for tour in plan.tours for stop in tour.stops)
    assert 0 < day.summary["containers_emptied"] <= lifts


def test_a_live_city_follows_the_clock_that_others_run(day: Day, road_town: RoadNetwork) -> None:
    """Nothing is told before its time, and the day ends when the last truck is back."""
    with day.played(day.clock, fast=False):
        day.plan(road_town.data_dir)
        day.clock.set(DAWN, 3600.0)
    assert {one for one in day.sent() if one[0] != "tour-ack"} == day.stored()
    assert day.summary["stops_done"] > 0
    with day.served.database.connect() as connection:
        ahead = connection.execute("SELECT count(*) FROM position WHERE received_at < time")
        assert ahead.fetchone() == (0,)
