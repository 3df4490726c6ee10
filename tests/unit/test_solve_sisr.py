"""The compiled search, run by the interpreter: the same source, nothing to compile."""

import dataclasses
import itertools
from time import monotonic
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba", reason="numba is missing; the slower search is used")

from optimizer.check import check
from optimizer.model import BreakRule, Problem, Solution, TimeWindow, Tour
from optimizer.solve import solve
from optimizer.solve.days import solution_of
from optimizer.solve.facts import Facts
from optimizer.solve.finishing import with_rest_reported
from optimizer.solve.route import Builder
from optimizer.solve.search import Search
from optimizer.solve.sisr.engine import CompiledSearch, expressible, strict
from tests.fixtures.interpreted import interpreted
from tests.fixtures.problems import city_day

with interpreted():
    from optimizer.solve.sisr import campaign, recreate, ruin, tails
    from optimizer.solve.sisr.annealing import anneal, ready, total
    from optimizer.solve.sisr.arrays import MANDATORY_EUR, NEVER_S, arrays_of
    from optimizer.solve.sisr.assembly import assembled
    from optimizer.solve.sisr.campaign import Campaign
    from optimizer.solve.sisr.crossover import crossover
    from optimizer.solve.sisr.insertion import carries, in_time, may_take
    from optimizer.solve.sisr.merging import merged
    from optimizer.solve.sisr.plan import Plan, cost_of, mended, plan_from, plan_of, solution_from
    from optimizer.solve.sisr.schedule import UNCOUNTED
    from optimizer.solve.sisr.spare import alike
    from optimizer.solve.sisr.state import State, new_state
    from optimizer.solve.sisr.tour import ends, extend, label
    from optimizer.solve.sisr.unloading import IMPOSSIBLE, place

LATE = BreakRule("second break", 900, 10 * 3600, 14 * 3600, 0)


def day_with(visits: int, seed: int, breaks: int = 1, tight: float = 0.4) -> Problem:
    """Return a city day whose trucks owe up to two breaks."""
    day = city_day(visits, seed, trucks=2, tight=tight)
    rules = ((), day.trucks[0].breaks, (*day.trucks[0].breaks, LATE))[breaks]
    trucks = tuple(dataclasses.replace(truck, breaks=rules) for truck in day.trucks)
    return day.replace(trucks=trucks)


def searched(day: Problem, steps: int, seed: int) -> tuple[Solution, Solution]:
    """Return the construction, and what some steps of the search make of it.

    By its own count the search is never dearer than its start. (It may count a break that a later
    start would spare; which of two plans is better the judge says, in `solve`.)
    """
    builder = Builder(Facts(day))
    start = solution_of(builder, Search(builder, seed).construct(), "construction", seed)
    arrays, origin = arrays_of(builder.facts)
    campaign = Campaign(arrays, seed, threads=1)
    given = plan_from(arrays, origin, start)
    plan = campaign.run(given, steps, monotonic() + 1e6)
    assert cost_of(arrays, plan) <= given.eur + 1e-6
    return start, solution_from(builder, origin, plan, "test", seed)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 14), st.integers(0, 999), st.integers(0, 2), st.sampled_from([0.2, 1.0]))
def test_plans_are_legal_and_no_worse(visits: int, seed: int, breaks: int, tight: float) -> None:
    """Whatever the search makes of a day is legal; where no second break is owed, no dearer."""
    day = day_with(visits, seed, breaks, tight)
    start, found = searched(day, 12, seed)
    report = check(day, with_rest_reported(day, found))
    assert report.violations == ()
    assert breaks == 2 or report.score <= check(day, with_rest_reported(day, start)).score


def test_same_seed_same_plan() -> None:
    """With a number of steps the plan depends on the seed alone."""
    day = day_with(20, 3)
    assert searched(day, 20, 5)[1] == searched(day, 20, 5)[1]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 999), st.integers(0, 2))
