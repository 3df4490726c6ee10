"""The judge: every rule has a plan that breaks it, and exactly that violation is found."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from optimizer.check import Report, check
from optimizer.model import (
    BreakRule,
    Compartment,
    Facility,
    Problem,
    Reason,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Unserved,
    Visit,
)

H = 3600
A, B, C, YARD, OTHER = range(5)


def problem(**changes: Any) -> Problem:
    """Return three visits on a line, 10 minutes and 5 km apart, with a yard beyond the last.

    Depot 0, a 1, b 2, c 3, yard 4, other yard 5; the day is 6 to 14 o'clock.
    """
    line = np.arange(6)
    apart = np.abs(line[:, None] - line[None, :])
    truck = Truck(
        id="t1",
        start=0,
        end=0,
        shift=TimeWindow(6 * H, 14 * H),
        compartments=(
            Compartment(frozenset({0}), 900.0, 3000.0),
            Compartment(frozenset({1}), 900.0, 3000.0),
        ),
        payload_kg=1500.0,
        fixed_eur=50.0,
        eur_per_km=1.0,
        eur_per_h=60.0,
    )
    base = Problem(
        fractions=("white", "green"),
        visits=(
            Visit("a", 1, (300.0, 100.0), (1000.0, 400.0), 600),
            Visit("b", 2, (300.0, 100.0), (1000.0, 400.0), 600),
            Visit("c", 3, (300.0, 100.0), (1000.0, 400.0), 600),
        ),
        facilities=(
            Facility("yard", 4, frozenset({0, 1}), 900),
            Facility("other", 5, frozenset({1}), 900),
        ),
        trucks=(truck, dataclasses.replace(truck, id="t2")),
        duration_s=apart * 600,
        distance_m=apart * 5000.0,
    )
    return base.replace(**changes)


def with_truck(**changes: Any) -> Problem:
    """Return the problem with both trucks changed."""
    base = problem()
    return base.replace(trucks=tuple(dataclasses.replace(t, **changes) for t in base.trucks))


def with_visit(node: int, **changes: Any) -> Problem:
    """Return the problem with one visit changed."""
    base = problem()
    visits = list(base.visits)
    visits[node] = dataclasses.replace(visits[node], **changes)
    return base.replace(visits=tuple(visits))


def judged(
    day: Problem, *nodes: int, start_s: int = 6 * H, unserved: tuple[int, ...] = ()
) -> Report:
    """Judge one tour of the first truck."""
    left_out = tuple(Unserved(visit, Reason.TIME) for visit in unserved)
    return check(day, Solution((Tour(0, start_s, nodes),), left_out))


def found(report: Report) -> list[tuple[str, str | None, str | None, float | None, float | None]]:
    """Return what identifies each violation."""
    return [(v.rule, v.tour, v.visit, v.value, v.limit) for v in report.violations]


def test_a_legal_tour_is_timed_loaded_and_priced() -> None:
    """Arrivals, loads per trip, kilometres, hours and euro are what one reckons by hand."""
    report = judged(problem(), A, B, C, YARD)
    assert report.legal
    (tour,) = report.tours
    assert [n.arrival_s for n in tour.nodes] == [6 * H + 600 * k for k in (1, 3, 5, 7)]
    assert [n.departure_s - n.start_s for n in tour.nodes] == [600, 600, 600, 900]
    assert tour.end_s == 6 * H + 600 * 7 + 900 + 4 * 600
    assert tour.km == pytest.approx(40.0)
    assert tour.driving_s == 8 * 600
    assert tour.trips[0].kg == (900.0, 300.0)
    assert tour.trips[0].facilities == ("yard",)
    assert report.cost.fixed_eur == 50.0
    assert report.cost.km_eur == pytest.approx(40.0)
    assert report.cost.hours_eur == pytest.approx(tour.hours * 60.0)
    assert report.cost_eur == pytest.approx(90.0 + tour.hours * 60.0)


def test_waiting_for_a_window_to_open_is_legal() -> None:
    """Service starts when the window opens; with several windows, in the next one."""
    windows = (TimeWindow(6 * H, 6 * H + 60), TimeWindow(8 * H, 9 * H))
    report = judged(with_visit(A, windows=windows), A, B, C, YARD)
    assert report.legal
    assert report.tours[0].nodes[0].arrival_s == 6 * H + 600
    assert report.tours[0].nodes[0].start_s == 8 * H


def test_late_at_a_visit() -> None:
    """A visit reached after its window has closed; those after it are judged as well."""
    late = with_visit(B, windows=(TimeWindow(6 * H, 6 * H + 1000),))
    assert found(judged(late, A, B, C, YARD)) == [
        ("time window", "t1", "b", 6 * H + 1800, 6 * H + 1000)
    ]


def test_all_late_visits_are_named() -> None:
    """The schedule goes on after a violation, so that every one is found."""
    shut = (TimeWindow(6 * H, 6 * H + 60),)
    day = problem()
    day = day.replace(visits=tuple(dataclasses.replace(v, windows=shut) for v in day.visits))
    assert [v.visit for v in judged(day, A, B, C, YARD).violations] == ["a", "b", "c"]


def test_facility_is_closed() -> None:
    """Unloading after closing time breaks the facility's hours."""
    day = problem()
    yard = dataclasses.replace(day.facilities[0], windows=(TimeWindow(6 * H, 7 * H),))
    day = day.replace(facilities=(yard, day.facilities[1]))
    assert found(judged(day, A, B, C, YARD)) == [
        ("facility hours", "t1", "yard", 6 * H + 4200, 7 * H)
    ]


