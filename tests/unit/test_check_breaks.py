"""Break placement against brute force: every second of the day is tried on small tours."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from optimizer.check.schedule import Leg, due, schedule
from optimizer.model import BreakRule, Compartment, TimeWindow, Truck

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 40
NEVER = 10**6


def truck(breaks: Sequence[BreakRule], limit: int | None) -> Truck:
    """Return a truck with these breaks, and a limit of driving between them."""
    return Truck(
        id="t",
        start=0,
        end=0,
        shift=TimeWindow(0, DAY),
        compartments=(Compartment(frozenset({0}), 1.0, 1.0),),
        payload_kg=1.0,
        breaks=tuple(breaks),
        max_driving_between_breaks_s=limit,
    )


def earliest_end(one: Truck, legs: Sequence[Leg]) -> int:
    """Return the earliest legal end, found by trying everything second by second.

    The state is where the truck stands: on which leg, how far along it, at what time, how many
    of the chosen breaks are taken, and how long it has driven since the last one. In each second
    it drives on, waits, or begins a break or, at the end of a leg, the service.
    """
    limit = one.max_driving_between_breaks_s

    def with_breaks(taken: tuple[BreakRule, ...]) -> int:
        @cache
        def best(leg: int, along: int, now: int, count: int, driven: int) -> int:
            if now > DAY:
                return NEVER
            options = [NEVER]
            here = legs[leg]
            if along < here.travel_s:
                if limit is None or driven < limit:
                    options.append(best(leg, along + 1, now + 1, count, driven + 1))
            else:
                opened = not here.windows or any(
                    w.earliest_s <= now <= w.latest_s for w in here.windows
                )
                if opened and leg + 1 == len(legs) and count == len(taken):
                    options.append(now)
                if opened and leg + 1 < len(legs):
                    options.append(best(leg + 1, 0, now + here.service_s, count, driven))
            if count < len(taken):
                rule = taken[count]
                if rule.earliest_start_s <= now <= rule.latest_start_s:
                    options.append(best(leg, along, now + rule.duration_s, count + 1, 0))
            options.append(best(leg, along, now + 1, count, driven))
            return min(options)

        return best(0, 0, 0, 0, 0)

    ends = [NEVER]
    for size in range(len(one.breaks) + 1):
        for taken in combinations(one.breaks, size):
            end = with_breaks(taken)
            if not any(due(r, 0, end) for r in one.breaks if r not in taken):
                ends.append(end)
    return min(ends)


@st.composite
def rules(draw: st.DrawFn, name: str) -> BreakRule:
    """Draw a break rule."""
    start = draw(st.integers(0, 20))
    return BreakRule(
        name,
        draw(st.integers(1, 5)),
        start,
        start + draw(st.integers(0, 10)),
        draw(st.sampled_from([0, 0, 12, 25])),
    )


@st.composite
def legs(draw: st.DrawFn) -> list[Leg]:
    """Draw a tour of one to three services."""
    count = draw(st.integers(1, 3))
    found = []
    for number in range(count):
        windows = []
        if draw(st.booleans()):
            opens = draw(st.integers(0, 25))
            windows.append(TimeWindow(opens, opens + draw(st.integers(0, 8))))
            if draw(st.booleans()):
                again = windows[0].latest_s + draw(st.integers(2, 6))
                windows.append(TimeWindow(again, again + draw(st.integers(0, 4))))
        found.append(
            Leg(draw(st.integers(0, 8)), draw(st.integers(0, 5)), tuple(windows), "w", str(number))
        )
    return [*found, Leg(draw(st.integers(0, 8)), 0, (TimeWindow(0, DAY),), "shift", None)]


@given(
    legs(),
    st.one_of(st.just([]), st.tuples(rules("one")), st.tuples(rules("one"), rules("two"))),
    st.one_of(st.none(), st.integers(4, 20)),
)
def test_breaks_are_placed_as_well_as_brute_force_can(
    tour: list[Leg], breaks: Sequence[BreakRule], limit: int | None
) -> None:
    """A legal schedule is found where there is one, and it ends as early as any; else it is not."""
    one = truck(breaks, limit)
    placed = schedule(one, 0, tour)
    best = earliest_end(one, tour)
    if best >= NEVER:
        assert placed.violations
    else:
        assert not placed.violations
        assert placed.end_s == best


@given(legs(), st.tuples(rules("one"), rules("two")), st.one_of(st.none(), st.integers(4, 20)))
def test_a_placed_break_keeps_its_own_rule(
    tour: list[Leg], breaks: Sequence[BreakRule], limit: int | None
) -> None:
    """Breaks start within their span, in order, last as long as they must, outside services."""
    placed = schedule(truck(breaks, limit), 0, tour)
    by_name = {rule.rule: rule for rule in breaks}
    last_end = 0
    for pause in placed.breaks:
        rule = by_name[pause.rule]
        assert rule.earliest_start_s <= pause.start_s <= rule.latest_start_s
        assert pause.end_s - pause.start_s == rule.duration_s
        assert pause.start_s >= last_end
        last_end = pause.end_s
        assert 0 <= pause.along_s <= tour[pause.leg].travel_s
        for times in placed.times:
            assert pause.end_s <= times.start_s or pause.start_s >= times.departure_s
