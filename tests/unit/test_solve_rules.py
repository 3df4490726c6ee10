"""The search keeps the rules beyond the common ones, and makes use of what they allow."""

from __future__ import annotations

import dataclasses
from itertools import product
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.check import check
from optimizer.model import (
    BreakRule,
    Compartment,
    Energy,
    Facility,
    Problem,
    QueueSpan,
    Reason,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Underway,
    Unserved,
    Visit,
)
from optimizer.solve import solve
from optimizer.solve.days import solution_of
from optimizer.solve.demands import Demand, demands
from optimizer.solve.facts import Facts
from optimizer.solve.ortools_engine import HONOURED, OrTools
from optimizer.solve.route import Builder
from optimizer.solve.search import Search
from optimizer.solve.unload import place_unloadings
from tests.fixtures.problems import city_day, ruled_day

if TYPE_CHECKING:
    from collections.abc import Callable

H = 3600
QUICK = 0.03


def with_fleet(day: Problem, **changes: Any) -> Problem:
    """Return a day whose trucks are changed."""
    return day.replace(trucks=tuple(dataclasses.replace(t, **changes) for t in day.trucks))


def queued(day: Problem) -> Problem:
    """Return a day with queues in the forenoon."""
    spans = (QueueSpan(8 * H, 1500), QueueSpan(12 * H, 300), QueueSpan(13 * H, 0))
    return day.replace(
        facilities=tuple(dataclasses.replace(yard, queue=spans) for yard in day.facilities)
    )


def split_in_two(day: Problem) -> Problem:
    """Return a day on which half an hour of break may be two quarters."""
    rule = day.trucks[0].breaks[0]
    first = dataclasses.replace(rule, duration_s=900, latest_start_s=10 * H, resets_driving=False)
    second = dataclasses.replace(rule, duration_s=900, earliest_start_s=10 * H)
    return with_fleet(day, break_options=((first, second),), max_driving_between_breaks_s=2 * H)


ONE_RULE: dict[Demand, Callable[[Problem], Problem]] = {
    Demand.QUEUE: queued,
    Demand.OVERNIGHT_LOAD: lambda day: with_fleet(day, overnight_load_allowed=True),
    Demand.ENERGY: lambda day: with_fleet(day, energy=Energy(100.0, 1.6, 0.5, 20.0)),
    Demand.OVERTIME: lambda day: with_fleet(day, overtime_after_s=5 * H, overtime_eur_per_h=40.0),
    Demand.BALANCE: lambda day: day.replace(balance_eur_per_h=50.0),
    Demand.UNDERWAY: lambda day: ruled_day(len(day.visits), 3, mandatory_share=1.0),
    Demand.DIVIDED_BREAK: split_in_two,
    Demand.LATEST_START: lambda day: with_fleet(day, latest_start_s=6 * H + 1800),
    Demand.TOUR_LENGTH: lambda day: with_fleet(day, max_tour_s=5 * H),
}


@pytest.mark.parametrize("demand", ONE_RULE)
def test_a_day_with_a_rule_gets_a_legal_plan_that_serves(demand: Demand) -> None:
    """The judge finds nothing, and the rule does not keep the trucks at home."""
    day = ONE_RULE[demand](city_day(14, 3, mandatory_share=1.0))
    assert demand in demands(day)
    solution = solve(day, 20.0, 1, effort=QUICK)
    report = check(day, solution)
    assert report.legal, report.violations
    assert sum(day.is_visit(node) for tour in solution.tours for node in tour.nodes) >= 10


