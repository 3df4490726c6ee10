"""A first day by OR-Tools' construction heuristics, all tours at once."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from ortools.constraint_solver import routing_enums_pb2

from optimizer.solve.popmusic.part import descent
from optimizer.solve.trip_model import trip_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.solve.route import Builder, Route
    from optimizer.solve.search import Day, Search

SHARE, AT_LEAST_S, MOST = 0.02, 0.5, 0.15  # of the time for each heuristic and its descent
IDLE = 4  # trucks that may be taken into use besides those that a start uses


def first_day(builder: Builder, search: Search, start: Day, until: float) -> Day:
    """Return the day that savings or insertion make, or the start if that is cheaper.

    Clarke and Wright's savings (1964) where no visit has hours, parallel cheapest insertion else.
    Savings by tours side by side are shorter, one tour after the other are fuller; a short descent
    follows. With hours a descent leads to where parts find less (`docs/adr/0006-solver.md`).
    """
    facts = builder.facts
    used = [route for route in start.routes if route]
    idle = [truck for truck, route in enumerate(start.routes) if route is None][:IDLE]
    trucks = [*(route.truck for route in used), *idle]
    visits = [v for v in range(facts.visits) if any(facts.allowed(v, t) for t in trucks)]
    model = trip_model(facts, used, visits, idle)
    left_s = until - monotonic()
    if model is None or left_s <= 0:
        return start
    found = []
    for settings in _ways(left_s, any(facts.windows[visit] for visit in visits)):
        assignment = model.routing.SolveWithParameters(settings)
        if assignment is None:
            continue
        routes: list[Route | None] = [None] * len(start.routes)
        for truck, nodes in model.nodes(assignment):
            routes[truck] = builder.from_visits(truck, nodes) if nodes else None
        found.append(search.day(routes))
    return min(start, _most_promising(found), key=lambda day: day.cost) if found else start


def _ways(left_s: float, hours: bool) -> list[Any]:
    """Return the ways to construct a day, as settings of OR-Tools."""
    first = routing_enums_pb2.FirstSolutionStrategy
    seconds = min(max(SHARE * left_s, AT_LEAST_S), MOST * left_s)
    if not hours:
        return [descent(seconds, first.PARALLEL_SAVINGS), descent(seconds, first.SAVINGS)]
    insertion = descent(seconds, first.PARALLEL_CHEAPEST_INSERTION)
    insertion.solution_limit = 1
    return [insertion]


def _most_promising(days: Sequence[Day]) -> Day:
    """Return the cheapest day, where each tour more than the fewest counts once more.

    Parts shorten tours well, but seldom find that there is one too many.
    """
    fewest = min(day.used for day in days)
    return min(days, key=lambda day: day.cost * (1 + (day.used - fewest) / max(1, day.used)))
