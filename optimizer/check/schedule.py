"""The earliest schedule of one tour, with breaks placed exactly.

Labels run along the tour. A label says: so many breaks taken, ready to leave at this time, driven
so long since the last break, with so many rules broken. Labels that are no better in anything are
dropped. A break on a leg is best taken as late as it may be: what comes after it is then earliest,
and the driving left after it shortest; so each leg offers one place per break. Going on after a
broken rule is part of the labels too, so what is reported is the schedule that breaks fewest.
`tests/unit/test_check_breaks.py` compares this with brute force over every second of small tours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from optimizer.check.hours import began_s, too_long
from optimizer.check.queue import earliest_start
from optimizer.check.report import TimedBreak, Violation, clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.model import BreakRule, QueueSpan, TimeWindow, Truck


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg and the service at its end.

    Attributes:
        travel_s: driving time.
        service_s: time at its end.
        windows: spans in which service there may start.
        rule: what is broken when it starts too late.
        visit: id of the node at its end; None at the tour's end.
        queue: the wait before service there, by when a truck joins.
    """

    travel_s: int
    service_s: int
    windows: tuple[TimeWindow, ...]
    rule: str
    visit: str | None
    queue: tuple[QueueSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """Arrival, start of service and departure at the end of a leg."""

    arrival_s: int
    start_s: int
    departure_s: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule that breaks fewest rules and, among those, ends first."""

    times: tuple[Times, ...]
    breaks: tuple[TimedBreak, ...]
    violations: tuple[Violation, ...]

    @property
    def end_s(self) -> int:
        """When the tour ends."""
        return self.times[-1].departure_s


class _Label(NamedTuple):
    broken: int
    ready_s: int
    driven_s: int
    before: _Label | None
    times: Times | None
    breaks: tuple[TimedBreak, ...]
    violations: tuple[Violation, ...]


def schedule(truck: Truck, start_s: int, legs: Sequence[Leg]) -> Schedule:
    """Schedule a tour that leaves at `start_s`; the last leg leads to its end.

    Of several chains of breaks it keeps the one that serves it best.
    """
    candidates = (
        option
        for chain in truck.break_chains
        for count in range(len(chain) + 1)
        for taken in combinations(chain, count)
        for option in _options(truck, start_s, legs, chain, taken)
    )
    return min(candidates, key=lambda option: option[0])[1]


def due(rule: BreakRule, start_s: int, end_s: int) -> bool:
    """Whether a tour of this span owes a break."""
    return end_s > rule.earliest_start_s and end_s - start_s > rule.due_after_s


def _options(
    truck: Truck,
    start_s: int,
    legs: Sequence[Leg],
    chain: tuple[BreakRule, ...],
    taken: tuple[BreakRule, ...],
) -> Iterator[tuple[tuple[int, int, int, int], Schedule]]:
    """Yield the schedules with exactly these breaks of a chain, each with what it is compared by.

    Where a break fits only at the price of another rule, it is the break that does not fit.
    """
    for label in _forward(truck, start_s, legs, taken):
        owed = tuple(
            _break_missing(truck, rule)
            for rule in chain
            if rule not in taken and due(rule, began_s(truck, start_s), label.ready_s)
        )
        owed += too_long(truck, start_s, label.ready_s)
        key = (label.broken + len(owed), label.broken, label.ready_s, len(taken))
        yield key, _trace(label, owed)


def _forward(
    truck: Truck, start_s: int, legs: Sequence[Leg], taken: tuple[BreakRule, ...]
) -> list[_Label]:
    latest = _latest_starts(taken)
    front: list[list[_Label]] = [[] for _ in range(len(taken) + 1)]
    front[0] = [_Label(0, start_s, _driven_before_s(truck), None, None, (), ())]
    for index, leg in enumerate(legs):
        following: list[list[_Label]] = [[] for _ in front]
        for count, labels in enumerate(front):
            for label in labels:
                for more, arrived in _drive(
                    truck, index, leg, label, taken[count:], latest[count:]
                ):
                    following[count + more].append(arrived)
        front = [_undominated(labels) for labels in following]
    return front[-1]


def _driven_before_s(truck: Truck) -> int:
    return 0 if truck.underway is None else truck.underway.driven_since_break_s


def _latest_starts(taken: tuple[BreakRule, ...]) -> list[int]:
    """Latest starts that leave room for the breaks after."""
    latest: list[int] = []
    bound: int | None = None
    for rule in reversed(taken):
        own = rule.latest_start_s
        bound = own if bound is None else min(own, bound - rule.duration_s)
        latest.append(bound)
    return latest[::-1]


def _drive(
    truck: Truck,
    index: int,
    leg: Leg,
    label: _Label,
    rules: tuple[BreakRule, ...],
    latest: list[int],
) -> Iterator[tuple[int, _Label]]:
    """Yield the labels at the end of a leg after 0, 1, ... of the next breaks on it."""
    limit = truck.max_driving_between_breaks_s
    now_s, along_s, driven_s = label.ready_s, 0, label.driven_s
    arrived_s: int | None = None  # known before the last break where that is taken on arrival
    breaks: tuple[TimedBreak, ...] = ()
    for taken in range(len(rules) + 1):
        rest_s = leg.travel_s - along_s
        over = _driven_too_long(truck, leg, driven_s, driven_s + rest_s)
        arrival_s = now_s + rest_s if arrived_s is None else arrived_s
        times, late = _serve(truck, leg, arrival_s, now_s + rest_s)
        broken = over + late
        yield (
            taken,
            _Label(
                label.broken + len(broken), times.departure_s,
                driven_s + rest_s if limit is not None else 0,
                label, times, breaks, broken,
            ),
        )  # fmt: skip
        if taken == len(rules):
            return
        rule = rules[taken]
        ahead_s = min(rest_s, latest[taken] - now_s)
        if limit is not None:
            ahead_s = min(ahead_s, max(0, limit - driven_s))
        begin_s = max(now_s + ahead_s, rule.earliest_start_s)
        if ahead_s < 0 or begin_s > latest[taken]:
            return
        along_s += ahead_s
        if along_s == leg.travel_s and arrived_s is None:
            arrived_s = now_s + ahead_s
        now_s = begin_s + rule.duration_s
        driven_s = 0 if rule.resets_driving else driven_s + ahead_s
        breaks = (*breaks, TimedBreak(rule.rule, begin_s, now_s, index, along_s))


def _serve(
    truck: Truck, leg: Leg, arrival_s: int, ready_s: int
) -> tuple[Times, tuple[Violation, ...]]:
    start_s = earliest_start(leg.windows, leg.queue, ready_s)
    if start_s is None:
        times = Times(arrival_s, ready_s, ready_s + leg.service_s)
        return times, (_late(truck, leg, ready_s),)
    return Times(arrival_s, start_s, start_s + leg.service_s), ()


def _undominated(labels: list[_Label]) -> list[_Label]:
    kept: list[_Label] = []
    for label in sorted(labels, key=lambda one: one[:3]):
        if not any(
            k.broken <= label.broken and k.ready_s <= label.ready_s and k.driven_s <= label.driven_s
            for k in kept
        ):
            kept.append(label)
    return kept


def _trace(label: _Label, owed: tuple[Violation, ...]) -> Schedule:
    steps: list[_Label] = []
    at: _Label | None = label
    while at is not None and at.times is not None:
        steps.append(at)
        at = at.before
    steps.reverse()
    return Schedule(
        tuple(step.times for step in steps if step.times is not None),
        tuple(pause for step in steps for pause in step.breaks),
        (*(broken for step in steps for broken in step.violations), *owed),
    )


def _late(truck: Truck, leg: Leg, ready_s: int) -> Violation:
    limit = max(window.latest_s for window in leg.windows)
    what = f"service at {leg.visit} could start" if leg.visit else "the tour ends"
    return Violation(
        leg.rule, truck.id, leg.visit, ready_s, limit,
        f"tour {truck.id}: {what} at {clock(ready_s)}, has to by {clock(limit)}",
    )  # fmt: skip


def _driven_too_long(truck: Truck, leg: Leg, before_s: int, after_s: int) -> tuple[Violation, ...]:
    """Return the violation where a stretch comes to be too long, or began so and goes on."""
    limit = truck.max_driving_between_breaks_s
    if limit is None or not before_s < after_s > limit:
        return ()
    if before_s > limit and before_s != _driven_before_s(truck):
        return ()  # named already
    return (
        Violation(
            truck.driving_rule or "driving without a break", truck.id, leg.visit, after_s, limit,
            f"tour {truck.id}: {after_s} s driven without a break before "
            f"{leg.visit or 'its end'}, {limit} s are allowed",
        ),
    )  # fmt: skip


def _break_missing(truck: Truck, rule: BreakRule) -> Violation:
    return Violation(
        rule.rule, truck.id, None, 0, rule.duration_s,
        f"tour {truck.id}: a break of {rule.duration_s // 60} min is due and does not fit; it has "
        f"to start between {clock(rule.earliest_start_s)} and {clock(rule.latest_start_s)}",
    )  # fmt: skip
