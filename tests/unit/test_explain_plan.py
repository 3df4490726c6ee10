"""A finished plan, explained: exact costs, turning points, slack, and what stood in the way."""

import dataclasses
import json
from functools import partial

import pytest

from config.region import Region
from config.region_folder import load_region
from optimizer.check import check
from optimizer.daily import DayPlan, explanation_document, plan_day
from optimizer.explain import explain_obstacle, explain_slack, slacks
from optimizer.model import Reason, Solution, TimeWindow, Tour, Unserved
from optimizer.roads.haversine import Haversine
from optimizer.solve import solve
from optimizer.solve.feasibility import Measure, feasibility
from optimizer.solve.judged import marginal_eur, without
from tests.fixtures.problems import city_day
from tests.unit.test_daily import snapshot_of
from tests.unit.test_solve import with_first

search = partial(solve, budget_s=20.0, seed=1, effort=0.1)
H = 3600


@pytest.fixture(scope="module")
def region() -> Region:
    """The tiny region that ships."""
    return load_region("example")


@pytest.fixture(scope="module")
def plan(region: Region) -> DayPlan:
    """A Tuesday, priced by risk, explained."""
    return plan_day(snapshot_of(region), Haversine(), search, geometry=False)


def _rejudged(plan: DayPlan, tour: Tour, kept: tuple[int, ...], visit: int) -> float:
    """The whole plan's cost without a visit, whatever start of its tour is the best."""
    others = [one for one in plan.solution.tours if one.truck != tour.truck]
    left_out = (*plan.solution.unserved, Unserved(visit, Reason.TIME))
    costs = []
    for later in range(0, 2 * H, 60):
        changed = Tour(tour.truck, tour.start_s + later, kept)
        report = check(plan.day.problem, Solution((*others, changed), left_out))
        if report.legal:
            costs.append(report.cost_eur)
    return min(costs)


def test_what_a_stop_adds_is_what_the_judge_says(plan: DayPlan) -> None:
    """The judged cost of the plan with the stop, less the best of the plan without it."""
    report = plan.report
    timed = max(report.tours, key=lambda tour: len(tour.nodes))
    tour = next(one for one in plan.solution.tours if one.truck == timed.truck)
    problem = plan.day.problem
    places = [i for i, node in enumerate(timed.nodes) if problem.is_visit(node.node)]
    for position in places[:3]:
        kept = without(problem, tour.nodes, position)
        best = _rejudged(plan, tour, kept, timed.nodes[position].node)
        added = marginal_eur(problem, timed, position)
        # The judge is asked minute by minute here, to the second there.
        assert added == pytest.approx(report.cost_eur - best, abs=60 / 3600 * 62 + 0.01)
        assert added >= report.cost_eur - best - 0.01


def test_an_unloading_that_only_one_stop_needed_goes_with_it(plan: DayPlan) -> None:
    """A trip of one stop costs the way to the facility, too."""
    problem = plan.day.problem
    facility = len(problem.visits)
    assert without(problem, (0, facility, 1, facility), 0) == (1, facility)
    assert without(problem, (0, 1, facility), 0) == (1, facility)
    assert without(problem, (0, facility), 0) == ()


def test_a_visit_would_wait_below_its_turning_level(region: Region, plan: DayPlan) -> None:
    """Told at this level and a little below, the policy pays the stop's cost, and does not."""
    for tour in plan.tours:
        for stop in tour.stops:
            if stop.why is None or not stop.why.turns_at:
                continue
            assert 0 < stop.why.turns_at <= stop.why.level + 0.05
            percent = f"{stop.why.turns_at:.0%}"
            assert f"below {percent} full" in stop.why.text.en
            assert "Warten würde er" in stop.why.text.de


def test_what_waits_says_its_cost_and_from_when_it_would_be_emptied(plan: DayPlan) -> None:
    """Every waiting container has a price, unless nothing could serve it."""
    assert plan.waiting
    for one in plan.waiting:
        if one.extra_eur is None:
            continue
        assert one.extra_eur > 0
        if one.turns_at:
            assert one.turns_at >= one.level - 0.05
            assert f"from {one.turns_at:.0%} full" in one.text.en


def test_every_container_has_its_place_in_the_document(plan: DayPlan) -> None:
    """The stored explanation covers all, and is JSON as it stands."""
    told = json.loads(json.dumps(explanation_document(plan)))
    named = [name for one in told["sites"] for name in one["containers"]]
    assert sorted(named) == sorted(c.id for c in plan.snapshot.containers)
    assert {one["state"] for one in told["sites"]} <= {"visited", "left-out", "waiting"}


def test_slack_is_what_the_tour_can_still_take(plan: DayPlan) -> None:
    """A limit that is smaller by a little less than its slack is kept; by a little more, broken."""
    problem = plan.day.problem
    for timed in plan.report.tours:
        found = {one.rule: one for one in slacks(problem, timed)}
        assert all(one.left >= -1e-6 for name, one in found.items() if "no break" not in name)
        truck = problem.trucks[timed.truck]
        left = found["payload"].left
        for less, legal in ((left - 0.01, True), (left + 0.01, False)):
            smaller = dataclasses.replace(truck, payload_kg=truck.payload_kg - less)
            fleet = tuple(smaller if t is truck else t for t in problem.trucks)
            assert check(problem.replace(trucks=fleet), plan.solution).legal == legal
        shift = found["shift"]
        assert shift.left == truck.shift.latest_s - timed.end_s
        assert explain_slack(shift).en.startswith("shift: ")


def test_loads_add_up(plan: DayPlan) -> None:
    """By trip and compartment, what is collected is the tour's weight, and fits."""
    for tour in plan.tours:
        assert sum(one.kg for one in tour.loads) == pytest.approx(tour.kg)
        assert all(one.kg <= one.capacity_kg + 1e-6 for one in tour.loads)


