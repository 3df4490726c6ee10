"""The judge's rules beyond the common ones: legal, just illegal, and what is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.check import Report, check
from optimizer.check.queue import earliest_start
from optimizer.model import (
    BreakRule,
    Energy,
    Problem,
    QueueSpan,
    Solution,
    TimeWindow,
    Tour,
    Underway,
)
from tests.unit.test_check import YARD, A, B, C, H, found, problem, with_truck
from tests.unit.test_check import judged as judge

# A tour A, B, C, YARD ends at 8:45: 8 legs of 10 min, 3 services of 10 min, 15 min at the yard.
LENGTH_S = 8 * 600 + 3 * 600 + 900


def judged(day: Problem, *nodes: int, start_s: int = 6 * H) -> Report:
    """Judge one tour of the first truck; what it does not visit is reported as unserved."""
    left_out = tuple(sorted({A, B, C} - set(nodes)))
    return judge(day, *nodes, start_s=start_s, unserved=left_out)


def message(report: Report) -> str:
    """Return the message of the one violation."""
    (violation,) = report.violations
    return violation.message


def with_queue(*spans: QueueSpan, windows: tuple[TimeWindow, ...] = ()) -> Problem:
    """Return the problem with a queue at the yard."""
    base = problem()
    yard = dataclasses.replace(base.facilities[0], queue=spans, windows=windows)
    return base.replace(facilities=(yard, *base.facilities[1:]))


def underway(**changes: Any) -> Problem:
    """Return the problem with the first truck underway at 8:00, at site a, loaded half."""
    base = problem()
    done: dict[str, Any] = {"kg": (300.0, 100.0), "litres": (900.0, 300.0), "started_s": 6 * H}
    truck = dataclasses.replace(
        base.trucks[0], start=1, shift=TimeWindow(8 * H, 14 * H), underway=Underway(**done)
    )
    mine = {name: changes.pop(name) for name in list(changes) if hasattr(truck, name)}
    truck = dataclasses.replace(truck, **mine)
    assert truck.underway is not None
    truck = dataclasses.replace(truck, underway=dataclasses.replace(truck.underway, **changes))
    return base.replace(trucks=(truck, base.trucks[1]))


def test_a_queue_delays_who_comes_in_its_hour() -> None:
    """A truck at the yard at 7:10 waits the 20 min of the hour, and unloads then."""
    report = judged(with_queue(QueueSpan(7 * H, 1200), QueueSpan(9 * H, 0)), A, B, C, YARD)
    assert report.legal
    (tour,) = report.tours
    yard = tour.nodes[-1]
    assert (yard.arrival_s, yard.start_s) == (7 * H + 600, 7 * H + 1800)
    assert yard.departure_s == yard.start_s + 900


def test_a_truck_waits_outside_where_that_is_quicker() -> None:
    """Who would wait an hour in the queue comes in ten minutes, when there is none."""
    report = judged(with_queue(QueueSpan(7 * H, H), QueueSpan(7 * H + 1200, 0)), A, B, C, YARD)
    assert report.tours[0].nodes[-1].start_s == 7 * H + 1200


def test_the_queue_is_joined_within_opening_hours() -> None:
    """Joining in the last second is legal, a second later the facility is closed."""
    spans = (QueueSpan(7 * H, 1200),)
    assert judged(with_queue(*spans, windows=(TimeWindow(0, 7 * H + 600),)), A, B, C, YARD).legal
    late = judged(with_queue(*spans, windows=(TimeWindow(0, 7 * H + 599),)), A, B, C, YARD)
    assert found(late) == [("facility hours", "t1", "yard", 7 * H + 600, 7 * H + 599)]
    assert message(late) == ("tour t1: service at yard could start at 07:10, has to by 07:09:59")


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), max_size=4),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), max_size=2),
    st.integers(0, 50),
)
def test_service_starts_as_early_as_any_wait_allows(
    steps: list[tuple[int, int]], spans: list[tuple[int, int]], ready: int
) -> None:
    """Against brute force: the best of every second at which a truck could join; and in order."""
    queue = [QueueSpan(at, wait) for at, wait in sorted(dict(steps).items())]
    windows = [TimeWindow(opens, opens + length) for opens, length in spans]

    def wait(at: int) -> int:
        return next((s.wait_s for s in reversed(queue) if s.from_s <= at), 0)

    def best(since: int) -> int | None:
        joins = [
            at
            for at in range(since, 120)
            if not windows or any(w.earliest_s <= at <= w.latest_s for w in windows)
        ]
        return min((at + wait(at) for at in joins), default=None)

    assert earliest_start(windows, queue, ready) == best(ready)
    later = earliest_start(windows, queue, ready + 1)
    assert later is None or later >= (best(ready) or 0)


def test_a_load_may_stay_overnight_where_that_is_allowed() -> None:
    """The same tour without an unloading is legal for one truck and not for the other."""
    assert judged(with_truck(overnight_load_allowed=True), A, B).legal
    refused = judged(problem(), A, B)
    assert found(refused) == [("ends empty", "t1", "b", 2800.0, 0)]
    assert message(refused) == (
        "tour t1: ends with 800 kg, 2800 litres on board; it has to unload before its end"
    )


def test_a_load_that_stays_overnight_still_has_to_fit() -> None:
    """Three sites exceed a compartment whether the truck unloads today or tomorrow."""
    day = with_truck(overnight_load_allowed=True, payload_kg=1199.0)
    assert [v.rule for v in judged(day, A, B, C).violations] == ["payload"]


def test_energy_counts_kilometres_and_lifts() -> None:
    """40 km at 1.6 kWh and 3 lifts at 0.5 kWh: 65.5 kWh; a watt-hour less is too little."""
    enough = Energy(75.5, 1.6, 0.5, reserve_kwh=10.0)
    report = judged(with_truck(energy=enough), A, B, C, YARD)
    assert report.legal
    assert report.tours[0].used_kwh == pytest.approx(65.5)
    short = dataclasses.replace(enough, charge_kwh=75.499)
    report = judged(with_truck(energy=short), A, B, C, YARD)
    assert [v.rule for v in report.violations] == ["battery"]
    assert message(report) == (
        "tour t1: uses 65.5 kWh, 65.499 kWh are allowed (75.499 kWh less 10 kWh of reserve)"
    )


def test_several_lifts_at_a_site_take_energy_each() -> None:
    """A site of four containers takes four lifts."""
    day = with_truck(energy=Energy(70.0, 1.6, 0.5))
    sites = tuple(dataclasses.replace(visit, lifts=4) for visit in day.visits)
    assert judged(day.replace(visits=sites), A, B, C, YARD).tours[0].used_kwh == pytest.approx(70.0)


def test_overtime_costs_more_from_its_second_on() -> None:
    """Half an hour beyond the regular length costs half of the price of an hour."""
    day = with_truck(overtime_after_s=LENGTH_S - 1800, overtime_eur_per_h=30.0)
    report = judged(day, A, B, C, YARD)
    assert report.cost.overtime_eur == pytest.approx(15.0)
    assert report.cost_eur == pytest.approx(judged(problem(), A, B, C, YARD).cost_eur + 15.0)
    day = with_truck(overtime_after_s=LENGTH_S, overtime_eur_per_h=30.0)
    assert judged(day, A, B, C, YARD).cost.overtime_eur == 0.0


def test_unequal_tours_have_a_price_that_is_no_money() -> None:
    """The longest tour less the shortest, per hour; part of the score, not of the cost."""
    day = with_truck().replace(balance_eur_per_h=6.0)
    plan = Solution((Tour(0, 6 * H, (A, B, C, YARD)), Tour(1, 6 * H, ())))
    assert check(day, plan).cost.balance_eur == 0.0
    plan = Solution((Tour(0, 6 * H, (C, YARD)), Tour(1, 6 * H, (A, B, YARD))))
    report = check(day, plan)
    assert report.cost.balance_eur == pytest.approx(1.0)
    assert report.score == pytest.approx((0, report.cost_eur + 1.0))


def test_a_tour_may_not_be_longer_than_it_may() -> None:
    """Its whole length is legal, a second less is not."""
    assert judged(with_truck(max_tour_s=LENGTH_S), A, B, C, YARD).legal
    report = judged(with_truck(max_tour_s=LENGTH_S - 1), A, B, C, YARD)
    assert found(report) == [("tour length", "t1", None, LENGTH_S, LENGTH_S - 1)]
    assert message(report) == "tour t1: takes 2:05 h, 2:04:59 h are allowed"


def test_a_tour_starts_by_the_latest_start() -> None:
    """At the second it is legal, a second later it is not."""
    day = with_truck(latest_start_s=7 * H)
    assert judged(day, A, YARD, start_s=7 * H).legal
    report = judged(day, A, YARD, start_s=7 * H + 1)
    assert found(report) == [("latest start", "t1", None, 7 * H + 1, 7 * H)]
    assert message(report) == "tour t1: starts at 07:00:01, has to by 07:00"


HALVES = (
    BreakRule("ArbZG §4", 900, 6 * H, 7 * H),
    BreakRule("ArbZG §4", 900, 7 * H, 8 * H),
)


def test_a_break_may_be_divided_where_a_chain_says_so() -> None:
    """Where half an hour has no place, two quarters of an hour may have one each."""
    whole = BreakRule("ArbZG §4", 1800, 6 * H, 6 * H + 2399)
    sites = problem().visits
    visits = (
        dataclasses.replace(sites[A], windows=(TimeWindow(0, 6 * H + 1500),)),
        dataclasses.replace(sites[B], windows=(TimeWindow(0, 6 * H + 3599),)),
        sites[C],
    )
    day = with_truck(breaks=(whole,)).replace(visits=visits)
    assert message(judged(day, A, B, C, YARD)) == (
        "tour t1: a break of 30 min is due and does not fit; it has to start between 06:00 and "
        "06:39:59"
    )
    divided = with_truck(breaks=(whole,), break_options=(HALVES,)).replace(visits=visits)
    report = judged(divided, A, B, C, YARD)
    assert report.legal
    assert [pause.end_s - pause.start_s for pause in report.tours[0].breaks] == [900, 900]


def test_the_first_part_of_a_divided_break_does_not_end_a_stretch() -> None:
    """VO (EG) 561/2006 Art. 7: 15 min and then 30 min; after the 15 min driving counts on."""
    quarter = BreakRule("Art. 7", 900, 6 * H, 7 * H, resets_driving=False)
    half = BreakRule("Art. 7", 1800, 6 * H, 9 * H)
    limit = {"max_driving_between_breaks_s": 2400, "driving_rule": "VO (EG) 561/2006 Art. 7"}
    assert judged(with_truck(breaks=(quarter, half), **limit), A, B, C, YARD).legal
    report = judged(with_truck(breaks=(quarter,), **limit), A, B, C, YARD)
    assert found(report) == [("VO (EG) 561/2006 Art. 7", "t1", None, 4800, 2400)]


def test_a_truck_underway_starts_loaded_where_it_stands() -> None:
    """What it carries counts towards its limits, and is unloaded with the rest."""
    report = judged(underway(), B, YARD, start_s=8 * H)
    assert report.legal
    (tour,) = report.tours
    assert tour.trips[0].kg == (600.0, 200.0)
    assert tour.fixed_eur == 0.0
    assert tour.km == pytest.approx(35.0)
    assert judged(underway(), B, C, YARD, start_s=8 * H).legal
    full = judged(underway(kg=(601.0, 100.0)), B, YARD, start_s=8 * H)
    assert [(v.rule, v.visit, v.value) for v in full.violations] == [("compartment kg", "b", 901.0)]


def test_a_truck_underway_comes_home_empty_whether_planned_or_not() -> None:
    """With load on board and no tour it still has to unload; without load it drives home."""
    assert message(judged(underway())) == (
        "tour t1: ends with 400 kg, 1200 litres on board; it has to unload before its end"
    )
    empty = underway(kg=(0.0, 0.0), litres=(0.0, 0.0))
    report = judged(empty)
    assert report.legal
    assert report.tours[0].km_eur == pytest.approx(5.0)
    assert judged(underway(), YARD, start_s=8 * H).legal


@pytest.mark.parametrize(
    ("rule", "just", "over"),
    [
        ("max stops", {"max_stops": 5, "stops": 4}, {"max_stops": 4, "stops": 4}),
        ("max kg", {"max_kg": 900.0, "kg_today": 500.0}, {"max_kg": 899.0, "kg_today": 500.0}),
        (
            "max litres",
            {"max_litres": 3000.0, "litres_today": 1600.0},
            {"max_litres": 2999.0, "litres_today": 1600.0},
        ),
        (
            "driving time",
            {"max_driving_s": 7800, "driven_s": 3600},
            {"max_driving_s": 7799, "driven_s": 3600},
        ),
        (
            "driving without a break",
            {"max_driving_between_breaks_s": 7200, "driven_since_break_s": 3000},
            {"max_driving_between_breaks_s": 7199, "driven_since_break_s": 3000},
        ),
        (
            "tour length",
            {"max_tour_s": 2 * H + 4200 + 1500},
            {"max_tour_s": 2 * H + 4200 + 1499},
        ),
        (
            "battery",
            {"energy": Energy(100.0, 1.0, 1.0), "used_kwh": 64.0},
            {"energy": Energy(100.0, 1.0, 1.0), "used_kwh": 64.1},
        ),
    ],
)
def test_what_a_truck_has_done_counts(
    rule: str, just: dict[str, Any], over: dict[str, Any]
) -> None:
    """Each limit of a day spans what was done before and what is planned now."""
    assert judged(underway(**just), B, YARD, start_s=8 * H).legal
    report = judged(underway(**over), B, YARD, start_s=8 * H)
    assert [violation.rule for violation in report.violations] == [rule]


def test_breaks_and_overtime_count_from_when_the_tour_began() -> None:
    """After two hours underway a break is due that a new tour would not owe yet."""
    pause = BreakRule("ArbZG §4", 1800, 6 * H, 8 * H + 600, due_after_s=2 * H + 4200 + 1500)
    legal = judged(underway(breaks=(pause,)), B, YARD, start_s=8 * H)
    assert legal.legal
    assert not legal.tours[0].breaks
    owed = dataclasses.replace(pause, due_after_s=pause.due_after_s - 1)
    report = judged(underway(breaks=(owed,)), B, YARD, start_s=8 * H)
    assert report.legal
    assert len(report.tours[0].breaks) == 1
    paid = judged(underway(overtime_after_s=2 * H, overtime_eur_per_h=36.0), B, YARD, start_s=8 * H)
    assert paid.cost.overtime_eur == pytest.approx((4200 + 1500) / 100)
    assert paid.cost.hours_eur == pytest.approx((4200 + 1500) / 60)


def test_a_stretch_that_was_too_long_may_not_go_on() -> None:
    """A driver who has driven too long already needs a break before anything else."""
    limit: dict[str, Any] = {"max_driving_between_breaks_s": 4500, "driven_since_break_s": 5000}
    report = judged(underway(**limit), B, YARD, start_s=8 * H)
    assert [violation.rule for violation in report.violations] == ["driving without a break"]
    pause = BreakRule("ArbZG §4", 1800, 6 * H, 8 * H)
    rested = judged(underway(breaks=(pause,), **limit), B, YARD, start_s=8 * H)
    assert rested.legal