def test_insertion_in_constant_time_agrees_with_the_judge(
    visits: int, seed: int, breaks: int
) -> None:
    """A gap passes the test exactly when the tour with the visit in it keeps every rule.

    Of several breaks the search takes the first before the second; the judge may leave it out.
    """
    day = day_with(visits, seed, breaks)
    arrays, origin = arrays_of(Facts(day))
    yard = arrays.visits
    rest = [*range(1, arrays.visits), yard]
    state = new_state(arrays, {0: rest}, [0], range(arrays.visits), 0)
    start_s = int(arrays.kinds["shift_from"][0])
    if ready(arrays, state) >= NEVER_S:
        return
    for gap in range(len(rest)):
        nodes = [*rest[:gap], 0, *rest[gap:]]
        begin_s = (
            start_s
            if gap
            else max(
                start_s,
                int(arrays.windows.opens[0, 0] - arrays.seconds[arrays.kinds["start"][0], 0]),
            )
        )
        begin_s = int(state.tours["begin_s"][0]) if gap else begin_s
        tour = Tour(0, begin_s, tuple(old for node in nodes for old in origin[node]))
        report = check(day, Solution((tour,)))
        legal = not [v for v in report.violations if v.tour]
        passed = (
            may_take(arrays, state, 0, 0)
            and carries(arrays, state, 0, gap, 0)
            and in_time(arrays, state, 0, gap, 0)
        )
        assert legal or not passed
        if breaks < 2:
            assert passed or not legal


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(0, 999))
def test_unloadings_are_placed_as_well_as_brute_force_can(visits: int, seed: int) -> None:
    """The dynamic programme costs what the best of all placements costs."""
    day = day_with(visits, seed, 0, 0.25)
    P, _ = arrays_of(Facts(day))  # noqa: N806
    state = new_state(P, {0: []}, range(P.visits), range(P.visits), 0)
    state.stops[: P.visits] = range(P.visits)
    cost, size = place(P, state, 0, P.visits)
    best = IMPOSSIBLE
    options = [None, *range(P.visits, P.visits + P.facilities)]
    for after in itertools.product(options, repeat=P.visits):
        if after[-1] is None:
            continue
        nodes, load, fits = [int(P.kinds["start"][0])], np.zeros(P.capacity.shape[1]), True
        for visit, facility in enumerate(after):
            load = load + P.need[0, visit]
            fits = fits and bool((load <= P.capacity[0]).all())
            nodes.append(visit)
            if facility is not None:
                nodes.append(facility)
                load = np.zeros_like(load)
        if fits:
            nodes.append(int(P.kinds["end"][0]))
            way = float(P.euro[0, nodes[:-1], nodes[1:]].sum())
            served = float(P.service_s[nodes[1:-1]].sum() * P.kinds["eur_per_s"][0])
            best = min(best, way + served)
    assert (cost >= IMPOSSIBLE) == (best >= IMPOSSIBLE)
    if cost < IMPOSSIBLE:
        assert cost == pytest.approx(best, rel=1e-5)
        assert size == len(state.draft[:size])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(0, 999), st.integers(0, 2))
def test_a_tours_end_agrees_with_the_judge(visits: int, seed: int, breaks: int) -> None:
    """The labels end a tour when the judge's schedule does; with several breaks no earlier."""
    day = day_with(visits, seed, breaks)
    P, origin = arrays_of(Facts(day))  # noqa: N806
    nodes = [*range(P.visits), P.visits]
    state = new_state(P, {0: nodes}, [], range(P.visits), 0)
    state.draft[: len(nodes) + 2] = state.nodes[0, : len(nodes) + 2]
    end_s = ends(P, state, 0, len(nodes) + 2)
    first = max(
        int(P.kinds["shift_from"][0]),
        int(P.windows.opens[0, 0] - P.seconds[P.kinds["start"][0], 0]),
    )
    tour = Tour(0, first, tuple(old for node in nodes for old in origin[node]))
    report = check(day, Solution((tour,)))
    timely = [
        v for v in report.violations
        if v.tour and not v.rule.startswith(("compartment", "payload", "max "))
    ]  # fmt: skip
    assert end_s == NEVER_S or not timely
    if breaks < 2:
        assert end_s < NEVER_S or timely
        if not timely:
            assert end_s == report.tours[0].end_s


