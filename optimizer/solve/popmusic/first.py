"""A first day by OR-Tools' construction heuristics, all tours at once."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from ortools.constraint_solver import routing_enums_pb2

from optimizer.solve.popmusic.part import descent
from optimizer.solve.trip_model import trip_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.solve.route import Builder, Route
    from optimizer.solve.search import Day, Search

SHARE, AT_LEAST_S = 0.02, 0.5  # of the time for each heuristic and its descent
MOST = 0.15  # of the time for the first, and before another one begins
IDLE = 4  # trucks that may be taken into use besides those that a start uses


def first_day(builder: Builder, search: Search, start: Day, until: float, hours: bool) -> Day:
    """Return the day that savings or insertion make, or the start if that is cheaper.

    Clarke and Wright's savings (1964) where no visit has hours, parallel cheapest insertion else.
    Savings by tours side by side are shorter, one tour after the other are fuller: those are made
    with a truck fewer than before as long as nothing more is left out, for parts seldom find that
    there is a tour too many. A short descent follows. With hours a descent leads to where parts
    find less (`docs/adr/0006-solver.md`).

    Args:
        builder: of routes.
        search: that makes days of them.
        start: where to begin.
        until: an instant of `time.monotonic`.
        hours: whether a visit has windows.
    """
    left_s = until - monotonic()
    if left_s <= 0:
        return start
    idle = [truck for truck, route in enumerate(start.routes) if route is None][:IDLE]
    seconds = min(max(SHARE * left_s, AT_LEAST_S), MOST * left_s)
    best = _constructed(builder, search, start, idle, _side_by_side(seconds, hours))
    if best is None:
        return start
    found = [best]
    while not hours and best.used > 1 and monotonic() < until - (1 - MOST) * left_s:
        fuller = _constructed(builder, search, _with_a_tour_less(best), [], _in_turn(seconds))
        if fuller is None or fuller.absent - best.absent:
            break
        found.append(best := fuller)
    return min(start, _most_promising(found), key=lambda day: day.cost)


def _constructed(
    builder: Builder, search: Search, like: Day, idle: Sequence[int], settings: Any
) -> Day | None:
    """Return a day by the trucks that one uses, and by idle ones; None where there is none."""
    facts = builder.facts
    used = [route for route in like.routes if route]
    trucks = [*(route.truck for route in used), *idle]
    visits = [v for v in range(facts.visits) if any(facts.allowed(v, t) for t in trucks)]
    model = trip_model(facts, used, visits, idle)
    assignment = model and model.routing.SolveWithParameters(settings)
    if model is None or assignment is None:
        return None
    routes: list[Route | None] = [None] * len(like.routes)
    for truck, nodes in model.nodes(assignment):
        routes[truck] = builder.from_visits(truck, nodes) if nodes else None
    return search.day(routes)


def _with_a_tour_less(day: Day) -> Day:
    """Return a day without the tour of the fewest visits."""
    least = min((r for r in day.routes if r), key=lambda route: len(route.visits))
    return replace(day, routes=tuple(None if r is least else r for r in day.routes))


def _side_by_side(seconds: float, hours: bool) -> Any:
    first = routing_enums_pb2.FirstSolutionStrategy
    if not hours:
        return descent(seconds, first.PARALLEL_SAVINGS)
    insertion = descent(seconds, first.PARALLEL_CHEAPEST_INSERTION)
    insertion.solution_limit = 1
    return insertion


def _in_turn(seconds: float) -> Any:
    return descent(seconds, routing_enums_pb2.FirstSolutionStrategy.SAVINGS)


def _most_promising(days: Sequence[Day]) -> Day:
    """Return the cheapest day, where each tour more than the fewest counts once more.

    Parts shorten tours well, but seldom find that there is one too many.
    """
    fewest = min(day.used for day in days)
    return min(days, key=lambda day: day.cost * (1 + (day.used - fewest) / max(1, day.used)))
