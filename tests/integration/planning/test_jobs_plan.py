"""Planning end to end: what devices told, through the solver, to stored and published plans."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli import explain as cli_explain
from cli.plan import command
from config.clock import FixedClock
from config.errors import PlanError, StaleResultError
from config.lifetime import die_with_parent
from config.region import Region
from config.settings import Settings
from ingest.messages import TourDown
from jobs.believe import believe
from jobs.plan_day import PlanOrder, run
from jobs.snapshot import coming_day, depot_of, service_of, take_snapshot
from jobs.worker import Desk
from optimizer.daily import explanation_document, instant
from optimizer.road_times import TravelTimes
from storage import assets, basis, beliefs, outbox, plans, queue, telemetry
from storage.database import Database
from storage.tasks import BELIEVE, PLAN_DAY, UPKEEP
from tests.fixtures.example_day import NOW, TUESDAY, ten_days

pytestmark = [pytest.mark.db, pytest.mark.roads]


@pytest.fixture
def connection(database: Database, region: Region) -> Iterator[psycopg.Connection]:
    """A database that knows the region and ten days of its containers."""
    with database.connect() as connection:
        assets.load_region(connection, region, at=NOW)
        devices = assets.devices(connection)
        telemetry.store(connection, ten_days(region, devices))
        connection.commit()
        yield connection


class TestSnapshot:
    def test_it_holds_what_devices_told(
        self, connection: psycopg.Connection, region: Region
    ) -> None:
        """Readings and lifts find their containers; a lift's weight tells the level found."""
        service = service_of(region, None)
        snapshot = take_snapshot(
            connection, region, service, depot_of(region, service, None), TUESDAY, NOW
        )
        history = telemetry.fill_history(connection, NOW - timedelta(days=90), NOW)
        assert len(snapshot.readings.fill) == len(history.fill) > 100
        assert len(snapshot.emptyings.fill) == len(region.containers)
        first = int(snapshot.emptyings.container[0])
        container = snapshot.containers[first]
        assert snapshot.emptyings.fill[0] == pytest.approx(300 / (container.volume_l * 0.3))
        assert snapshot.vehicles == region.vehicles

    def test_nothing_later_than_the_decision_is_known(
        self, connection: psycopg.Connection, region: Region
    ) -> None:
        """A day that is over is planned with what was known in its morning."""
        service = service_of(region, None)
        friday = TUESDAY - timedelta(days=4)
        snapshot = take_snapshot(
            connection, region, service, depot_of(region, service, None), friday, NOW
        )
        assert snapshot.decided_at == instant(region, friday, 7 * 3600)
        assert snapshot.readings.time_s.max() <= snapshot.decided_at.timestamp()

    def test_the_coming_day_skips_what_is_over(self, region: Region) -> None:
        """In the evening tomorrow is planned, on a Saturday Monday."""
        service = service_of(region, None)
        assert coming_day(region, service, NOW) == TUESDAY
        assert coming_day(region, service, NOW + timedelta(hours=14)) == date(2026, 11, 25)
        saturday = datetime(2026, 11, 28, 9, tzinfo=UTC)
        assert coming_day(region, service, saturday) == date(2026, 11, 30)