def test_visits_that_pay_for_a_tour_together_get_one() -> None:
    """Ten far sites, none of which is worth the way alone, are served; at a tenth, none is.

    Their prizes are a quarter of a tour to one of them, so no single one begins a tour by itself.
    """
    day = city_day(10, 5, trucks=1, mandatory_share=0.0)
    metres, seconds = day.distance_m.copy(), day.duration_s.copy()
    metres[:3, 3:] += 25_000
    metres[3:, :3] += 25_000
    metres[3:, 3:] //= 10
    seconds[3:, 3:] //= 10
    sites = [dataclasses.replace(v, windows=(), service_s=60, prize_eur=None) for v in day.visits]
    far = day.replace(distance_m=metres, duration_s=seconds, visits=tuple(sites))
    alone = solve(far.replace(visits=far.visits[:1]), 1.0, engines=())
    together = solve(far, 1.0, engines=())
    one_eur = check(far.replace(visits=far.visits[:1]), alone).score[1]
    assert check(far, together).score[1] < 2.4 * one_eur

    def served(prize_eur: float) -> int:
        sites = [dataclasses.replace(visit, prize_eur=prize_eur) for visit in far.visits]
        worth = far.replace(visits=tuple(sites))
        arrays, origin = arrays_of(Facts(worth))
        nothing = plan_from(arrays, origin, Solution((), (), "none", 1))
        plan = Campaign(arrays, 1, threads=1).run(nothing, 300, monotonic() + 1e6)
        return arrays.visits - len(plan.left_out)

    assert served(0.25 * one_eur) == arrays_of(Facts(far))[0].visits
    assert served(0.025 * one_eur) == 0


def test_visits_at_one_place_are_made_together() -> None:
    """Mandatory visits with the same place and windows become one; prizes stay apart."""
    day = city_day(4, 1, mandatory_share=1.0, tight=50.0)
    window = (TimeWindow(7 * 3600, 20 * 3600),)
    same = tuple(
        dataclasses.replace(
            visit, location=3, windows=window, service_s=100 + n, kg=(1.0, 1.0, 1.0),
            prize_eur=5.0 if n == 3 else None,
        )
        for n, visit in enumerate(day.visits)
    )  # fmt: skip
    assert merged(Facts(day.replace(visits=same))) == [[0, 1, 2], [3]]


def test_rules_that_it_does_not_know_are_declined() -> None:
    """Facilities that share the fractions are left to others."""
    day = city_day(5, 1)
    assert expressible(day)
    shared = tuple(
        dataclasses.replace(facility, accepts=frozenset({n}))
        for n, facility in enumerate(day.facilities)
    )
    assert not expressible(day.replace(facilities=shared))
    limited = tuple(dataclasses.replace(truck, max_tour_s=3600) for truck in day.trucks)
    assert not expressible(day.replace(trucks=limited))


@pytest.mark.parametrize("rate", [0.0, 40.0])
def test_a_plan_costs_what_the_judge_says(rate: float) -> None:
    """Kilometres, hours, overtime, trucks and lost prizes: the search counts as the judge does."""
    day = day_with(24, 3, 1, 0.5)
    trucks = tuple(
        dataclasses.replace(truck, overtime_after_s=3 * 3600, overtime_eur_per_h=rate)
        for truck in day.trucks
    )
    day = day.replace(trucks=trucks)
    builder = Builder(Facts(day))
    start = solution_of(builder, Search(builder, 3).construct(), "construction", 3)
    arrays, origin = arrays_of(builder.facts)
    plan = plan_from(arrays, origin, start)
    report = check(day, with_rest_reported(day, solution_from(builder, origin, plan, "test", 3)))
    assert report.legal
    assert len(report.tours) > 0
    assert plan.eur % MANDATORY_EUR == pytest.approx(report.score[1], rel=1e-5)


def test_driving_between_breaks_is_kept() -> None:
    """With at most half an hour of driving between breaks the plans are lawful."""
    day = day_with(12, 4)
    trucks = tuple(
        dataclasses.replace(truck, max_driving_between_breaks_s=2400, driving_rule="Art. 7")
        for truck in day.trucks
    )
    day = day.replace(trucks=trucks)
    assert expressible(day)
    assert strict(day)
    _, found = searched(day, 30, 1)
    assert check(day, with_rest_reported(day, found)).violations == ()