@given(st.integers(1, 12), st.integers(0, 1000), st.sets(st.sampled_from(list(ONE_RULE))))
@settings(max_examples=15, deadline=None)
def test_rules_together_get_legal_plans(visits: int, seed: int, asked: set[Demand]) -> None:
    """Whatever rules come together, each visit is served lawfully or left out with a reason."""
    day = ruled_day(visits, seed) if Demand.UNDERWAY in asked else city_day(visits, seed)
    for demand in sorted(asked - {Demand.UNDERWAY}):
        day = ONE_RULE[demand](day)
    solution = solve(day, 20.0, seed, effort=QUICK)
    assert check(day, solution).legal
    served = {node for tour in solution.tours for node in tour.nodes if day.is_visit(node)}
    assert served | {entry.visit for entry in solution.unserved} == set(range(visits))


def line(*, visits: int = 4, **changes: Any) -> Problem:
    """Return visits of 100 kg on a line, 10 min and 5 km apart, with a yard beyond the last.

    One truck of 250 kg, from 6 to 20 o'clock; a kilometre costs 1 euro.
    """
    at = np.arange(visits + 2)
    apart = np.abs(at[:, None] - at[None, :])
    truck = Truck(
        "t", 0, 0, TimeWindow(6 * H, 20 * H), (Compartment(frozenset({0}), 250.0, 1e6),), 250.0,
        fixed_eur=10.0, eur_per_km=1.0,
    )  # fmt: skip
    return Problem(
        ("waste",),
        tuple(Visit(f"v{n}", n + 1, (100.0,), (100.0,), 600) for n in range(visits)),
        (Facility("yard", visits + 1, frozenset({0}), 600),),
        (dataclasses.replace(truck, **changes),),
        apart * 600,
        apart * 5000.0,
    )


def test_a_truck_waits_or_comes_later_when_the_queue_is_long() -> None:
    """With an hour of queue until eight, a crew paid by the hour leaves so as to miss it."""
    day = line(visits=2, eur_per_h=60.0)
    yard = dataclasses.replace(day.facilities[0], queue=(QueueSpan(0, H), QueueSpan(8 * H, 0)))
    day = day.replace(facilities=(yard,))
    report = check(day, solve(day, 5.0, effort=QUICK))
    assert report.legal
    (tour,) = report.tours
    assert tour.nodes[-1].arrival_s == tour.nodes[-1].start_s >= 8 * H
    assert tour.hours == pytest.approx((6 * 600 + 3 * 600) / 3600)


def test_a_load_that_may_stay_is_not_driven_to_the_yard() -> None:
    """Two visits fit on board: the yard beyond them is not worth the way, if it need not be."""
    day = line(visits=2)
    assert [t.nodes for t in solve(day, 5.0, effort=QUICK).tours] == [(0, 1, 2)]
    allowed = line(visits=2, overnight_load_allowed=True)
    report = check(allowed, solve(allowed, 5.0, effort=QUICK))
    assert report.legal
    assert report.tours[0].km == pytest.approx(20.0)


def test_a_battery_decides_how_far_a_truck_goes() -> None:
    """50 km are enough for all, a little less for none but nothing: the yard is the farthest."""
    day = line(energy=Energy(54.0, 1.0, 1.0))
    assert len(solve(day, 5.0, effort=QUICK).unserved) == 2  # two trips would be 70 km
    short = line(energy=Energy(50.5, 1.0, 1.0))
    solution = solve(short, 5.0, effort=QUICK)
    assert check(short, solution).legal
    assert len(solution.unserved) == 4
    assert {entry.reason for entry in solution.unserved} == {Reason.TIME}


def test_a_truck_underway_unloads_even_if_nothing_is_left_to_visit() -> None:
    """Loaded, without any visit: its tour leads to the yard and home; empty, it has none."""
    done = Underway((200.0,), (200.0,), 5 * H)
    day = line(visits=0, underway=done)
    solution = solve(day, 5.0, effort=QUICK)
    assert [tour.nodes for tour in solution.tours] == [(0,)]
    assert check(day, solution).legal
    light = line(visits=0, underway=Underway((0.0,), (0.0,), 5 * H))
    solution = solve(light, 5.0, effort=QUICK)
    assert solution.tours == ()
    assert check(light, solution).legal