class TestPlan:
    def test_a_plan_is_stored_whole(
        self,
        connection: psycopg.Connection,
        settings: Settings,
        region: Region,
        travel: TravelTimes,
    ) -> None:
        """Tours, stops, geometry, the provider, what is left out, and all beliefs."""
        name, plan = run(connection, settings, region, travel, PlanOrder(TUESDAY), NOW)
        stored = plans.get(connection, name)
        assert stored is not None
        assert (stored.state, stored.day, stored.estimate) == ("draft", TUESDAY, False)
        assert stored.provider["name"] == "osrm"
        assert sum(stored.cost.values()) == pytest.approx(plan.cost.total_eur)
        emptied = [c for tour in stored.tours for stop in tour.stops for c in stop.containers]
        assert sorted(emptied) == sorted(plan.emptied)
        assert emptied
        for tour in stored.tours:
            assert tour.geometry
            assert tour.start.astimezone(region.time_zone).date() == TUESDAY
            assert all(stop.why for stop in tour.stops if stop.kind == "visit")
        assert {one.site for one in stored.unserved} == {one.site for one in plan.left_out}
        told = basis.explanation(connection, name)
        assert told is not None
        assert told == json.loads(json.dumps(explanation_document(plan)))
        stop = next(one for one in told["sites"] if one["state"] == "visited")
        only = cli_explain.only(told, stop["containers"][0])
        assert cli_explain.lines(only, "de") == [
            f"{stop['site']} ({' '.join(stop['containers'])}, {stop['vehicle']}): "
            f"{stop['text']['de']}"
        ]
        of_tour = cli_explain.lines(cli_explain.only(told, stop["vehicle"]), "en")
        assert any("shift: " in line for line in of_tour)
        known = beliefs.load(connection)
        assert set(known) == {container.id for container in region.containers}
        assert all(0 <= row.overflow_risk <= 1 and row.fill_sd > 0 for row in known.values())

    def test_publishing_sends_every_truck_a_tour(
        self,
        connection: psycopg.Connection,
        settings: Settings,
        region: Region,
        travel: TravelTimes,
    ) -> None:
        """Each vehicle gets its tour by the published contract, or an empty one."""
        order = PlanOrder(TUESDAY, publish=True)
        name, plan = run(connection, settings, region, travel, order, NOW)
        news = [n for n in outbox.after(connection, 0, 100) if n.kind == outbox.Kind.TOUR]
        tours = {one.key: TourDown.model_validate(dict(one.payload)) for one in news}
        assert set(tours) == {vehicle.id for vehicle in region.vehicles}
        for tour in plan.tours:
            assert [stop.id for stop in tours[tour.vehicle].stops] == [s.id for s in tour.stops]
            assert tours[tour.vehicle].plan == name

    def test_a_late_result_is_refused(
        self,
        connection: psycopg.Connection,
        settings: Settings,
        region: Region,
        travel: TravelTimes,
    ) -> None:
        """A worker that was thought dead leaves nothing behind when it comes back."""
        fence = queue.Fence(job_id=4711, attempt=0)
        with pytest.raises(StaleResultError):
            run(connection, settings, region, travel, PlanOrder(TUESDAY), NOW, fence=fence)
        assert plans.list_plans(connection) == []
        assert beliefs.load(connection) == {}

    def test_a_day_that_is_over_is_not_sent_to_trucks(
        self,
        connection: psycopg.Connection,
        settings: Settings,
        region: Region,
        travel: TravelTimes,
    ) -> None:
        """It can be planned for comparison, but nobody can drive it."""
        monday = TUESDAY - timedelta(days=1)
        with pytest.raises(PlanError, match="2026-11-23 is over"):
            run(connection, settings, region, travel, PlanOrder(monday, publish=True), NOW)
        run(connection, settings, region, travel, PlanOrder(monday), NOW)
        assert beliefs.load(connection) == {}  # yesterday's view does not replace today's


class TestBelieve:
    def test_beliefs_follow_the_trucks(
        self, connection: psycopg.Connection, region: Region
    ) -> None:
        """After a lift the map shows an empty container, without a new plan."""
        assert believe(connection, region, NOW) == len(region.containers)
        before = beliefs.load(connection)
        fullest = max(before.values(), key=lambda row: row.fill)
        truck = assets.devices(connection)[region.vehicles[0].id]
        lift = telemetry.EventRow(
            NOW + timedelta(hours=2), truck.id, 9999, region.vehicles[0].id, "lift", None, None,
            fullest.container, None, None, None, None, None, 0, NOW, False,
        )  # fmt: skip
        telemetry.store(connection, telemetry.Batch(events=[lift]))
        believe(connection, region, NOW + timedelta(hours=3))
        after = beliefs.load(connection)
        assert after[fullest.container].fill < 0.1 < fullest.fill
        assert after[fullest.container].overflow_risk < fullest.overflow_risk

    def test_what_comes_late_counts(self, connection: psycopg.Connection, region: Region) -> None:
        """Readings of past days that arrive after a look change the next one."""
        believe(connection, region, NOW)
        before = beliefs.load(connection)
        devices = assets.devices(connection)
        container = next(one for one in region.containers if one.sensor)
        sensor = devices[str(container.sensor)]
        late = [
            telemetry.LevelRow(
                NOW - timedelta(hours=hours), sensor.id, 9000 + hours, container.id, 1.0,
                None, None, None, 0, NOW, False,
            )
            for hours in range(2, 26, 4)
        ]  # fmt: skip
        telemetry.store(connection, telemetry.Batch(levels=late))
        believe(connection, region, NOW + timedelta(minutes=15))
        after = beliefs.load(connection)
        assert after[container.id].fill > before[container.id].fill


