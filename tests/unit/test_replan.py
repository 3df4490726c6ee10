"""Planning again during the day: what each event does, and what never happens."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import PlanError
from optimizer.check import check
from optimizer.model import Reason, Solution, TimeWindow, Tour, Unserved, Visit
from optimizer.replan import (
    Breakdown,
    CancelStop,
    Closure,
    DriverSwap,
    Event,
    FacilityClosed,
    Proposal,
    RunningDay,
    RunningStop,
    RunningTour,
    StopState,
    TruckFull,
    UrgentStop,
    replan,
    ruin_and_recreate,
)
from optimizer.replan.changes import out_of_order
from optimizer.replan.closure import without
from optimizer.replan.day import EXECUTED
from tests.fixtures.problems import ARBZG, HOUR
from tests.fixtures.running import planned, running

QUICK_S = 0.15


def answer(day: RunningDay, *events: Event, standing: Sequence[Event] = ()) -> Proposal:
    """Answer events quickly, and see to it that the judge finds nothing wrong."""
    proposal = replan(day, events, budget_s=QUICK_S, standing=standing)
    assert proposal.report.violations == ()
    return proposal


def name(day: RunningDay, tour: RunningTour) -> str:
    """Return the id of a tour's truck."""
    return day.problem.trucks[tour.truck].id


def visits_to_come(day: RunningDay, tour: RunningTour) -> list[str]:
    """Return the ids of a tour's pending visits, in order."""
    nodes = [stop.node for stop in tour.pending]
    return [day.problem.node_id(node) for node in nodes if day.problem.is_visit(node)]


def after(day: RunningDay, proposal: Proposal) -> dict[str, list[str]]:
    """Return the ids of each truck's visits to come if a proposal is accepted."""
    found = {name(day, tour): visits_to_come(day, tour) for tour in day.tours}
    for tour in proposal.tours:
        nodes = [node for node in tour.nodes if proposal.day.is_visit(node)]
        found[tour.vehicle] = [proposal.day.node_id(node) for node in nodes]
    return found


