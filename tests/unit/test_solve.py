"""Solving: legal plans, true reasons, parts against brute force, and what must never happen."""

from __future__ import annotations

import dataclasses
import random
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.check import check
from optimizer.model import (
    Problem,
    Reason,
    Solution,
    TimeWindow,
    Tour,
    Unserved,
    empty_problem,
)
from optimizer.solve import solve
from optimizer.solve.engines import RuinAndRecreate
from optimizer.solve.facts import Facts
from optimizer.solve.ortools_engine import OrTools
from optimizer.solve.route import Builder
from optimizer.solve.unload import place_unloadings
from tests.fixtures.problems import city_day

if TYPE_CHECKING:
    from typing import Any

H = 3600
QUICK = 0.05


def reasons(solution: Solution) -> dict[int, Reason]:
    """Return the reason of each visit left out."""
    return {entry.visit: entry.reason for entry in solution.unserved}


def with_first(day: Problem, **changes: Any) -> Problem:
    """Return a day whose first visit is changed."""
    return day.replace(visits=(dataclasses.replace(day.visits[0], **changes), *day.visits[1:]))


@given(st.integers(1, 25), st.integers(0, 10_000), st.sampled_from([0.25, 0.5, 1.0]))
@settings(max_examples=12)
def test_plans_are_legal_and_complete(visits: int, seed: int, tight: float) -> None:
    """Each visit is served or left out with a reason; the judge finds nothing."""
    day = city_day(visits, seed, tight=tight)
    solution = solve(day, 20.0, seed, effort=QUICK)
    assert check(day, solution).legal
    served = {node for tour in solution.tours for node in tour.nodes if day.is_visit(node)}
    left_out = {entry.visit for entry in solution.unserved}
    assert served | left_out == set(range(visits))
    assert not served & left_out


def test_same_seed_same_plan() -> None:
    """A plan depends on the problem, the seed and the effort, as long as time is enough."""
    day = city_day(15, 4)
    assert solve(day, 60.0, 7, effort=QUICK) == solve(day, 60.0, 7, effort=QUICK)


def test_no_time_still_gives_a_plan() -> None:
    """With a budget of nothing the construction answers, legally."""
    day = city_day(40, 1, tight=0.4)
    solution = solve(day, 0.0)
    assert solution.engine == "construction"
    assert check(day, solution).legal
    assert solution.tours


def test_progress_tells_of_better_and_better_plans() -> None:
    """The first plan is told at once, each further one is better, the last is the answer."""
    day, told = city_day(25, 1), list[tuple[float, tuple[int, float]]]()
    solution = solve(day, 20.0, effort=QUICK, progress=lambda *one: told.append(one))
    scores = [score for _, score in told]
    assert scores == sorted(set(scores), reverse=True)
    assert [seconds for seconds, _ in told] == sorted(seconds for seconds, _ in told)
    assert check(day, solution).score <= scores[-1]


def test_never_worse_than_its_start() -> None:
    """A good plan given as the start comes back at least as good."""
    day = city_day(25, 2, tight=0.5)
    good = solve(day, 60.0, 1, effort=0.6)
    again = solve(day, 60.0, 99, warm_start=good, effort=0.01)
    assert check(day, again).score <= check(day, good).score


def test_illegal_start_is_not_believed() -> None:
    """A start that breaks rules is not returned."""
    day = city_day(10, 2)
    nonsense = Solution((Tour(0, 0, tuple(range(10))),))
    assert check(day, solve(day, 10.0, warm_start=nonsense, effort=QUICK)).legal


def test_several_unloads_a_day() -> None:
    """Where a truck is small the day becomes several trips, each within the truck's limits."""
    day = city_day(30, 5, trucks=2, mandatory_share=1.0, tight=0.35)
    report = check(day, solve(day, 20.0, effort=0.1))
    assert report.legal
    assert max(len(tour.trips) for tour in report.tours) >= 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kg": (1e5, 0.0, 0.0)}, Reason.CAPACITY),
        ({"windows": (TimeWindow(0, 60),)}, Reason.WINDOW),
        ({"trucks": frozenset()}, Reason.NO_TRUCK),
        ({"service_s": 12 * H, "windows": ()}, Reason.TIME),
    ],
)
def test_reason_of_an_impossible_visit(changes: dict[str, Any], reason: Reason) -> None:
    """What no truck can serve says why; the rest is planned as ever."""
    day = with_first(city_day(10, 3, mandatory_share=1.0), **changes)
    solution = solve(day, 10.0, effort=QUICK)
    assert reasons(solution) == {0: reason}


def test_reason_no_road() -> None:
    """A visit without a road to it is unreachable."""
    day = city_day(10, 3, mandatory_share=1.0)
    seconds = day.duration_s.copy()
    seconds[:, 3] = -1
    assert reasons(solve(day.replace(duration_s=seconds), 10.0, effort=QUICK)) == {
        0: Reason.UNREACHABLE
    }


def test_reason_no_facility_takes_it() -> None:
    """What no facility accepts cannot be collected."""
    day = city_day(6, 3, mandatory_share=1.0)
    only_white = tuple(dataclasses.replace(f, accepts=frozenset({0})) for f in day.facilities)
    solution = solve(day.replace(facilities=only_white), 10.0, effort=QUICK)
    for index, visit in enumerate(day.visits):
        white_only = not any(visit.litres[1:])
        assert (reasons(solution).get(index) == Reason.NO_TRUCK) != white_only