def test_tour_starts_before_the_shift() -> None:
    """A tour must not start before its truck's shift."""
    assert found(judged(problem(), A, B, C, YARD, start_s=5 * H)) == [
        ("shift", "t1", None, 5 * H, 6 * H)
    ]


def test_tour_ends_after_the_shift() -> None:
    """A tour has to be back before the shift ends."""
    day = with_truck(shift=TimeWindow(6 * H, 8 * H))
    assert found(judged(day, A, B, C, YARD)) == [("shift", "t1", None, 6 * H + 7500, 8 * H)]


def test_payload() -> None:
    """All compartments together exceed the payload: one violation with the trip's peak."""
    assert found(judged(with_truck(payload_kg=750.0), A, B, C, YARD)) == [
        ("payload", "t1", "b", 1200.0, 750.0)
    ]


@pytest.mark.parametrize(
    ("white", "expected"),
    [
        (Compartment(frozenset({0}), 700.0, 3000.0), ("compartment kg", "c", 900.0, 700.0)),
        (Compartment(frozenset({0}), 900.0, 1500.0), ("compartment litres", "b", 3000.0, 1500.0)),
    ],
)
def test_compartment(white: Compartment, expected: tuple[str, str, float, float]) -> None:
    """A compartment holds so many kilograms and so many litres, whatever the others do."""
    green = Compartment(frozenset({1}), 900.0, 3000.0)
    rule, visit, value, limit = expected
    assert found(judged(with_truck(compartments=(white, green)), A, B, C, YARD)) == [
        (rule, "t1", visit, value, limit)
    ]


def test_unloading_between_makes_room() -> None:
    """The same load in two trips is legal."""
    assert judged(with_truck(payload_kg=850.0), A, B, YARD, C, YARD).legal


def test_no_compartment_for_a_fraction() -> None:
    """A truck without a compartment for green cannot take green."""
    white = (Compartment(frozenset({0}), 900.0, 3000.0),)
    rules = [(v.rule, v.visit) for v in judged(with_truck(compartments=white), A, YARD,
             unserved=(B, C)).violations]  # fmt: skip
    assert rules == [("no compartment", "a")]


def test_facility_that_takes_nothing_of_it() -> None:
    """Unloading white glass where only green is accepted: refused, and not empty at the end."""
    day = with_visit(A, kg=(300.0, 0.0), litres=(1000.0, 0.0))
    assert found(judged(day, A, OTHER, unserved=(B, C))) == [
        ("facility acceptance", "t1", "other", None, None),
        ("ends empty", "t1", "other", 1000.0, 0),
    ]