class TestEvents:
    def test_breakdown(self) -> None:
        """The truck gets nothing more; others take over what they can, the rest is told."""
        day = running(hour=9.0)
        broken = day.tours[0]
        lost = set(visits_to_come(day, broken))
        proposal = answer(day, Breakdown(name(day, broken)))
        plan = after(day, proposal)
        assert plan[name(day, broken)] == []
        served = {visit for visits in plan.values() for visit in visits}
        assert lost - served == {one.visit for one in proposal.undone} & lost
        assert lost & served
        assert all(one.before == name(day, broken) for one in proposal.moved if one.visit in lost)
        assert any("on board" in note.en and "Ladung" in note.de for note in proposal.notes)

    def test_a_broken_truck_stays_out(self) -> None:
        """What held before holds: later answers do not use it, and do not tell of it again."""
        day = running()
        broken, other = name(day, day.tours[0]), day.tours[1]
        some = visits_to_come(day, other)[-1]
        proposal = answer(day, CancelStop(some), standing=(Breakdown(broken),))
        assert broken not in {tour.vehicle for tour in proposal.tours}
        assert proposal.cancelled == (some,)
        assert some not in after(day, proposal)[name(day, other)]

    def test_truck_full(self) -> None:
        """It unloads before it collects anything more, and ends empty."""
        day = running(1, hour=8.5)
        tour = day.tours[2]
        assert day.problem.is_visit(tour.pending[0].node)
        first = answer(day, TruckFull(name(day, tour)))
        changed = next(one for one in first.tours if one.vehicle == name(day, tour))
        assert not first.day.is_visit(changed.nodes[0])
        assert not first.day.is_visit(changed.nodes[-1])

    def test_one_chamber_full(self) -> None:
        """Only what has no room left asks for an unloading."""
        day = running(1, hour=8.5)
        tour = day.tours[2]
        proposal = answer(day, TruckFull(name(day, tour), "green"))
        nodes = next(one.nodes for one in proposal.tours if one.vehicle == name(day, tour))
        for node in nodes:
            if not proposal.day.is_visit(node):
                break
            assert proposal.day.visit(node).litres[1] == 0

    def test_facility_closed(self) -> None:
        """All who meant to go there go elsewhere."""
        day = running(hour=9.0)
        closed = "yard-0"
        node = day.problem.node_of(closed)
        assert any(stop.node == node for tour in day.tours for stop in tour.pending)
        proposal = answer(day, FacilityClosed(closed))
        for new in proposal.tours:
            assert closed not in {proposal.day.node_id(node) for node in new.nodes}
        changed = {new.vehicle for new in proposal.tours}
        for tour in day.tours:
            if any(stop.node == node for stop in tour.pending):
                assert name(day, tour) in changed

    def test_no_facility_left(self) -> None:
        """Nobody is sent home loaded: it is said what has no way out."""
        day = running(hour=9.0)
        with pytest.raises(PlanError, match="kg on board, and no facility takes them"):
            answer(day, FacilityClosed("yard-0"), FacilityClosed("yard-1"))

    def test_urgent_stop(self) -> None:
        """It goes where it costs least; the others' order stays."""
        day = running(hour=8.5)
        place = day.problem.visits[day.tours[0].pending[-2].node].location
        urgent = Visit("urgent", place, (10.0, 0.0, 0.0), (40.0, 0.0, 0.0), 300)
        proposal = answer(day, UrgentStop(urgent))
        assert [(one.visit, one.before) for one in proposal.moved if one.visit == "urgent"] == [
            ("urgent", None)
        ]
        assert proposal.eur_after > proposal.eur_before
        assert sum("urgent" in visits for visits in after(day, proposal).values()) == 1

    def test_urgent_stop_of_no_use(self) -> None:
        """What is worth less than it costs is left, with the reason."""
        day = running(hour=8.5)
        cheap = Visit("cheap", 1, (1.0, 0, 0), (3.0, 0, 0), 3000, prize_eur=0.5)
        proposal = answer(day, UrgentStop(cheap))
        assert [(one.visit, one.reason) for one in proposal.undone] == [("cheap", "not-worth-it")]
        assert proposal.tours == ()

    def test_driver_swap(self) -> None:
        """The new driver is home in time and has breaks of their own."""
        day = running(hour=9.0)
        tour = day.tours[0]
        shift = TimeWindow(day.now_s, day.now_s + 3 * HOUR)
        proposal = answer(day, DriverSwap(name(day, tour), shift))
        changed = next(one for one in proposal.tours if one.vehicle == name(day, tour))
        assert changed.timed is not None
        assert changed.timed.end_s <= shift.latest_s
        assert changed.timed.breaks == ()

    def test_a_new_driver_owes_a_break_of_their_own(self) -> None:
        """A break of the driver before does not count."""
        day = running(hour=9.0)
        tour = day.tours[0]
        rest = replace(ARBZG, earliest_start_s=day.now_s, latest_start_s=15 * HOUR, due_after_s=600)
        shift = TimeWindow(day.now_s, 18 * HOUR)
        proposal = answer(day, DriverSwap(name(day, tour), shift, (rest,)))
        changed = next(one for one in proposal.tours if one.vehicle == name(day, tour))
        assert changed.timed is not None
        assert len(changed.timed.breaks) == 1

    def test_closure(self) -> None:
        """What lies inside is told as closed; no way between places outside crosses the area."""
        day = running(hour=9.0)
        assert day.lon_lat is not None
        tour = max(day.tours, key=lambda one: len(one.pending))
        visit = [s.node for s in tour.pending if day.problem.is_visit(s.node)][-1]
        x, y = day.lon_lat[day.problem.location(visit)]
        d = 0.004
        polygon = ((x - d, y - d), (x + d, y - d), (x + d, y + d), (x - d, y + d))
        proposal = answer(day, Closure(polygon))
        assert day.problem.node_id(visit) in {
            one.visit for one in proposal.undone if one.reason == "closed"
        }
        area = shapely.Polygon(polygon)
        for changed in proposal.tours:
            truck = day.truck_from_now(changed.truck)
            places = [truck.start, *map(proposal.day.location, changed.nodes), truck.end]
            for a, b in pairwise(places if changed.nodes else []):
                ends = [shapely.Point(day.lon_lat[place]) for place in (a, b)]
                if not any(area.contains(end) for end in ends):
                    line = shapely.LineString(day.lon_lat[[a, b]])
                    assert a == b or not area.intersects(line)

    def test_a_closure_that_is_over_changes_nothing(self) -> None:
        """It expires by itself."""
        day = running(hour=9.0)
        square = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
        proposal = answer(day, Closure(square, 0, 8 * HOUR))
        assert proposal.tours == ()

    def test_cancelled_stop(self) -> None:
        """It is gone, nothing else moves, and what it cost is saved."""
        day = running(hour=9.0)
        tour = day.tours[0]
        some = visits_to_come(day, tour)[-1]
        proposal = answer(day, CancelStop(some))
        assert some not in after(day, proposal)[name(day, tour)]
        assert proposal.eur_after <= proposal.eur_before


