"""From what is done of a tour to where its truck stands: load, driving, totals of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.check import check
from optimizer.replan.day import EXECUTED, RunningDay, RunningStop, RunningTour, StopState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.check import TimedTour
    from optimizer.model import Problem, Solution

_COLLECTED = frozenset({StopState.DONE, StopState.PASSED, StopState.SERVING})


def running_tour(
    problem: Problem,
    truck: int,
    stops: Sequence[RunningStop],
    *,
    revision: int,
    start_s: int,
    left: bool,
    at: int,
    clock_s: int,
    breaks_taken: int = 0,
    last_break_s: int | None = None,
    driven_to_here_s: int = 0,
) -> RunningTour:
    """Return a tour as its executed stops leave it.

    Args:
        problem: of the day.
        truck: index in it.
        stops: in the published order.
        revision: that the truck knows.
        start_s: when it left, or is to leave.
        left: whether it has left.
        at: location where it is.
        clock_s: when it is free to go on.
        breaks_taken: how many of its breaks it has taken.
        last_break_s: when the last of them began; driving counts anew from there.
        driven_to_here_s: seconds driven since the last executed stop.
    """
    vehicle = problem.trucks[truck]
    done = [stop for stop in stops if stop.state in EXECUTED]
    kg = [0.0] * len(problem.fractions)
    litres = list(kg)
    kg_today = litres_today = 0.0
    lifts = 0
    for stop in done:
        if stop.state not in _COLLECTED:
            continue
        if problem.is_visit(stop.node):
            visit = problem.visit(stop.node)
            kg = [a + b for a, b in zip(kg, visit.kg, strict=True)]
            litres = [a + b for a, b in zip(litres, visit.litres, strict=True)]
            kg_today, litres_today = kg_today + sum(visit.kg), litres_today + sum(visit.litres)
            lifts += visit.lifts
        else:
            for fraction in problem.facility(stop.node).accepts:
                kg[fraction] = litres[fraction] = 0.0
    stations = [vehicle.start, *(problem.location(stop.node) for stop in done)]
    seconds, metres = problem.travel.legs(stations) if len(stations) > 1 else ((), ())
    legs = [max(0, int(leg)) for leg in seconds]
    driven_s = sum(legs) + driven_to_here_s
    since_s = driven_s
    if last_break_s is not None:
        later = [leg for leg, stop in zip(legs, done, strict=True) if stop.arrival_s > last_break_s]
        since_s = sum(later) + driven_to_here_s
    energy = vehicle.energy
    used_kwh = 0.0
    if energy is not None:
        km = sum(max(0.0, float(leg)) for leg in metres) / 1000
        used_kwh = km * energy.kwh_per_km + lifts * energy.kwh_per_lift
    return RunningTour(
        truck=truck,
        stops=tuple(stops),
        revision=revision,
        start_s=start_s,
        left=left,
        at=at,
        clock_s=clock_s,
        kg=tuple(kg),
        litres=tuple(litres),
        driven_s=driven_s,
        driven_since_break_s=since_s,
        breaks_taken=breaks_taken,
        used_kwh=used_kwh,
        kg_today=kg_today,
        litres_today=litres_today,
    )


def as_planned(
    problem: Problem, solution: Solution, now_s: int, locked: frozenset[int] = frozenset()
) -> RunningDay:
    """Return a day that has gone exactly as planned so far; for studies, tests and benchmarks.

    Args:
        problem: of the day.
        solution: its plan.
        now_s: the instant.
        locked: visits that must stay where they are.
    """
    report = check(problem, solution)
    tours = tuple(_planned_until(problem, timed, now_s, locked) for timed in report.tours)
    return RunningDay(problem, tours, now_s)


def _planned_until(
    problem: Problem, timed: TimedTour, now_s: int, locked: frozenset[int]
) -> RunningTour:
    left = timed.start_s <= now_s
    at, clock_s = problem.trucks[timed.truck].start, timed.start_s
    stops: list[RunningStop] = []
    on_the_way = left
    for number, node in enumerate(timed.nodes, start=1):
        if node.departure_s <= now_s:
            state = StopState.DONE
        elif node.arrival_s <= now_s:
            state = StopState.SERVING
        elif on_the_way:
            state, on_the_way = StopState.NEXT, False
        else:
            state = StopState.LOCKED if node.node in locked else StopState.PENDING
        if state in EXECUTED:
            at, clock_s = problem.location(node.node), node.departure_s
            on_the_way = state is StopState.DONE
        if state is StopState.NEXT and node.node in locked:
            state = StopState.LOCKED
        stops.append(RunningStop(number, node.node, state, node.arrival_s))
    taken = [rest for rest in timed.breaks if rest.start_s <= now_s]
    if taken and taken[-1].leg == sum(stop.state in EXECUTED for stop in stops):
        clock_s = taken[-1].end_s - taken[-1].along_s  # as if the leg began after the break
    return running_tour(
        problem,
        timed.truck,
        stops,
        revision=1,
        start_s=timed.start_s,
        left=left,
        at=at,
        clock_s=clock_s,
        breaks_taken=len(taken),
        last_break_s=taken[-1].start_s if taken else None,
    )
