"""A first day by OR-Tools' construction heuristics, all tours at once."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from optimizer.solve.popmusic.part import descent
from optimizer.solve.trip_model import trip_model

if TYPE_CHECKING:
    from optimizer.solve.route import Builder, Route
    from optimizer.solve.search import Day, Search

SHARE = 0.3  # of the time, at most
IDLE = 4  # trucks that may be taken into use besides those that a start uses


def first_day(builder: Builder, search: Search, start: Day, until: float) -> Day:
    """Return the day that savings or insertion make, or the start if that is better.

    Clarke and Wright's savings (1964) where no visit has hours, parallel cheapest insertion else.
    """
    facts = builder.facts
    used = [route for route in start.routes if route]
    idle = [truck for truck, route in enumerate(start.routes) if route is None][:IDLE]
    trucks = [*(route.truck for route in used), *idle]
    visits = [v for v in range(facts.visits) if any(facts.allowed(v, t) for t in trucks)]
    model = trip_model(facts, used, visits, idle)
    seconds = SHARE * (until - monotonic())
    if model is None or seconds <= 0:
        return start
    settings = descent(seconds, any(facts.windows[visit] for visit in visits))
    settings.solution_limit = 1  # to shorten it is for the parts, which use all cores
    found = model.routing.SolveWithParameters(settings)
    if found is None:
        return start
    routes: list[Route | None] = [None] * len(start.routes)
    for truck, nodes in model.nodes(found):
        routes[truck] = builder.from_visits(truck, nodes) if nodes else None
    return min(start, search.day(routes), key=lambda day: day.cost)