def test_without_compiled_code_it_leaves_the_plan_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for the compiler: where the code is not there, the start is returned."""
    monkeypatch.setattr("optimizer.solve.sisr.engine.is_warm", lambda: False)
    assert solve(city_day(5, 1), 5.0, engines=(CompiledSearch(),)).engine == "construction"


def test_visits_too_late_after_each_other_are_farther_apart() -> None:
    """Of two visits at one distance the one that fits in time is nearer."""
    day = city_day(3, 0, mandatory_share=1.0)
    nine, ten = (TimeWindow(9 * 3600, 9 * 3600 + 60),), (TimeWindow(10 * 3600, 11 * 3600),)
    windows = (nine, nine, ten)
    visits = tuple(
        dataclasses.replace(visit, windows=spans, service_s=1200)
        for visit, spans in zip(day.visits, windows, strict=True)
    )
    metres, seconds = np.full_like(day.distance_m, 1000), np.full_like(day.duration_s, 120)
    np.fill_diagonal(metres, 0)
    np.fill_diagonal(seconds, 0)
    arrays, origin = arrays_of(
        Facts(day.replace(visits=visits, distance_m=metres, duration_s=seconds))
    )
    first = next(new for new, old in enumerate(origin) if old == [0])
    assert origin[arrays.near[first, 0]] == [2]


def known(state: State) -> dict[str, Any]:
    """Return all that is known about the tour of a state's only row."""
    [tour] = state.tours
    size = int(tour["length"])
    rows = ("nodes", "trip", "leg_s", "early", "late")
    found = {field: getattr(state, field)[0, 1 : size - 1].tolist() for field in rows}
    found["end"] = state.early[0, size - 1].tolist()
    found["load"] = state.load[0, : int(tour["trips"]) + 1].round(6).tolist()
    found["amount"] = state.amount.round(6).tolist()
    found["edges"] = sorted(state.edges[0, : int(tour["edges"])].tolist())
    for field in ("row", "position", "before", "after", "before_eur", "after_eur"):
        found[field] = state.visits[field][state.visits["row"] >= 0].tolist()
    for field in ("trips", "begin_s", "end_s", "driving_s", "served_s"):
        found[field] = int(tour[field])
    found["busy_eur"] = round(float(tour["busy_eur"]), 3)
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 9), st.integers(0, 999), st.integers(0, 2), st.data())
def test_grown_tour_is_known_as_if_it_were_new(
    visits: int, seed: int, breaks: int, data: st.DataObject
) -> None:
    """What is known about a tour after an insertion is what its nodes alone would say."""
    day = day_with(visits, seed, breaks)
    arrays, _ = arrays_of(Facts(day))
    yards = range(arrays.visits, arrays.visits + arrays.facilities)
    rest = list(range(1, arrays.visits))
    rest.insert(data.draw(st.integers(1, len(rest))), yards[0])
    rest += [yards[-1]] if rest[-1] < arrays.visits else []
    gap = data.draw(st.integers(0, len(rest) - 1))
    grown = new_state(arrays, {0: rest}, [0], range(arrays.visits), 0)
    anew = new_state(arrays, {0: [*rest[:gap], 0, *rest[gap:]]}, [], range(arrays.visits), 0)
    if not label(arrays, grown, 0) or not label(arrays, anew, 0):
        return
    grown.nodes[0], grown.tours["length"][0] = anew.nodes[0], len(rest) + 3
    assert extend(arrays, grown, 0, gap + 1)
    assert known(grown) == known(anew)