def test_reason_not_worth_it_says_what_it_would_cost() -> None:
    """A prize below what a visit adds is left alone, with the euro it would have added."""
    day = with_first(city_day(12, 6, mandatory_share=1.0), prize_eur=0.01)
    solution = solve(day, 20.0, effort=QUICK)
    (entry,) = solution.unserved
    assert (entry.visit, entry.reason) == (0, Reason.NOT_WORTH_IT)
    assert entry.extra_eur is not None
    assert entry.extra_eur > 0.01


def test_reason_the_day_is_full() -> None:
    """More work than the fleet has hours for: what is left out says time."""
    day = city_day(60, 6, trucks=1, mandatory_share=1.0)
    solution = solve(day, 5.0, effort=QUICK)
    assert check(day, solution).legal
    assert set(reasons(solution).values()) == {Reason.TIME}


def test_worthy_prizes_are_collected() -> None:
    """With prizes beyond any cost everything that fits is served."""
    day = city_day(12, 8)
    day = day.replace(visits=tuple(dataclasses.replace(v, prize_eur=5e3) for v in day.visits))
    assert solve(day, 20.0, effort=QUICK).unserved == ()


def test_facilities_that_share_the_fractions() -> None:
    """Where each facility takes a part, a tour goes to all it needs before its end."""
    day = city_day(8, 2, mandatory_share=1.0)
    first, second = day.facilities
    shared = (
        dataclasses.replace(first, accepts=frozenset({0})),
        dataclasses.replace(second, accepts=frozenset({1, 2})),
    )
    day = day.replace(facilities=shared)
    solution = solve(day, 20.0, effort=QUICK)
    assert check(day, solution).legal
    assert solution.unserved == ()


def test_a_tour_starts_no_earlier_than_it_has_to() -> None:
    """Hours cost money, so nobody waits for the first window in the truck."""
    windows = (TimeWindow(10 * H, 13 * H),)
    day = city_day(3, 2, mandatory_share=1.0)
    day = day.replace(visits=tuple(dataclasses.replace(v, windows=windows) for v in day.visits))
    (tour,) = check(day, solve(day, 10.0, effort=QUICK)).tours
    assert tour.nodes[0].arrival_s == tour.nodes[0].start_s


def test_nothing_to_do() -> None:
    """An empty problem has an empty plan; without trucks everything is left out."""
    assert solve(empty_problem(), 1.0) == Solution((), (), "none", 0)
    day = city_day(3, 1).replace(trucks=())
    assert reasons(solve(day, 1.0)) == dict.fromkeys(range(3), Reason.NO_TRUCK)


@pytest.mark.parametrize("engine", [RuinAndRecreate(), OrTools()])
def test_each_engine_alone_improves_a_plan(engine: RuinAndRecreate | OrTools) -> None:
    """Every engine makes the construction better, and stays legal."""
    day = city_day(25, 11, tight=0.5)
    start = check(day, solve(day, 0.0))
    better = solve(day, 30.0, 1, effort=0.2, engines=(engine,))
    assert check(day, better).legal
    assert check(day, better).score < start.score
    assert better.engine != "construction"


@given(st.integers(1, 8), st.integers(0, 10_000), st.sampled_from([0.1, 0.2, 0.5]))
def test_unloadings_are_placed_as_well_as_brute_force_can(
    visits: int, seed: int, tight: float
) -> None:
    """Of all ways to unload after some visits at some facility, the cheapest is found."""
    day = city_day(visits, seed, trucks=1, tight=tight)
    facts = Facts(day)
    kind = facts.kinds[0]
    order = [visit for visit in range(visits) if kind.takes[visit]]
    random.Random(seed).shuffle(order)
    placed = place_unloadings(facts, kind, order)
    assert placed is not None
    cheapest = float("inf")
    yards = range(visits, visits + 2)
    for choice in product([None, *yards], repeat=len(order)):
        if order and choice[-1] is None:
            continue
        load = np.zeros(len(kind.capacity))
        at, cost, fits = kind.truck.start, 0.0, True
        for visit, unload in zip(order, choice, strict=True):
            load = load + kind.need[visit]
            fits = fits and bool((load <= kind.capacity).all())
            stations = [facts.location[n] for n in (visit, unload) if n is not None]
            for place in stations:
                cost += kind.cost[at, place]
                at = place
            if unload is not None:
                load[:] = 0
                cost += facts.service_s[unload] * (kind.eur_per_s + 1e-9)
        if fits:
            cheapest = min(cheapest, cost + kind.cost[at, kind.truck.end])
    assert placed[1] == pytest.approx(cheapest)


@given(st.integers(1, 10), st.integers(0, 10_000))
def test_the_engines_clock_is_never_more_optimistic_than_the_judge(visits: int, seed: int) -> None:
    """A route that the engines build is legal, and ends when they say."""
    day = city_day(visits, seed, trucks=1, tight=0.4)
    builder = Builder(Facts(day))
    order = list(range(visits))
    random.Random(seed).shuffle(order)
    route = builder.from_visits(0, [v for v in order if builder.facts.allowed(v, 0)])
    if route is None or not route.nodes:
        return
    left_out = tuple(Unserved(v, Reason.TIME) for v in set(range(visits)) - set(route.visits))
    report = check(day, Solution((Tour(0, route.start_s, route.nodes),), left_out))
    assert report.legal
    assert report.tours[0].end_s <= route.end_s
