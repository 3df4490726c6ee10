"""A first day by OR-Tools' construction heuristics, all tours at once."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

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
    """Return the day that savings or insertion make, or the start if that is better.

    Clarke and Wright's savings (1964) where no visit has hours, parallel cheapest insertion else.
    Savings by tours side by side are shorter, one tour after the other are fuller; a short descent
    follows. With hours a descent leads to where parts find less (`docs/adr/0006-solver.md`).
    """
    heuristics = routing_enums_pb2.FirstSolutionStrategy
    hours = any(builder.facts.windows[visit] for visit in range(builder.facts.visits))
    tried = (
        (heuristics.PARALLEL_CHEAPEST_INSERTION,)
        if hours
        else (heuristics.PARALLEL_SAVINGS, heuristics.SAVINGS)
    )
    left_s = until - monotonic()
    seconds = min(max(SHARE * left_s, AT_LEAST_S), MOST * left_s)
    found = (_constructed(builder, search, start, heuristic, seconds) for heuristic in tried)
    return _most_promising([start, *(day for day in found if day is not None)])


def _most_promising(days: Sequence[Day]) -> Day:
    """Return the cheapest day, where each tour more than the fewest counts once more.

    Parts shorten tours well, but seldom find that there is one too many.
    """
    fewest = min(day.used for day in days)
    return min(days, key=lambda day: day.cost * (1 + (day.used - fewest) / max(1, day.used)))


def _constructed(
    builder: Builder, search: Search, start: Day, heuristic: int, seconds: float
) -> Day | None:
    facts = builder.facts
    used = [route for route in start.routes if route]
    idle = [truck for truck, route in enumerate(start.routes) if route is None][:IDLE]
    trucks = [*(route.truck for route in used), *idle]
    visits = [v for v in range(facts.visits) if any(facts.allowed(v, t) for t in trucks)]
    model = trip_model(facts, used, visits, idle)
    if model is None or seconds <= 0:
        return None
    settings = descent(seconds, hours=False)
    settings.first_solution_strategy = heuristic
    if heuristic == routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION:
        settings.solution_limit = 1
    found = model.routing.SolveWithParameters(settings)
    if found is None:
        return None
    routes: list[Route | None] = [None] * len(start.routes)
    for truck, nodes in model.nodes(found):
        routes[truck] = builder.from_visits(truck, nodes) if nodes else None
    return search.day(routes)