def _trip(tour: list[int], visit: int) -> list[int]:
    """Return the visits of the trip that one of them is in."""
    yard, at = max(tour), tour.index(visit)
    ends = [-1, *(i for i, node in enumerate(tour) if node == yard)]
    return next(tour[a + 1 : b] for a, b in itertools.pairwise(ends) if a < at < b)


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 10), st.integers(0, 999), st.integers(0, 2), st.data())
def test_tails_are_exchanged_as_well_as_brute_force_can(
    visits: int, seed: int, breaks: int, data: st.DataObject
) -> None:
    """Of all tails that begin with a visit of the other tour the cheapest that may is exchanged.

    Which may is looked up in constant time without knowing the whole tour; where breaks are owed
    after some hours, an exchange may be missed, but none that breaks a rule is made.
    """
    day = day_with(visits, seed, breaks)
    truck = dataclasses.replace(
        day.trucks[0], fixed_eur=50.0, max_stops=None, max_kg=None, max_litres=None
    )
    day = day.replace(trucks=tuple(dataclasses.replace(truck, id=name) for name in "ab"))
    P, _ = arrays_of(Facts(day))  # noqa: N806
    order = data.draw(st.permutations(range(P.visits)))
    barred = data.draw(st.sets(st.sampled_from(order), max_size=2))  # from the other truck
    for visit in barred:
        P.allowed[visit, int(visit in order[: P.visits // 2])] = False
    half, yard = P.visits // 2, P.visits
    tours = [[*order[:half], yard], [*order[half:], yard]]
    for tour in tours:
        middle = data.draw(st.integers(0, len(tour) - 2))
        tour[middle:middle] = [yard] if middle else []
    state = new_state(P, dict(enumerate(tours)), [], range(P.visits), seed)
    if ready(P, state) >= NEVER_S:
        return
    visit = data.draw(st.sampled_from(order[:half]))
    options = {}
    for j in range(len(tours[1])):
        if tours[1][j] == yard:
            continue
        at = tours[0].index(visit) + 1
        trip = [*_trip(tours[0], visit), *_trip(tours[1], tours[1][j])]
        fits = (P.need[0, trip].sum(axis=0) <= P.capacity[0]).all()
        if tours[0][at] == yard and (j == 0 or tours[1][j - 1] == yard):
            at += not (j == 0 and at + 1 == len(tours[0]) and fits)
        rest = [] if (cut := tours[0][at:]) == [yard] and not j else tours[1][:j] + cut
        changed = [tours[0][:at] + tours[1][j:], rest]
        other = new_state(P, dict(enumerate(changed)), [], range(P.visits), seed)
        allowed = all(P.allowed[v, r] for r in range(2) for v in changed[r] if v < yard)
        if allowed and ready(P, other) < NEVER_S:
            options[round(float(other.tours["busy_eur"].sum()), 3)] = changed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tails, "OVERLOOKED", 0.0)
        found = tails.exchange_tails(P, state, visit, IMPOSSIBLE, P.visits)
    nodes = [state.nodes[r, 1 : state.tours["length"][r] - 1].tolist() for r in range(2)]
    if found:
        assert nodes in options.values()
        assert breaks or nodes == options[min(options)]
    else:
        assert breaks or not options
        assert nodes == tours
    anew = new_state(P, dict(enumerate(nodes)), [], range(P.visits), seed)
    assert ready(P, anew) < NEVER_S
    for field in ("busy_eur", "begin_s", "end_s", "trips"):
        assert state.tours[field].tolist() == pytest.approx(anew.tours[field].tolist())


def test_a_load_that_stays_overnight_stays_where_it_is() -> None:
    """Behind the last unloading of a tour there is nothing to exchange."""
    day = day_with(6, 1, 0)
    trucks = (day.trucks[0], dataclasses.replace(day.trucks[0], id="other"))
    P, _ = arrays_of(Facts(day.replace(trucks=trucks)))  # noqa: N806
    half, yard = P.visits // 2, P.visits
    tours = {0: [*range(half - 1), yard, half - 1], 1: [*range(half, P.visits), yard]}
    state = new_state(P, tours, [], range(P.visits), 1)
    ready(P, state)
    assert not tails.exchange_tails(P, state, half - 1, IMPOSSIBLE, P.visits)
    assert plan_of(state, 0.0).tours[0].tolist() == tours[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 14), st.integers(0, 999), st.integers(0, 2), st.floats(0.01, 100.0))
def test_steps_that_are_not_kept_leave_nothing_behind(
    visits: int, seed: int, breaks: int, temperature: float
) -> None:
    """After steps given up, undone or kept, each visit is there once, and the cost is right."""
    P, _ = arrays_of(Facts(day_with(visits, seed, breaks, tight=0.8)))  # noqa: N806
    everything = range(P.visits)
    state, best = (new_state(P, {0: [], 1: []}, everything, everything, seed) for _ in range(2))
    cost = total(P, best) if ready(P, state) else 0.0
    members = np.arange(P.visits, dtype=np.int32)
    cost, least = anneal(P, state, best, members, 60, temperature, cost, cost)
    plan = plan_of(state, cost)
    nodes = np.concatenate([*plan.tours.values(), plan.left_out])
    assert sorted(nodes[nodes < P.visits].tolist()) == list(everything)
    assert cost == pytest.approx(cost_of(P, plan))
    assert least == pytest.approx(cost_of(P, plan_of(best, least)))


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 14), st.integers(0, 999), st.floats(0.9, 1.2))
def test_only_a_step_that_is_too_dear_is_given_up(visits: int, seed: int, share: float) -> None:
    """To put visits back is given up exactly where the plan would cost more than the bar."""
    day = day_with(visits, seed, 0)
    day = day.replace(trucks=tuple(dataclasses.replace(t, eur_per_h=0.0) for t in day.trucks))
    P, _ = arrays_of(Facts(day))  # noqa: N806
    start = mended(P, {0: np.array([*range(P.visits), P.visits], np.int32)})
    tours: dict[int, Any] = {0: start.tours.get(0, []), 1: []}
    members = np.arange(P.visits, dtype=np.int32)

    def step(share: float) -> tuple[bool, float]:
        """Return whether visits were all put back, and what the plan costs then."""
        state = new_state(P, tours, start.left_out, members, seed)
        cost = ready(P, state)
        picked = ruin.ruin(P, state, members)
        done = recreate.recreate(P, state, picked, cost, share * cost)
        return done, total(P, state)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("exchange_tails", "unload_anew"):  # what may make up for a dear place
            patch.setattr(recreate, name, lambda *_: None)
        _, cost = step(recreate.NEVER_EUR)
        done, found = step(share)
    assert done == (cost <= share * start.eur)
    assert not done or found == cost