class TestWorker:
    def test_it_works_off_what_is_ordered(
        self,
        database: Database,
        connection: psycopg.Connection,
        settings: Settings,
        region: Region,
    ) -> None:
        """A plan ordered by name is made by a worker, fenced and published."""
        day = TUESDAY.isoformat()
        jobs = [
            queue.defer(database, PLAN_DAY, day=day, service="glass", publish=True),
            queue.defer(database, BELIEVE),
            queue.defer(database, UPKEEP),
            queue.defer(database, PLAN_DAY, day="2026-11-29"),  # a Sunday
        ]
        desk = Desk(settings, FixedClock(NOW), region, database)
        queue.run_worker(database, desk.tasks, until_empty=True)
        states = [getattr(queue.job(connection, job), "state", None) for job in jobs]
        assert states == ["succeeded", "succeeded", "succeeded", "failed"]
        [plan] = plans.list_plans(connection)
        assert plan.state == "published"


class TestProcess:
    def test_a_worker_starts_works_and_ends(
        self,
        database: Database,
        connection: psycopg.Connection,
        settings: Settings,
    ) -> None:
        """`binround worker` says READY, keeps beliefs fresh by itself, and ends when asked."""
        environment = os.environ | {
            "BINROUND_DATA_DIR": str(settings.data_dir),
            "BINROUND_DATABASE_URL": database.dsn,
            "BINROUND_REGION": "example",
        }
        with subprocess.Popen(
            [sys.executable, "-u", "-m", "cli.main", "worker"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent(),
        ) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "READY\n"
            deadline = time.monotonic() + 30
            while not beliefs.load(connection) and time.monotonic() < deadline:
                connection.rollback()
                time.sleep(0.2)
            assert beliefs.load(connection)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0


class TestCommand:
    def plan(
        self, database: Database, folder: Path, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `binround plan` as people do."""
        environment = os.environ | {
            "BINROUND_DATA_DIR": str(folder),
            "BINROUND_DATABASE_URL": database.dsn,
            "BINROUND_REGION": "example",
            "BINROUND_PLAN_BUDGET_S": "1",
            "COLUMNS": "160",
        }
        return subprocess.run(
            [sys.executable, "-m", "cli.main", "plan", *arguments],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def test_a_plan_as_a_table(self, database: Database, roads_cache: Path) -> None:
        """Without any history the plan says so by its widths, and is stored as a draft."""
        done = self.plan(database, roads_cache, "--date", "2026-11-24")
        assert done.returncode == 0, done.stderr
        assert "Glass, Depot, Tuesday 24 November 2026  (draft" in done.stdout
        assert "truck-" in done.stdout
        with database.connect() as connection:
            assert len(plans.list_plans(connection)) == 1

    def test_a_plan_as_json(self, database: Database, roads_cache: Path) -> None:
        """Machines get the same: tours with stops and reasons, what is left out and why."""
        done = self.plan(
            database, roads_cache, "--date", "2026-11-24", "--policy", "calendar:10", "--json"
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["day"], told["policy"], told["violations"]) == (
            "2026-11-24", "calendar-10", 0,
        )  # fmt: skip
        visits = [s for tour in told["tours"] for s in tour["stops"] if s["kind"] == "visit"]
        assert visits
        assert all(stop["why"]["en"] and stop["why"]["de"] for stop in visits)

    def test_a_mistake_is_one_clear_line(self, database: Database, roads_cache: Path) -> None:
        """A day off is told in one line, with exit code 2 and nothing stored."""
        done = self.plan(database, roads_cache, "--date", "2026-11-29")
        assert done.returncode == 2
        assert done.stderr == (
            "binround: 2026-11-29 is no collection day of glass (a Sunday); "
            "the next one is 2026-11-30\n"
        )
        with database.connect() as connection:
            assert plans.list_plans(connection) == []

    @pytest.mark.parametrize(
        ("option", "line"),
        [
            ({"day": "tomorrow"}, "--date 'tomorrow' is no day; write it as"),
            ({"service": "gold"}, "region example has no service 'gold'; it has glass"),
            ({"depot": "moon"}, "region example has no depot 'moon'; it has depot"),
            (
                {"policy": "dice"},
                "no policy 'dice'; use risk, horizon:3, threshold:80 or calendar:10",
            ),
            ({"policy": "calendar:0"}, "no policy 'calendar:0'; use"),
        ],
    )
    def test_wrong_options_say_what_to_use(
        self, option: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is opened, computed or stored for an order that cannot be meant."""
        monkeypatch.setenv("BINROUND_DATABASE_URL", "postgresql://127.0.0.1:1/nobody-is-asked")
        usual: dict[str, Any] = {"day": "2026-11-24", "region": "example", "policy": "risk"}
        with pytest.raises(PlanError) as refused:
            command(**(usual | option))
        assert str(refused.value).startswith(line)
        assert "\n" not in str(refused.value)