def test_a_truck_underway_has_the_room_that_is_left() -> None:
    """With 200 of 250 kg on board nothing more is collected before the yard."""
    day = line(underway=Underway((200.0,), (200.0,), 5 * H))
    solution = solve(day, 5.0, effort=QUICK)
    report = check(day, solution)
    assert report.legal
    assert not report.mandatory_unserved
    assert solution.tours[0].nodes[0] == 4


def test_an_overfull_truck_unloads_first() -> None:
    """A truck that carries more than it may can still be planned: it unloads, and goes on."""
    day = line(underway=Underway((300.0,), (300.0,), 5 * H))
    report = check(day, solve(day, 5.0, effort=QUICK))
    assert report.legal
    assert not report.mandatory_unserved


def test_a_truck_that_cannot_come_home_in_time_does_not_stop_the_others() -> None:
    """The judge names the truck that is late whatever is done; the others have their tours."""
    day = line(visits=2, shift=TimeWindow(6 * H, 6 * H + 60), start=2,
               underway=Underway((0.0,), (0.0,), 5 * H))  # fmt: skip
    other = dataclasses.replace(line().trucks[0], id="other")
    day = day.replace(trucks=(*day.trucks, other))
    solution = solve(day, 5.0, effort=QUICK)
    report = check(day, solution)
    assert {violation.tour for violation in report.violations} == {"t"}
    assert not report.mandatory_unserved


def test_a_late_start_keeps_a_limit_of_length() -> None:
    """A visit that opens at noon does not make a tour of six hours: the truck leaves later."""
    day = line(visits=2, max_tour_s=2 * H)
    late = dataclasses.replace(day.visits[1], windows=(TimeWindow(12 * H, 13 * H),))
    day = day.replace(visits=(day.visits[0], late))
    report = check(day, solve(day, 5.0, effort=QUICK))
    assert report.legal
    assert not report.mandatory_unserved


def test_balance_moves_work_to_the_shorter_tour() -> None:
    """Where tours cost the same, a price on their difference makes them equal."""
    at = np.abs(np.arange(-4, 5)[:, None] - np.arange(-4, 5)[None])
    base = line(visits=1)
    trucks = tuple(dataclasses.replace(base.trucks[0], id=f"t{n}", start=4, end=4, fixed_eur=0.0,
                                       payload_kg=1e5, max_stops=5) for n in range(2))  # fmt: skip
    visits = tuple(
        Visit(f"v{n}", place, (1.0,), (1.0,), 600) for n, place in enumerate([1, 2, 3, 5, 6, 7])
    )
    yard = Facility("yard", 4, frozenset({0}), 600)
    day = Problem(("waste",), visits, (yard,), trucks, at * 600, at * 5000.0,
                  balance_eur_per_h=1000.0)  # fmt: skip
    report = check(day, solve(day, 5.0, effort=0.2))
    assert report.cost.balance_eur == 0.0
    assert not report.mandatory_unserved