class TestMistakes:
    @pytest.mark.parametrize(
        ("event", "told"),
        [
            (Breakdown("ghost"), "no truck 'ghost'"),
            (FacilityClosed("ghost"), "no facility 'ghost'"),
            (CancelStop("ghost"), "no tour has a stop 'ghost'"),
            (TruckFull("truck-0", "ghost"), "no fraction 'ghost'"),
            (Closure(((0, 0), (1, 1), (0, 1), (1, 0))), "make no area"),
            (Closure(((0, 0), (1, 1))), "three corners"),
        ],
    )
    def test_it_says_what_is_not_there(self, event: Event, told: str) -> None:
        """In one clear line."""
        with pytest.raises(PlanError, match=told):
            answer(running(), event)

    def test_what_is_done_cannot_be_cancelled(self) -> None:
        """Nor ordered again while a tour has it."""
        day = running()
        done = next(s.node for s in day.tours[0].executed if day.problem.is_visit(s.node))
        with pytest.raises(PlanError, match="already"):
            answer(day, CancelStop(day.problem.node_id(done)))
        with pytest.raises(PlanError, match="already"):
            answer(day, UrgentStop(day.problem.visits[done]))

    def test_a_locked_stop_cannot_be_cancelled(self) -> None:
        """It has to be unlocked first."""
        problem, solution = planned(0)
        last = [n for n in solution.tours[0].nodes if problem.is_visit(n)][-1]
        with pytest.raises(PlanError, match="unlock it first"):
            answer(running(locked=frozenset({last})), CancelStop(problem.node_id(last)))


class TestLocks:
    def test_a_locked_stop_of_a_broken_truck_is_told(self) -> None:
        """It does not move, not even then."""
        problem, solution = planned(0)
        last = [n for n in solution.tours[0].nodes if problem.is_visit(n)][-1]
        day = running(locked=frozenset({last}))
        proposal = answer(day, Breakdown(problem.trucks[solution.tours[0].truck].id))
        assert (problem.node_id(last), "locked") in {
            (one.visit, one.reason) for one in proposal.undone
        }
        assert problem.node_id(last) not in {one.visit for one in proposal.moved}


def test_a_truck_that_is_late_already_is_told() -> None:
    """Nothing brings lost time back; the plan is legal but for that, and says so."""
    day = running(hour=9.5)
    tour = day.tours[0]
    late = replace(tour, clock_s=15 * HOUR - 60)
    proposal = answer(day.with_tour(late), CancelStop(visits_to_come(day, tour)[-1]))
    assert any("over its shift" in note.en for note in proposal.notes)


def test_an_overdue_break_is_due_at_once() -> None:
    """A truck that comes late to its break is not called impossible."""
    day = running(hour=9.5)
    tour = replace(day.tours[0], clock_s=12 * HOUR + 600, start_s=6 * HOUR)
    truck = day.with_tour(tour).truck_from_now(tour.truck)
    assert truck.breaks[0].latest_start_s == tour.clock_s


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_engine_may_polish(seed: int) -> None:
    """What it finds counts only if it is legal, better, and keeps what is locked."""
    problem, solution = planned(seed)
    nodes = solution.tours[1].nodes
    locked = [node for node in nodes if problem.is_visit(node)][-1]
    day = running(seed, 8.0, frozenset({locked}))
    event = Breakdown(problem.trucks[solution.tours[0].truck].id)
    plain = replan(day, [event], budget_s=0.5)
    polished = replan(day, [event], budget_s=1.0, polish=ruin_and_recreate)
    assert polished.report.legal
    assert len(polished.mandatory_undone) <= len(plain.mandatory_undone)
    assert polished.others_share <= 0.2
    truck = problem.trucks[solution.tours[1].truck].id
    assert problem.node_id(locked) in after(day, polished)[truck]


@given(st.lists(st.integers(0, 50), unique=True, max_size=9))
def test_what_is_out_of_order(places: list[int]) -> None:
    """The fewest entries without which the rest rises; by brute force over all subsets."""
    found = out_of_order(places)
    rest = [place for index, place in enumerate(places) if index not in found]
    assert rest == sorted(rest)
    longest = 0
    for chosen in range(1 << len(places)):
        kept = [place for index, place in enumerate(places) if chosen >> index & 1]
        if kept == sorted(kept):
            longest = max(longest, len(kept))
    assert len(rest) == longest


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=3),
    st.integers(0, 5),
    st.integers(0, 20),
    st.tuples(st.integers(0, 40), st.integers(1, 30)),
)
def test_hours_without_a_span(
    spans: list[tuple[int, int]], service_s: int, now_s: int, closed: tuple[int, int]
) -> None:
    """Service may start exactly at the seconds at which none of it falls into the span."""
    windows = [TimeWindow(a, a + length) for a, length in spans]
    from_s, until_s = closed[0], closed[0] + closed[1]
    left = without(windows, service_s, now_s, (from_s, until_s))
    for second in range(now_s, 110):
        allowed = not windows or any(w.earliest_s <= second <= w.latest_s for w in windows)
        free = second + service_s <= from_s or second >= until_s
        found = any(w.earliest_s <= second <= w.latest_s for w in left)
        assert found == (allowed and free), second


