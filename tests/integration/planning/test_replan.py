"""A published plan changes during its day: proposals from what trucks reported, accepted whole."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from config.clock import FixedClock
from config.errors import PlanError, StalePlanError
from config.region import Region
from config.settings import Settings
from ingest.messages import EventKind, Kind, TourDown
from jobs import replan
from jobs.plan_day import PlanOrder, run
from jobs.record import basis_of, new_plan_id, plan_record
from jobs.snapshot import depot_of, service_of, take_snapshot
from jobs.worker import Desk
from optimizer.daily import plan_day
from optimizer.formats.event_json import parse_event, parse_event_text
from optimizer.model import Problem, Solution, Tour
from optimizer.policies import policy_named
from optimizer.replan import Proposal
from optimizer.road_times import TravelTimes
from optimizer.solve import solve
from simulator.unit import Unit
from storage import assets, basis, outbox, plans, queue, replans, telemetry
from storage.database import Database
from storage.plans import PlanRecord
from tests.fixtures.api import running
from tests.fixtures.example_day import NOW, TUESDAY, ten_days
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.roads]


def halves(problem: Problem) -> Solution:
    """Give the first half of the visits to the first truck and the others to the second."""
    middle = len(problem.visits) // 2
    parts = (range(middle), range(middle, len(problem.visits)))
    tours = []
    for truck, mine in enumerate(parts):
        alone = problem.replace(
            visits=tuple(problem.visits[visit] for visit in mine), trucks=(problem.trucks[truck],)
        )
        found = solve(alone, 1.0, effort=0.02).tours[0]
        nodes = tuple(
            mine[node] if node < len(mine) else node - len(mine) + len(problem.visits)
            for node in found.nodes
        )
        tours.append(Tour(truck, found.start_s, nodes))
    return Solution(tuple(tours), (), "halves")


class Running:
    """A published plan of two tours, and its trucks."""

    def __init__(
        self, database: Database, region: Region, travel: TravelTimes, settings: Settings
    ) -> None:
        self.database, self.region, self.travel, self.settings = database, region, travel, settings
        self.clock = FixedClock(NOW)
        with database.connect() as connection:
            assets.load_region(connection, region, at=NOW)
            self._devices = assets.devices(connection)
            telemetry.store(connection, ten_days(region, self._devices))
            connection.commit()
            service = service_of(region, None)
            depot = depot_of(region, service, None)
            snapshot = take_snapshot(connection, region, service, depot, TUESDAY, NOW)
            plan = plan_day(snapshot, travel, halves, policy_named("calendar:1"))
            self.name = new_plan_id(plan)
            plans.save(connection, plan_record(plan, self.name, NOW))
            basis.keep(connection, self.name, basis_of(plan))
            plans.publish(connection, self.name, at=NOW)
        self._said = 0

    @property
    def plan(self) -> PlanRecord:
        """The plan as it is stored now."""
        with self.database.connect() as connection:
            found = plans.get(connection, self.name)
        assert found is not None
        return found

    def report(self, vehicle: str, kind: str, at: datetime, stop: int | None = None) -> None:
        """Let a truck report something of its tour."""
        self._said += 1
        row = telemetry.EventRow(
            at, self._devices[vehicle].id, 50_000 + self._said, vehicle, kind,
            f"{self.name}-{vehicle}", stop, None, None, None, None, None, None, 0, at, False,
        )  # fmt: skip
        with self.database.connect() as connection:
            telemetry.store(connection, telemetry.Batch(events=[row]))

    def drive(self, vehicle: str, stops: int) -> datetime:
        """Let a truck do its first stops as planned; returns when the last one was done."""
        tour = next(one for one in self.plan.tours if one.vehicle == vehicle)
        self.report(vehicle, "tour-start", tour.start)
        at = tour.start
        for stop in tour.stops[:stops]:
            at = stop.departure
            self.report(vehicle, "stop-done", at, stop.number)
        return at

    def ask(self, *events: dict[str, Any] | str, at: datetime) -> tuple[str, Proposal]:
        """Ask for a proposal."""
        told = tuple(
            parse_event_text(one) if isinstance(one, str) else parse_event(one) for one in events
        )
        with self.database.connect() as connection:
            order = replan.ReplanOrder(self.name, told)
            return replan.run(connection, self.region, self.travel, order, at, budget_s=0.3)

    def accept(self, name: str, at: datetime) -> list[str]:
        """Accept a proposal."""
        with self.database.connect() as connection:
            return replans.accept(connection, name, at=at)

    def sent(self) -> dict[str, list[TourDown]]:
        """Return what each truck was sent, in order."""
        found: dict[str, list[TourDown]] = {}
        with self.database.connect() as connection:
            for news in outbox.after(connection, 0, kind=outbox.Kind.TOUR):
                found.setdefault(news.key, []).append(TourDown.model_validate(dict(news.payload)))
        return found


@pytest.fixture
def day(database: Database, region: Region, travel: TravelTimes, settings: Settings) -> Running:
    """Both trucks have a tour."""
    found = Running(database, region, travel, settings)
    assert {tour.vehicle for tour in found.plan.tours} == {"truck-1", "truck-2"}
    return found


def visits(tour: TourDown) -> list[str]:
    """Return the sites that a tour visits."""
    return [stop.id for stop in tour.stops if stop.kind == "visit"]


def test_after_a_breakdown_the_other_truck_is_sent_the_stops(day: Running) -> None:
    """Done stops stay done; the broken truck keeps only them; the other gets a new revision."""
    before = {tour.vehicle: tour for tour in day.plan.tours}
    done = list(before["truck-1"].stops[:2])
    at = max(day.drive("truck-1", 2), day.drive("truck-2", 1)) + timedelta(seconds=30)
    name, proposal = day.ask("breakdown:truck-1", at=at)
    assert proposal.report.legal
    assert {tour.vehicle for tour in proposal.tours} == {"truck-1", "truck-2"}
    assert len(day.sent()["truck-2"]) == 1  # nothing is sent before somebody accepts
    assert set(day.accept(name, at)) == {"truck-1", "truck-2"}
    sent = day.sent()
    assert [tour.revision for tour in sent["truck-2"]] == [1, 2]
    assert [stop.number for stop in sent["truck-1"][-1].stops] == [stop.number for stop in done]
    lost = {s.place for s in before["truck-1"].stops[2:] if s.kind == "visit"}
    undone = {one.visit for one in proposal.undone}
    assert set(visits(sent["truck-2"][-1])) == set(visits(sent["truck-2"][0])) | (lost - undone)
    after = {tour.vehicle: tour for tour in day.plan.tours}
    assert after["truck-1"].stops == tuple(done)
    assert after["truck-2"].stops[0] == before["truck-2"].stops[0]
    assert {one.site for one in day.plan.unserved} >= undone


def test_stops_keep_their_numbers_and_no_number_comes_twice(day: Running) -> None:
    """A report that comes late still speaks of the stop it meant."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    numbers = {s.id: s.number for s in day.sent()["truck-2"][0].stops if s.kind == "visit"}
    name, _ = day.ask("breakdown:truck-1", at=at)
    day.accept(name, at)
    for stop in day.sent()["truck-2"][-1].stops:
        if stop.kind == "visit":
            known = numbers.get(stop.id)
            assert stop.number == known if known else stop.number > max(numbers.values())
    given = [stop.number for stop in day.sent()["truck-2"][-1].stops]
    assert len(given) == len(set(given))