class TestReasons:
    def test_a_full_day_says_how_much_time_is_missing_and_what_it_would_cost(self) -> None:
        """Each visit for which the day is too short has a price and the missing seconds."""
        day = city_day(40, 6, trucks=1, mandatory_share=1.0)
        late = [u for u in solve(day, 20.0, effort=0.05).unserved if u.reason is Reason.TIME]
        assert late
        for entry in late:
            assert entry.extra_eur is not None
            assert entry.extra_eur > 0
            assert entry.short is not None

    def test_with_the_missing_time_it_is_served(self) -> None:
        """A shift longer by what is said to be missing takes the visit in, at that price."""
        day = city_day(25, 6, trucks=1, mandatory_share=1.0)
        first = solve(day, 20.0, effort=0.05)
        entry = min(
            (u for u in first.unserved if u.reason is Reason.TIME and u.short),
            key=lambda u: u.short or 0,
        )
        truck = day.trucks[0]
        ends = truck.shift.latest_s + int(entry.short or 0) + 1
        longer = dataclasses.replace(truck, shift=TimeWindow(truck.shift.earliest_s, ends))
        more = solve(day.replace(trucks=(longer,)), 20.0, warm_start=first, effort=0.05)
        assert len(more.unserved) < len(first.unserved)

    def test_hours_that_no_truck_can_keep_have_a_price_too(self) -> None:
        """A window in the night: what it would cost at any hour, and by how much it is missed."""
        day = with_first(city_day(10, 3, mandatory_share=1.0), windows=(TimeWindow(0, 60),))
        (entry,) = solve(day, 20.0, effort=0.05).unserved
        assert entry.reason is Reason.WINDOW
        assert entry.extra_eur
        assert entry.short
        assert entry.short > 0

    def test_too_much_for_one_truck_is_priced_in_several_loads(self) -> None:
        """More than any truck carries: the excess in kilograms, and what the loads would cost."""
        day = city_day(10, 3, mandatory_share=1.0)
        payload = max(truck.payload_kg for truck in day.trucks)
        room = min(part.capacity_kg for truck in day.trucks for part in truck.compartments)
        day = with_first(day, kg=(payload + room, 0.0, 0.0))
        (entry,) = solve(day, 20.0, effort=0.05).unserved
        assert entry.reason is Reason.CAPACITY
        assert entry.extra_eur
        assert entry.short
        assert entry.short > 0


class TestFeasibility:
    def test_nothing_stands_in_the_way_of_an_ordinary_day(self) -> None:
        """The report is empty where everything can be served."""
        assert feasibility(city_day(12, 3)) == ()

    @pytest.mark.parametrize(
        ("changes", "reason", "measure"),
        [
            ({"kg": (1e5, 0.0, 0.0)}, Reason.CAPACITY, Measure.KG),
            ({"windows": (TimeWindow(0, 60),)}, Reason.WINDOW, Measure.INSTANT),
            ({"trucks": frozenset()}, Reason.NO_TRUCK, Measure.NOTHING),
            ({"service_s": 12 * H, "windows": ()}, Reason.TIME, Measure.SECONDS),
        ],
    )
    def test_a_visit_that_cannot_be_served_is_named_with_its_figures(
        self, changes: dict[str, object], reason: Reason, measure: Measure
    ) -> None:
        """What is needed is more than there is, in the rule's measure, in both languages."""
        day = with_first(city_day(10, 3, mandatory_share=1.0), **changes)
        found = [one for one in feasibility(day) if not one.fleet]
        assert [(one.reason, one.visits, one.measure) for one in found] == [
            (reason, (day.visits[0].id,), measure)
        ]
        if measure is not Measure.NOTHING:
            assert found[0].needed is not None
            assert found[0].available is not None
            assert found[0].needed > found[0].available
        said = explain_obstacle(found[0])
        assert said.en.startswith(day.visits[0].id)
        assert said.de.startswith(day.visits[0].id)

    def test_more_work_than_all_shifts_have(self) -> None:
        """The least time that all mandatory visits take is more than the fleet has."""
        day = city_day(30, 6, trucks=1, mandatory_share=1.0)
        slow = tuple(dataclasses.replace(v, service_s=H, windows=()) for v in day.visits)
        found = [one for one in feasibility(day.replace(visits=slow)) if one.fleet]
        assert [(one.reason, one.mandatory) for one in found] == [(Reason.TIME, True)]
        assert "some will be left out" in explain_obstacle(found[0]).en

    def test_more_weight_than_all_trips_carry(self) -> None:
        """Total load against the fleet times its trips."""
        day = city_day(40, 6, trucks=1, mandatory_share=1.0)
        slow = tuple(dataclasses.replace(f, unload_s=4 * H) for f in day.facilities)
        small = dataclasses.replace(day.trucks[0], payload_kg=max(sum(v.kg) for v in day.visits))
        tight = day.replace(facilities=slow, trucks=(small,))
        found = [one for one in feasibility(tight) if one.reason is Reason.CAPACITY]
        assert [one.measure for one in found if one.fleet][:1] == [Measure.KG]

    def test_what_is_reported_is_certain(self) -> None:
        """Where the sums speak of too much, no plan serves everything."""
        for seed in range(4):
            day = city_day(40, seed, trucks=1, mandatory_share=1.0)
            if any(one.fleet for one in feasibility(day)):
                assert solve(day, 20.0, effort=0.05).unserved

    def test_no_truck_at_all(self) -> None:
        """One obstacle for the whole day."""
        (one,) = feasibility(city_day(5, 1).replace(trucks=()))
        assert (one.reason, one.fleet) == (Reason.NO_TRUCK, True)
        assert "no truck" in explain_obstacle(one).en