@given(
    st.lists(st.integers(50, 150), min_size=0, max_size=5),
    st.integers(0, 250),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_unloadings_are_placed_as_well_as_brute_force_can(
    loads: list[int], carried: int, overnight: bool
) -> None:
    """With a load on board or one that may stay: all subsets of gaps are no cheaper."""
    day = line(
        visits=len(loads), overnight_load_allowed=overnight,
        underway=Underway((float(carried),), (float(carried),), 5 * H),
    )  # fmt: skip
    sites = tuple(
        dataclasses.replace(v, kg=(float(kg),)) for v, kg in zip(day.visits, loads, strict=True)
    )
    day = day.replace(visits=sites)
    facts = Facts(day)
    placed = place_unloadings(facts, facts.kinds[0], range(len(loads)))
    yard = len(loads)
    best = np.inf
    for gaps in product([False, True], repeat=len(loads) + 1):
        nodes = [yard] if gaps[0] else []
        for visit, unload in enumerate(gaps[1:]):
            nodes += [visit, yard] if unload else [visit]
        report = check(day, Solution((Tour(0, 6 * H, tuple(nodes)),)))
        if not report.violations:
            best = min(best, report.distance_m)
    assert placed is not None
    found = check(day, Solution((Tour(0, 6 * H, tuple(placed[0])),)))
    assert found.legal
    assert found.distance_m == pytest.approx(best)


def test_or_tools_polishes_tours_that_end_elsewhere() -> None:
    """Where a truck's night place is not where it starts, OR-Tools still begins with the plan."""
    day = city_day(14, 3, mandatory_share=1.0)
    day = with_fleet(day, end=day.facilities[0].location)
    builder = Builder(Facts(day))
    start = solution_of(builder, Search(builder, 1).construct(), "construction", 1)
    found = OrTools().improve(day, builder, start, monotonic() + 20.0, 1, 1.0)
    assert found is not None
    served = {node for tour in found.tours for node in tour.nodes if node < 14}
    assert served == set(range(14))


@pytest.mark.parametrize("demand", sorted(HONOURED))
def test_or_tools_polishes_lawfully_what_it_knows(demand: Demand) -> None:
    """From a first plan OR-Tools finds one that is no worse, and the judge finds nothing."""
    day = ONE_RULE[demand](city_day(14, 3, mandatory_share=1.0))
    builder = Builder(Facts(day))
    search = Search(builder, 1)
    start = solution_of(builder, search.construct(), "construction", 1)
    found = OrTools().improve(day, builder, start, monotonic() + 20.0, 1, 1.0)
    assert found is not None
    before, after = (
        check(
            day,
            dataclasses.replace(
                one,
                unserved=tuple(
                    Unserved(v, Reason.TIME)
                    for v in set(range(14)) - {node for tour in one.tours for node in tour.nodes}
                ),
            ),
        )
        for one in (start, found)
    )
    assert after.legal, after.violations
    assert after.score <= before.score


def test_the_clock_agrees_with_the_judge_about_queues_and_divided_breaks() -> None:
    """What the engines' clock calls feasible ends exactly when the judge says."""
    random = np.random.default_rng(5)
    agreed = 0
    for seed in range(60):
        day = split_in_two(queued(city_day(6, seed)))
        builder = Builder(Facts(day))
        nodes = (*random.permutation(6)[:4].tolist(), 6 + int(random.integers(2)))
        route = builder.build(0, nodes)
        if route is None:
            continue
        left_out = tuple(Unserved(v, Reason.TIME) for v in range(6) if v not in nodes)
        report = check(day, Solution((Tour(0, route.start_s, nodes),), left_out))
        assert report.legal
        assert report.tours[0].end_s <= route.end_s
        agreed += 1
    assert agreed > 20


def test_a_chain_of_breaks_that_fits_is_found() -> None:
    """A break in one piece has no place between two narrow windows, one in two parts has."""
    whole = BreakRule("ArbZG §4", 1800, 6 * H, 6 * H + 2399)
    halves = (BreakRule("ArbZG §4", 900, 6 * H, 7 * H), BreakRule("ArbZG §4", 900, 7 * H, 8 * H))
    day = line(visits=2, breaks=(whole,))
    sites = (
        dataclasses.replace(day.visits[0], windows=(TimeWindow(0, 6 * H + 1500),)),
        dataclasses.replace(day.visits[1], windows=(TimeWindow(6 * H + 1800, 6 * H + 3599),)),
    )
    day = day.replace(visits=sites)
    truck = dataclasses.replace(day.trucks[0], break_options=(halves,))
    assert solve(day, 5.0, effort=QUICK).unserved
    divided = day.replace(trucks=(truck,))
    solution = solve(divided, 5.0, effort=QUICK)
    assert check(divided, solution).legal
    assert not solution.unserved