def test_what_was_accepted_holds_for_the_rest_of_the_day(day: Running) -> None:
    """A broken-down truck gets nothing from a later proposal."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    name, first = day.ask("breakdown:truck-1", at=at)
    day.accept(name, at)
    some = next(stop.place for t in day.plan.tours for stop in t.stops[3:] if stop.kind == "visit")
    _, second = day.ask(f"cancel-stop:{some}", at=at + timedelta(minutes=1))
    assert {tour.vehicle for tour in second.tours} == {"truck-2"}
    assert second.cancelled == (some,)
    assert first.report.legal
    assert second.report.legal


def test_two_who_accept_at_the_same_time(day: Running) -> None:
    """Exactly one wins, however they race; each tour changes once."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    first, _ = day.ask("breakdown:truck-1", at=at)
    second, _ = day.ask("breakdown:truck-1", at=at)
    outcomes = race(lambda: day.accept(first, at), lambda: day.accept(second, at))
    assert sorted(type(one).__name__ for one in outcomes) == ["StalePlanError", "list"]
    assert [tour.revision for tour in day.sent()["truck-2"]] == [1, 2]


def test_one_proposal_is_accepted_once(day: Running) -> None:
    """A second click, or a refusal that comes too late, changes nothing."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    name, _ = day.ask("breakdown:truck-1", at=at)
    outcomes = race(lambda: day.accept(name, at), lambda: day.accept(name, at))
    assert sorted(type(one).__name__ for one in outcomes) == ["PlanError", "list"]
    with day.database.connect() as connection, pytest.raises(PlanError, match="accepted already"):
        replans.refuse(connection, name, at=at)


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Do several things at once; returns what each returned or raised."""
    ready = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)

    def do(number: int) -> None:
        ready.wait()
        try:
            outcomes[number] = acts[number]()
        except PlanError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=do, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _publish_again(day: Running) -> None:
    with day.database.connect() as connection:
        order = PlanOrder(TUESDAY, publish=True)
        run(connection, day.settings, day.region, day.travel, order, NOW + timedelta(minutes=1))