@pytest.mark.parametrize("by_ways", [False, True])
@settings(max_examples=30, deadline=None)
@given(st.integers(2, 14), st.integers(0, 999), st.integers(0, 1), st.data())
def test_crossed_plans_are_whole_and_legal(
    by_ways: bool, visits: int, seed: int, breaks: int, data: st.DataObject
) -> None:
    """A plan with tours or ways of another has each visit once, in a legal tour or left out."""
    day = day_with(visits, seed, breaks)
    trucks = tuple(dataclasses.replace(day.trucks[0], id=name) for name in "abc")
    P, origin = arrays_of(Facts(day.replace(trucks=trucks)))  # noqa: N806
    random = np.random.default_rng(seed)

    def plan() -> Plan:
        """Return a plan at random: what does not fit into its tours is left out."""
        trucks = [data.draw(st.integers(0, 2)) for _ in range(P.visits)]
        tours = {
            truck: [v for v in data.draw(st.permutations(range(P.visits))) if trucks[v] == truck]
            for truck in range(3)
        }
        return mended(
            P, {t: np.array([*tour, P.visits], np.int32) for t, tour in tours.items() if tour}
        )

    def crossed(one: Plan, other: Plan) -> Plan | None:
        if by_ways:
            return assembled(P, one, other, range(3), random)
        return crossover(P, one, other, alike(P), random)

    one, other = plan(), plan()
    assert crossed(one, one) is None
    child = crossed(one, other)
    if child is None:
        return
    nodes = [int(node) for tour in child.tours.values() for node in tour]
    served = [node for node in nodes if node < P.visits]
    assert sorted([*served, *child.left_out.tolist()]) == list(range(P.visits))
    assert child.eur == pytest.approx(cost_of(P, child))
    found = solution_from(Builder(Facts(day.replace(trucks=trucks))), origin, child, "test", 0)
    report = check(day.replace(trucks=trucks), with_rest_reported(day, found))
    assert [v for v in report.violations if v.tour] == []


def loose_day(visits: int, **limits: Any) -> Problem:
    """Return a day of three trucks with room and time for everything, but for some limits."""
    day = city_day(visits, trucks=1, tight=100.0)
    truck = dataclasses.replace(
        day.trucks[0], shift=TimeWindow(0, 86_400), breaks=(), payload_kg=1e6, **limits
    )
    return day.replace(
        visits=tuple(dataclasses.replace(v, windows=(), service_s=0) for v in day.visits),
        facilities=tuple(dataclasses.replace(f, windows=()) for f in day.facilities),
        trucks=tuple(dataclasses.replace(truck, id=name) for name in "abc"),
        duration_s=day.duration_s // 20,
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 14), st.integers(0, 999), st.data())
def test_what_two_plans_have_in_common_stays(visits: int, seed: int, data: st.DataObject) -> None:
    """Where nothing limits tours, a plan assembled of two drives only ways of these."""
    P, _ = arrays_of(Facts(loose_day(visits)))  # noqa: N806

    def plan() -> Plan:
        order = data.draw(st.permutations(range(P.visits)))
        cuts = sorted(data.draw(st.tuples(*[st.integers(0, P.visits)] * 2)))
        tours = np.split(np.array(order, np.int32), cuts)
        return mended(P, {t: np.append(tour, np.int32(P.visits)) for t, tour in enumerate(tours)})

    def ways(plan: Plan) -> set[tuple[int, int]]:
        tours = [
            [node for node in tour.tolist() if node < P.visits] for tour in plan.tours.values()
        ]
        return {way for tour in tours for way in itertools.pairwise([-1, *tour, -1])}

    one, other = plan(), plan()
    assert len(one.left_out) == len(other.left_out) == 0
    child = assembled(P, one, other, range(3), np.random.default_rng(seed))
    if child is None:
        assert ways(one) - {(-1, -1)} == ways(other) - {(-1, -1)}
        return
    assert ways(child) <= ways(one) | ways(other) | {(-1, -1)}
    lost = set(child.left_out.tolist())
    assert {way for way in ways(one) & ways(other) if not lost & set(way)} <= ways(child) | {
        (-1, -1)
    }