def _square(x: float, y: float, d: float) -> Closure:
    return Closure(((x - d, y - d), (x + d, y - d), (x + d, y + d), (x - d, y + d)))


@st.composite
def _days_and_events(draw: st.DrawFn) -> tuple[RunningDay, list[Event]]:
    seed = draw(st.integers(0, 3))
    problem, solution = planned(seed)
    all_visits = [n for t in solution.tours for n in t.nodes if problem.is_visit(n)]
    locked = draw(st.frozensets(st.sampled_from(all_visits), max_size=3))
    day = running(seed, draw(st.floats(5.5, 13.5)), locked)
    truck = st.sampled_from([truck.id for truck in problem.trucks])
    free = [
        problem.node_id(stop.node)
        for tour in day.tours
        for stop in tour.pending
        if problem.is_visit(stop.node) and stop.state is not StopState.LOCKED
    ]
    left = [name(day, tour) for tour in day.tours if tour.left]
    kinds: list[st.SearchStrategy[Event]] = [
        st.builds(Breakdown, truck),
        st.just(FacilityClosed("yard-1")),
        st.builds(
            lambda place, kg: UrgentStop(Visit("urgent", place, (kg,) * 3, (kg * 3,) * 3, 240)),
            st.integers(0, len(problem.duration_s) - 1),
            st.floats(0, 300),
        ),
        st.builds(
            lambda one, hours: DriverSwap(
                one, TimeWindow(day.now_s, min(day.now_s + int(hours * HOUR), 20 * HOUR))
            ),
            truck,
            st.floats(2, 6),
        ),
        st.builds(
            _square,
            st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(0.001, 0.01),
        ),
    ]  # fmt: skip
    if free:
        kinds.append(st.builds(CancelStop, st.sampled_from(free)))
    if left:
        kinds.append(st.builds(TruckFull, st.sampled_from(left)))
    return day, [draw(st.one_of(kinds))]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(_days_and_events())
def test_what_never_happens(given_: tuple[RunningDay, list[Event]]) -> None:
    """Whatever the event: executed stops stay, locked ones do not move, nothing is illegal.

    Other tours change by a fifth at most, only two or three of them and an idle truck help, and
    no stop is lost without a word. What cannot be answered lawfully is refused in a clear line.
    """
    day, events = given_
    try:
        proposal = replan(day, events, budget_s=QUICK_S)
    except PlanError as error:
        assert "on board" in str(error) or "cannot even unload" in str(error)  # noqa: PT017
        return
    assert proposal.report.violations == ()
    again = check(proposal.problem, _solution(proposal))
    assert again.legal
    assert proposal.others_share <= 0.2
    before = {name(day, tour): tour for tour in day.tours}
    plan = after(day, proposal)
    broken = {event.truck for event in events if isinstance(event, Breakdown)}
    for tour in proposal.tours:
        old = before.get(tour.vehicle)
        if old is None:
            continue
        over = [s.number for s in old.executed if s.state is not StopState.SERVING]
        if tour.vehicle not in broken:
            over = [stop.number for stop in old.executed]
        assert list(tour.executed) == over
        assert tour.revision == old.revision
    undone = {one.visit for one in proposal.undone}
    for vehicle, old in before.items():
        for stop in old.pending:
            if stop.state is StopState.LOCKED and day.problem.is_visit(stop.node):
                visit = day.problem.node_id(stop.node)
                assert (visit in plan[vehicle]) != (visit in undone)
        if vehicle not in broken:
            fixed = _fixed(day, old, undone)
            assert [v for v in plan[vehicle] if v in fixed] == fixed
    served = [visit for visits in plan.values() for visit in visits]
    assert len(served) == len(set(served))
    wanted = {v for tour in day.tours for v in visits_to_come(day, tour)}
    assert wanted <= {*served, *undone, *proposal.cancelled}


def _fixed(day: RunningDay, tour: RunningTour, undone: set[str]) -> list[str]:
    """Return the visits up to a tour's last locked one, without those that nobody serves."""
    locked = [i for i, s in enumerate(tour.pending) if s.state is StopState.LOCKED]
    stops: tuple[RunningStop, ...] = tour.pending[: max(locked, default=-1) + 1]
    assert all(stop.state not in EXECUTED for stop in stops)
    ids = [day.problem.node_id(s.node) for s in stops if s.state is StopState.LOCKED]
    return [visit for visit in ids if visit not in undone]


def _solution(proposal: Proposal) -> Solution:
    """Return the judged solution once more, from the report's own tours."""
    tours = tuple(
        Tour(t.truck, t.start_s, tuple(node.node for node in t.nodes))
        for t in proposal.report.tours
    )
    served = {node for tour in tours for node in tour.nodes}
    left_out = tuple(
        Unserved(visit, Reason.TIME)
        for visit in range(len(proposal.problem.visits))
        if visit not in served
    )
    return Solution(tours, left_out)