def _lock(day: Running) -> None:
    tour = next(one for one in day.plan.tours if one.vehicle == "truck-2")
    with day.database.connect() as connection:
        assert replans.lock_stop(connection, tour.id, _last_visit(day), locked=True)


def _serve_one(day: Running) -> None:
    tour = next(one for one in day.plan.tours if one.vehicle == "truck-1")
    later = [stop for stop in tour.stops if stop.kind == "visit"][-1]
    day.report("truck-1", "stop-done", later.departure, later.number)


def _last_visit(day: Running) -> int:
    tour = next(one for one in day.plan.tours if one.vehicle == "truck-2")
    return [stop.number for stop in tour.stops if stop.kind == "visit"][-1]


@pytest.mark.parametrize("meanwhile", [_publish_again, _lock, _serve_one])
def test_a_stale_proposal_changes_nothing(
    day: Running, meanwhile: Callable[[Running], None]
) -> None:
    """Another plan, a new lock, or a stop given away but served: none of the tours changes."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    name, _ = day.ask("breakdown:truck-1", at=at)
    meanwhile(day)
    before, sent = day.plan, day.sent()
    with pytest.raises(StalePlanError):
        day.accept(name, at)
    assert (day.plan, day.sent()) == (before, sent)


def test_a_locked_stop_stays(day: Running) -> None:
    """And everything before it, in its order."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    _lock(day)
    number = _last_visit(day)
    _, proposal = day.ask("breakdown:truck-1", at=at)
    changed = next(tour for tour in proposal.tours if tour.vehicle == "truck-2")
    old = next(one for one in day.plan.tours if one.vehicle == "truck-2")
    fixed = [s.place for s in old.stops[1:] if s.kind == "visit" and s.number <= number]
    now = [proposal.day.node_id(n) for n in changed.nodes if proposal.day.is_visit(n)]
    assert now[: len(fixed)] == fixed