def test_a_tour_that_cannot_be_kept_keeps_what_it_can() -> None:
    """Of a tour with more visits than its truck may make only what is too much is left out."""
    P, _ = arrays_of(Facts(loose_day(10, max_stops=4)))  # noqa: N806
    found = mended(P, {1: np.array([*range(9, -1, -1), P.visits], np.int32)})
    served = [node for node in found.tours[1].tolist() if node < P.visits]
    assert served == [9, 8, 7, 6]
    assert sorted(found.left_out.tolist()) == [0, 1, 2, 3, 4, 5]
    assert found.eur == pytest.approx(cost_of(P, found))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("crossing", ["crossover", "assembled"])
def test_a_day_that_is_begun_more_than_once_comes_out_no_worse(
    monkeypatch: pytest.MonkeyPatch, threads: int, crossing: str
) -> None:
    """Several beginnings, whose plans are then crossed, never cost more than the start."""
    day = day_with(16, 5)
    builder = Builder(Facts(day))
    start = solution_of(builder, Search(builder, 5).construct(), "construction", 5)
    arrays, origin = arrays_of(builder.facts)
    given = plan_from(arrays, origin, start)
    for name in ("ROUND_S", "SHORT_ROUND_S"):
        monkeypatch.setattr(campaign, name, 0.2 / arrays.visits)
    monkeypatch.setattr(campaign, "LONG", 1 if crossing == "assembled" else arrays.visits + 1)
    crossed: list[Plan | None] = []
    real = getattr(campaign, crossing)

    def told(*args: Any) -> Plan | None:
        crossed.append(real(*args))
        return crossed[-1]

    monkeypatch.setattr(campaign, crossing, told)
    found = Campaign(arrays, 1, threads).run(given, UNCOUNTED, monotonic() + 2.0)
    assert cost_of(arrays, found) <= given.eur + 1e-6
    assert crossed
    report = check(day, with_rest_reported(day, solution_from(builder, origin, found, "test", 1)))
    assert report.violations == ()


def test_a_truck_is_kept_where_hours_are_short() -> None:
    """A truck whose work the others have no hours for is not tried to be given up."""
    day = day_with(30, 1)
    visits = tuple(dataclasses.replace(v, windows=(), prize_eur=None) for v in day.visits)
    shift = TimeWindow(6 * 3600, 14 * 3600)
    trucks = tuple(
        dataclasses.replace(truck, id=str(n), shift=shift, fixed_eur=200.0, max_stops=None,
                            max_kg=None, max_litres=None)
        for n, truck in enumerate([day.trucks[0]] * 2)
    )  # fmt: skip

    def droppable(service_s: int) -> list[int]:
        slow = tuple(dataclasses.replace(visit, service_s=service_s) for visit in visits)
        near = day.replace(visits=slow, trucks=trucks, duration_s=day.duration_s // 20)
        facts = Facts(near)
        arrays, _ = arrays_of(facts)
        yard, half = arrays.visits, arrays.visits // 2
        tours = {
            0: np.array([*range(half), yard], np.int32),
            1: np.array([*range(half, yard), yard], np.int32),
        }
        plan = Plan(tours, np.zeros(0, np.int32), 0.0)
        return Campaign(arrays, 1, threads=1)._droppable(plan)

    assert droppable(60) == [0, 1]
    assert droppable(900) == []
