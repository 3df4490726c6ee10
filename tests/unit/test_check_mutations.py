"""The judge by mutation: whatever is changed in a tight plan is caught, and named."""

import dataclasses
from functools import cache

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optimizer.check import check
from optimizer.model import (
    BreakRule,
    Compartment,
    Energy,
    Facility,
    Problem,
    QueueSpan,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Underway,
    Visit,
)

H = 3600
TOURS, PER_TOUR, YARD = 3, 6, 18


@cache
def tight() -> tuple[Problem, Solution]:
    """Return a plan without slack: every window, load, break and shift is used up.

    Each truck serves six visits, unloads after three and six, and takes its lunch on the way; each
    window closes at the very second at which the visit is reached.
    """
    random = np.random.default_rng(3)
    places = TOURS * PER_TOUR + 2
    xy = random.uniform(0, 9000, (places, 2))
    metres = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1))
    seconds = np.rint(metres / 8).astype(np.int64) + 30
    np.fill_diagonal(seconds, 0)
    loose = TimeWindow(0, 24 * H)
    visits = tuple(
        Visit(f"v{n}", n + 2, (100.0 + n,), (400.0,), 300, (loose,))
        for n in range(TOURS * PER_TOUR)
    )
    nodes = [
        (*range(t * PER_TOUR, t * PER_TOUR + 3), YARD,
         *range(t * PER_TOUR + 3, (t + 1) * PER_TOUR), YARD)
        for t in range(TOURS)
    ]  # fmt: skip
    trucks = []
    for number in range(TOURS):
        loads = [
            sum(visits[v].kg[0] for v in nodes[number] if v != YARD and v % PER_TOUR // 3 == half)
            for half in (0, 1)
        ]
        trucks.append(
            Truck(f"t{number}", 0, 0, TimeWindow(6 * H, 24 * H),
                  (Compartment(frozenset({0}), 9e9, 1200.0),), max(loads),
                  (BreakRule("lunch", 900, 6 * H + 1200, 6 * H + 2400),), max_stops=PER_TOUR)
        )  # fmt: skip
    yard = Facility("yard", 1, frozenset({0}), 600)
    day = Problem(("waste",), visits, (yard,), tuple(trucks), seconds, metres)
    plan = Solution(tuple(Tour(t, 6 * H, nodes[t]) for t in range(TOURS)))
    report = check(day, plan)
    assert report.legal
    closing = {n.node: n.start_s for tour in report.tours for n in tour.nodes if n.node != YARD}
    day = day.replace(
        visits=tuple(
            dataclasses.replace(v, windows=(TimeWindow(0, closing[n]),))
            for n, v in enumerate(visits)
        ),
        trucks=tuple(
            dataclasses.replace(truck, shift=TimeWindow(6 * H, report.tours[n].end_s))
            for n, truck in enumerate(trucks)
        ),
    )
    assert check(day, plan).legal
    return day, plan


tours = st.integers(0, TOURS - 1)
positions = st.integers(0, PER_TOUR + 1)


def changed(plan: Solution, number: int, nodes: tuple[int, ...]) -> Solution:
    """Return a plan in which one tour has other nodes."""
    all_tours = list(plan.tours)
    all_tours[number] = dataclasses.replace(all_tours[number], nodes=nodes)
    return dataclasses.replace(plan, tours=tuple(all_tours))


@given(tours, positions, tours, positions)
def test_moving_a_node_is_caught(source: int, at: int, target: int, to: int) -> None:
    """A visit or unloading that moves elsewhere makes something late, too heavy or not empty."""
    day, plan = tight()
    nodes = list(plan.tours[source].nodes)
    node = nodes.pop(at)
    moved = changed(plan, source, tuple(nodes))
    rest = list(moved.tours[target].nodes)
    rest.insert(to, node)
    moved = changed(moved, target, tuple(rest))
    report = check(day, moved)
    assert report.legal == (moved.tours == plan.tours)
    touched = {f"t{source}", f"t{target}"}
    assert {v.tour for v in report.violations} <= touched


@given(tours, positions)
def test_dropping_a_node_is_caught(number: int, at: int) -> None:
    """A visit dropped is missing; an unloading dropped leaves too much on board."""
    day, plan = tight()
    nodes = list(plan.tours[number].nodes)
    node = nodes.pop(at)
    rules = {(v.rule, v.visit) for v in check(day, changed(plan, number, tuple(nodes))).violations}
    if node == YARD:
        last = day.node_id(nodes[-1])
        expected = "ends empty" if at == PER_TOUR + 1 else "payload"
        assert expected in {rule for rule, _ in rules}
        assert at != PER_TOUR + 1 or ("ends empty", last) in rules
    else:
        assert rules == {("missing visit", day.node_id(node))}


@given(tours, positions, tours, positions)
def test_serving_twice_is_caught(source: int, at: int, target: int, to: int) -> None:
    """A visit served a second time is named; an unloading more makes the tour late."""
    day, plan = tight()
    node = plan.tours[source].nodes[at]
    nodes = list(plan.tours[target].nodes)
    nodes.insert(to, node)
    report = check(day, changed(plan, target, tuple(nodes)))
    assert not report.legal
    twice = [v.visit for v in report.violations if v.rule == "duplicate visit"]
    assert twice == ([] if node == YARD else [day.node_id(node)])


@given(tours, st.integers(1, 4 * H))
def test_starting_later_is_caught(number: int, delay_s: int) -> None:
    """One second of delay is too much where there is no slack."""
    day, plan = tight()
    all_tours = list(plan.tours)
    all_tours[number] = dataclasses.replace(all_tours[number], start_s=6 * H + delay_s)
    report = check(day, dataclasses.replace(plan, tours=tuple(all_tours)))
    assert not report.legal
    assert {v.tour for v in report.violations} == {f"t{number}"}
    assert {v.rule for v in report.violations} <= {"time window", "shift", "lunch"}


@given(tours, positions, positions)
def test_swapping_two_nodes_is_caught(number: int, one: int, other: int) -> None:
    """The order matters: two nodes of a tour that change places break something."""
    day, plan = tight()
    nodes = list(plan.tours[number].nodes)
    same = nodes[one] == nodes[other]
    nodes[one], nodes[other] = nodes[other], nodes[one]
    assert check(day, changed(plan, number, tuple(nodes))).legal == same


@cache
def tight_rules() -> tuple[Problem, Solution]:
    """Return a plan whose only limits are the rules beyond the common ones, each used up.

    The first truck has just the energy that it needs, the second just the length of tour and the
    latest start, the third is underway with a load and has just the stops and kilograms left.
    """
    day, plan = tight()
    yard = dataclasses.replace(day.facilities[0], queue=(QueueSpan(0, 300), QueueSpan(8 * H, 1200)))
    free = day.replace(
        visits=tuple(dataclasses.replace(v, windows=(), lifts=1 + n % 3)
                     for n, v in enumerate(day.visits)),
        facilities=(yard,),
        trucks=tuple(
            dataclasses.replace(
                truck, shift=TimeWindow(6 * H, 24 * H), payload_kg=9e9, max_stops=None, breaks=(),
                compartments=(Compartment(frozenset({0}), 9e9, 9e9),),
            )
            for truck in day.trucks
        ),
    )  # fmt: skip
    electric, timed, out = free.trucks
    energy = Energy(1e6, 1.6, 0.5, 20.0)
    done = Underway((50.0,), (90.0,), 5 * H, 1200, 1200, 3, 900.0, 800.0)
    loose = free.replace(
        trucks=(
            dataclasses.replace(electric, energy=energy), timed,
            dataclasses.replace(out, underway=done),
        )
    )  # fmt: skip
    one, two, three = check(loose, plan).tours
    collected = sum(sum(day.visit(node.node).kg) for node in three.nodes if node.node != YARD)
    return (
        loose.replace(
            trucks=(
                dataclasses.replace(
                    electric, energy=dataclasses.replace(energy, charge_kwh=one.used_kwh + 20.0)
                ),
                dataclasses.replace(
                    timed, max_tour_s=two.end_s - two.start_s, latest_start_s=6 * H
                ),
                dataclasses.replace(
                    out, underway=done, max_stops=3 + PER_TOUR, max_kg=900.0 + collected,
                    max_tour_s=three.end_s - 5 * H, max_driving_s=1200 + three.driving_s,
                ),
            )
        ),
        plan,
    )  # fmt: skip


def test_the_tight_plan_of_the_further_rules_is_legal() -> None:
    """Every limit is reached and none is exceeded."""
    day, plan = tight_rules()
    assert check(day, plan).legal


RULES = {"t0": {"battery"}, "t1": {"tour length", "latest start"},
         "t2": {"max stops", "max kg", "tour length", "driving time"}}  # fmt: skip


@given(tours, positions, tours, positions)
def test_a_visit_more_exceeds_a_further_rule(source: int, at: int, target: int, to: int) -> None:
    """Whatever is taken over from another tour exceeds the one limit that the tour has."""
    day, plan = tight_rules()
    node = plan.tours[source].nodes[at]
    if source == target or node == YARD:
        return
    rest = tuple(other for other in plan.tours[source].nodes if other != node)
    nodes = list(plan.tours[target].nodes)
    nodes.insert(to, node)
    moved = changed(changed(plan, source, rest), target, tuple(nodes))
    wrong = [v for v in check(day, moved).violations if v.tour == f"t{target}"]
    assert wrong
    assert {v.rule for v in wrong} <= RULES[f"t{target}"]


@given(st.sampled_from([1, 2]), st.integers(1, 2 * H))
def test_a_later_start_exceeds_a_further_rule(number: int, delay_s: int) -> None:
    """A truck that has to be gone by six is late; one underway works longer than it may."""
    day, plan = tight_rules()
    late = dataclasses.replace(plan.tours[number], start_s=6 * H + delay_s)
    tours = (*plan.tours[:number], late, *plan.tours[number + 1 :])
    rules = {v.rule for v in check(day, dataclasses.replace(plan, tours=tours)).violations}
    assert {1: "latest start", 2: "tour length"}[number] in rules


@given(tours)
def test_a_dropped_last_unloading_is_caught(number: int) -> None:
    """Whatever else is free, a truck comes home empty; so does one underway with no tour at all."""
    day, plan = tight_rules()
    kept = changed(plan, number, plan.tours[number].nodes[:-1])
    assert "ends empty" in {v.rule for v in check(day, kept).violations}
    gone = check(day, changed(plan, number, ()))
    assert ("ends empty" in {v.rule for v in gone.violations}) == (number == 2)
