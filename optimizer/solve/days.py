"""Between the engines' days and the model's solutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.model import Solution, Tour

if TYPE_CHECKING:
    from optimizer.solve.route import Builder, Route
    from optimizer.solve.search import Day, Search


def day_of(search: Search, builder: Builder, solution: Solution) -> Day:
    """Return a solution as a day; what a tour cannot keep for certain, it leaves out."""
    facts = builder.facts
    routes: list[Route | None] = [None] * len(facts.kinds)
    seen: set[int] = set()
    for tour in solution.tours:
        visits = [node for node in tour.nodes if 0 <= node < facts.visits and node not in seen]
        if not 0 <= tour.truck < len(routes) or routes[tour.truck] is not None:
            continue
        visits = [visit for visit in visits if facts.allowed(visit, tour.truck)]
        route = builder.build(tour.truck, tour.nodes) if len(visits) else None
        if visits and (route is None or list(route.visits) != visits):
            route = builder.from_visits(tour.truck, visits)
        if route is not None:
            routes[tour.truck] = route
            seen.update(route.visits)
    return search.day(routes)


def solution_of(builder: Builder, day: Day, engine: str, seed: int) -> Solution:
    """Return a day as a solution, unserved visits not yet explained.

    Where hours cost money a tour starts as late as it can without ending later; where there are
    queues, also later than that if it misses one.
    """
    tours = []
    for route in day.routes:
        if route is None or not route.nodes:
            continue
        kind = builder.facts.kinds[route.truck]
        start_s = route.start_s
        if kind.eur_per_s > 0 or kind.overtime_eur_per_s > 0:
            start_s = builder.clock(kind).cheapest_start(route.nodes, start_s, route.end_s)
        tours.append(Tour(route.truck, start_s, route.nodes))
    return Solution(tuple(tours), (), engine, seed)