def test_partial_unloading_leaves_the_rest_on_board() -> None:
    """A facility takes what it accepts; the rest has to go elsewhere before the end."""
    assert judged(problem(), A, OTHER, YARD, unserved=(B, C)).legal
    assert found(judged(problem(), A, OTHER, unserved=(B, C))) == [
        ("ends empty", "t1", "other", 1000.0, 0)
    ]


def test_ends_empty() -> None:
    """Without an unloading visit after the last stop the tour ends with its load on board."""
    assert found(judged(problem(), A, B, YARD, C)) == [("ends empty", "t1", "c", 1400.0, 0)]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"max_stops": 2}, ("max stops", 3, 2)),
        ({"max_kg": 1000.0}, ("max kg", 1200.0, 1000.0)),
        ({"max_litres": 4000.0}, ("max litres", 4200.0, 4000.0)),
        ({"max_driving_s": 4000}, ("driving time", 4800, 4000)),
        (
            {"max_driving_s": 4000, "driving_rule": "VO (EG) 561/2006 Art. 6"},
            ("VO (EG) 561/2006 Art. 6", 4800, 4000),
        ),
    ],
)
def test_limits_of_a_day(limit: dict[str, Any], expected: tuple[str, float, float]) -> None:
    """Stops, kilograms, litres and driving are limited over all trips of a day."""
    rule, value, allowed = expected
    assert found(judged(with_truck(**limit), A, B, C, YARD)) == [(rule, "t1", None, value, allowed)]


def test_driving_without_a_break() -> None:
    """Driving between breaks is limited; a break on the way starts it anew."""
    rule = "VO (EG) 561/2006 Art. 7"
    day = with_truck(max_driving_between_breaks_s=3000, driving_rule=rule)
    assert found(judged(day, A, B, C, YARD)) == [(rule, "t1", None, 4800, 3000)]
    pause = BreakRule(rule, 2700, 6 * H, 14 * H)
    rested = with_truck(max_driving_between_breaks_s=3000, driving_rule=rule, breaks=(pause,))
    report = judged(rested, A, B, C, YARD)
    assert report.legal
    assert report.tours[0].breaks[0].start_s == 6 * H + 3000 + 3 * 600 + 900


def test_break_that_does_not_fit() -> None:
    """A break that is due and has no place is cited with its paragraph, and nothing else is."""
    pause = BreakRule("ArbZG §4", 1800, 7 * H, 7 * H + 1200, 3600)
    day = with_truck(breaks=(pause,), shift=TimeWindow(6 * H, 6 * H + 8000))
    assert found(judged(day, A, B, C, YARD)) == [("ArbZG §4", "t1", None, 0, 1800)]


def test_break_never_during_a_service() -> None:
    """A service that spans all of the break's window leaves it no place."""
    pause = BreakRule("lunch", 600, 7 * H, 7 * H + 900)
    long = with_visit(B, service_s=7200, windows=(TimeWindow(6 * H, 6 * H + 2400),))
    long = long.replace(trucks=tuple(dataclasses.replace(t, breaks=(pause,)) for t in long.trucks))
    assert found(judged(long, A, B, C, YARD)) == [("lunch", "t1", None, 0, 600)]


def test_break_is_not_due_on_a_short_tour() -> None:
    """No break is owed by a tour that is short enough, or over before the break may start."""
    short = BreakRule("ArbZG §4", 1800, 6 * H, 7 * H, due_after_s=6 * H)
    early = BreakRule("lunch", 3600, 11 * H, 12 * H)
    report = judged(with_truck(breaks=(short, early)), A, B, C, YARD)
    assert report.legal
    assert report.tours[0].breaks == ()