def test_an_urgent_stop_is_put_in(day: Running) -> None:
    """A site that nobody visits any more is taken up again, with its containers."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    tour = next(one for one in day.plan.tours if one.vehicle == "truck-2")
    site = [stop for stop in tour.stops if stop.kind == "visit"][-1]
    name, _ = day.ask(f"cancel-stop:{site.place}", at=at)
    day.accept(name, at)
    name, proposal = day.ask(f"urgent-stop:{site.place}", at=at)
    assert site.place in [one.visit for one in proposal.moved if one.before is None]
    day.accept(name, at)
    found = [s for t in day.plan.tours for s in t.stops if s.place == site.place]
    assert [set(stop.containers) for stop in found] == [set(site.containers)]
    with pytest.raises(PlanError, match="already"):
        day.ask(f"urgent-stop:{site.place}", at=at)


def test_another_driver_has_other_hours(day: Running) -> None:
    """Who has to be back earlier cannot do everything; what falls out is handed on or told."""
    at = day.drive("truck-1", 1) + timedelta(seconds=30)
    old = next(one for one in day.plan.tours if one.vehicle == "truck-1")
    back = at + (old.end - at) / 2
    event = {"type": "driver-swap", "vehicle": "truck-1", "end": back.isoformat()}
    name, proposal = day.ask(event, at=at)
    assert proposal.report.legal
    day.accept(name, at)
    new = next(one for one in day.plan.tours if one.vehicle == "truck-1")
    assert new.end <= back
    assert len(new.stops) < len(old.stops)


def test_a_closed_area_is_not_entered(day: Running) -> None:
    """Sites inside are told as closed, and no way to come crosses it."""
    at = day.drive("truck-1", 1) + timedelta(seconds=30)
    tour = next(one for one in day.plan.tours if one.vehicle == "truck-1")
    inside = next(stop for stop in tour.stops[2:] if stop.kind == "visit")
    assert inside.lon is not None
    assert inside.lat is not None
    d = 0.0004
    corners = [(-d, -d), (d, -d), (d, d), (-d, d)]
    polygon = [[inside.lon + x, inside.lat + y] for x, y in corners]
    _, proposal = day.ask({"type": "closure", "polygon": polygon}, at=at)
    assert [one.reason for one in proposal.undone if one.visit == inside.place] == ["closed"]
    assert proposal.report.legal


def test_a_plan_that_does_not_run_is_refused(day: Running) -> None:
    """A clear word for an unknown plan, one that was replaced, and a day that is over."""
    with pytest.raises(PlanError, match="is over"):
        day.ask("breakdown:truck-1", at=NOW + timedelta(days=1))
    old = day.name
    _publish_again(day)
    with pytest.raises(PlanError, match="superseded"):
        day.ask("breakdown:truck-1", at=NOW)
    day.name = "nothing"
    with pytest.raises(PlanError, match="no plan 'nothing'"):
        day.ask("breakdown:truck-1", at=NOW)
    day.name = old


def test_a_dispatcher_reports_looks_and_accepts(day: Running) -> None:
    """Over the API: 202 and a job, a worker, the proposal with its ETag, 412 and 409, accept."""
    at = day.drive("truck-2", 1) + timedelta(seconds=30)
    day.clock.instant = at
    app = create_app(day.settings, day.clock, day.database, day.region)
    with running(app) as address, httpx.Client(base_url=address, timeout=10) as client:
        body = {"events": [{"type": "breakdown", "vehicle": "truck-1"}]}
        unknown = {"events": [{"type": "breakdown", "vehicle": "ghost"}]}
        assert client.post(f"/v1/plans/{day.name}/events", json=unknown).status_code == 422
        assert client.post("/v1/plans/none/events", json=body).status_code == 404
        key = {"Idempotency-Key": "once"}
        asked = client.post(f"/v1/plans/{day.name}/events", json=body, headers=key)
        again = client.post(f"/v1/plans/{day.name}/events", json=body, headers=key)
        assert (asked.status_code, again.json()["id"]) == (202, asked.json()["id"])
        desk = Desk(day.settings, day.clock, day.region, day.database)
        queue.run_worker(day.database, desk.tasks, until_empty=True)
        job = client.get(asked.headers["Location"]).json()
        assert job["state"] == "succeeded"
        found = client.get(f"/v1/replans/{job['replan']}")
        assert found.json()["state"] == "open"
        assert found.json()["moved"]
        where = f"/v1/replans/{job['replan']}/accept"
        stale = client.post(where, headers={"If-Match": '"other"'})
        assert stale.status_code == 412
        assert stale.headers["content-type"] == "application/problem+json"
        seen = {"If-Match": found.headers["ETag"]}
        accepted = client.post(where, headers=seen)
        assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
        assert client.post(where).status_code == 409
        assert client.post(where.replace("accept", "refuse")).status_code == 409
        assert [one["id"] for one in client.get(f"/v1/plans/{day.name}/replans").json()] == [
            job["replan"]
        ]
        lock = f"/v1/tours/{day.name}-truck-2/stops/{_last_visit(day)}/lock"
        assert client.put(lock).status_code == 204
        locked = client.get(f"/v1/tours/{day.name}-truck-2").json()["stop_list"]
        assert [stop["number"] for stop in locked if stop["locked"]] == [_last_visit(day)]
        assert client.delete(lock).status_code == 204
        assert client.put(lock.replace("stops/", "stops/9")).status_code == 404
    assert [tour.revision for tour in day.sent()["truck-2"]] == [1, 2]


def test_over_the_air(served: Served, travel: TravelTimes) -> None:
    """Plan, published; a unit reports stops done; breakdown; accepted; the other unit answers."""
    clock = FixedClock(NOW)
    served.clock = clock
    day = Running(served.database, served.region, travel, served.settings)
    old = {tour.vehicle: tour for tour in day.plan.tours}

    def unit(name: str) -> Unit:
        return Unit(name, served.region.id, served.town.url, served.login(name), clock)

    with served.ingester(), unit("truck-1") as broken, unit("truck-2") as other:
        assert other.wait_tour(lambda tour: tour.plan == day.name, 20) is not None
        for vehicle, speaks in (("truck-1", broken), ("truck-2", other)):
            tour = old[vehicle]
            clock.instant = tour.start
            start = {"kind": EventKind.TOUR_START, "tour": tour.id}
            speaks.extend([(Kind.EVENT, clock.now(), start)])
            assert speaks.wait_stored(20)
        done = old["truck-1"].stops[0]
        clock.instant = done.departure
        about = {"kind": EventKind.STOP_DONE, "tour": old["truck-1"].id, "stop": done.number}
        broken.extend([(Kind.EVENT, clock.now(), about)])
        assert broken.wait_stored(20)
        clock.instant += timedelta(seconds=20)
        name, proposal = day.ask("breakdown:truck-1", at=clock.now())
        day.accept(name, clock.now())
        sent = other.wait_tour(lambda tour: tour.revision == 2, 20)
        assert sent is not None
        lost = {s.place for s in old["truck-1"].stops[1:] if s.kind == "visit"}
        assert lost - {one.visit for one in proposal.undone} <= set(visits(sent))
        ended = broken.wait_tour(lambda tour: tour.revision == 2, 20)
        assert ended is not None
        assert [stop.number for stop in ended.stops] == [done.number]
        assert other.wait_stored(20)
    answered = next(tour for tour in day.plan.tours if tour.vehicle == "truck-2")
    assert (answered.acknowledged_revision, answered.accepted) == (2, True)