def test_break_on_the_road() -> None:
    """A break may be taken half-way along a leg, and is placed there."""
    pause = BreakRule("ArbZG §4", 1200, 6 * H + 1300, 6 * H + 1400)
    (tour,) = judged(with_truck(breaks=(pause,)), A, B, C, YARD).tours
    (taken,) = tour.breaks
    assert (taken.leg, taken.start_s, taken.along_s) == (1, 6 * H + 1400, 200)
    assert tour.nodes[1].arrival_s == 6 * H + 1800 + 1200


def test_break_while_waiting_costs_no_time() -> None:
    """A break taken while waiting for a window delays nothing."""
    pause = BreakRule("ArbZG §4", 1800, 6 * H, 10 * H)
    day = with_visit(A, windows=(TimeWindow(8 * H, 9 * H),))
    day = day.replace(trucks=tuple(dataclasses.replace(t, breaks=(pause,)) for t in day.trucks))
    (tour,) = judged(day, A, B, C, YARD).tours
    assert tour.nodes[0].start_s == 8 * H
    assert tour.nodes[0].arrival_s == 6 * H + 600
    assert tour.hours == pytest.approx((2 * H + 600 * 6 + 900 + 4 * 600) / H)


def test_truck_that_may_not_go_there() -> None:
    """A visit that only another truck can serve."""
    assert found(judged(with_visit(B, trucks=frozenset({1})), A, B, C, YARD)) == [
        ("truck access", "t1", "b", None, None)
    ]


def test_no_road() -> None:
    """A leg without a road is named, and the rest is still judged."""
    seconds = problem().duration_s.copy()
    seconds[1, 2] = -1
    assert found(judged(problem(duration_s=seconds), A, B, C, YARD)) == [
        ("no road", "t1", "b", None, None)
    ]


def test_served_twice() -> None:
    """A visit stands in two tours, or twice in one."""
    twice = Solution((Tour(0, 6 * H, (A, B, YARD)), Tour(1, 6 * H, (B, C, YARD))))
    assert found(check(problem(), twice)) == [("duplicate visit", "t2", "b", 2, 1)]
    assert found(judged(problem(), A, B, C, YARD, A, YARD)) == [
        ("duplicate visit", "t1", "a", 2, 1)
    ]


def test_one_tour_per_vehicle() -> None:
    """A truck has one tour a day."""
    both = Solution((Tour(0, 6 * H, (A, B, YARD)), Tour(0, 9 * H, (C, YARD))))
    assert found(check(problem(), both)) == [("one tour per vehicle", "t1", None, 2, 1)]


def test_missing_visit() -> None:
    """A mandatory visit is served or reported; an optional one may be left out in silence."""
    assert found(judged(problem(), A, B, YARD)) == [("missing visit", None, "c", None, None)]
    assert judged(problem(), A, B, YARD, unserved=(C,)).legal
    optional = judged(with_visit(C, prize_eur=12.0), A, B, YARD)
    assert optional.legal
    assert optional.cost.prizes_eur == 12.0
    assert optional.mandatory_unserved == ()


def test_served_and_reported_unserved() -> None:
    """A visit cannot be both."""
    assert found(judged(problem(), A, B, C, YARD, unserved=(A,))) == [
        ("served and unserved", None, "a", None, None)
    ]


def test_unknown_ids() -> None:
    """Trucks, nodes and unserved visits that the problem does not have."""
    wild = Solution(
        (Tour(0, 6 * H, (A, B, C, 99, YARD)), Tour(7, 6 * H, (A,))),
        (Unserved(42, Reason.TIME),),
    )
    assert [(v.rule, v.tour, v.visit) for v in check(problem(), wild).violations] == [
        ("unknown id", "t1", "99"),
        ("unknown id", "7", None),
        ("unknown id", None, "42"),
    ]


def test_several_mistakes_are_all_found() -> None:
    """Independent mistakes in one plan are each reported, once."""
    day = with_truck(payload_kg=750.0, max_stops=2)
    rules = [v.rule for v in judged(day, A, B, C, start_s=5 * H).violations]
    assert sorted(rules) == ["ends empty", "max stops", "payload", "shift"]
