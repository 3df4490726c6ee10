"""The unit of work by the general search, where the compiled one is not there or cannot do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.days import day_of
from optimizer.solve.route import Builder
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from optimizer.model import Solution
    from optimizer.solve.facts import Facts

SLOWER = 20  # times that a step takes longer than a compiled one


def work_plainly(
    facts: Facts, given: Solution, steps: int, until: float, seed: int
) -> tuple[tuple[tuple[int, ...], ...], float, float]:
    """Return better tours' nodes by truck, what they cost, and what a visit costs on average."""
    builder = Builder(facts)
    search = Search(builder, seed)
    day = day_of(search, builder, given) if given.tours else search.construct()
    best = search.improve(day, steps // SLOWER, until)
    nodes = tuple(route.nodes if route else () for route in best.routes)
    way_eur = sum(route.cost for route in best.routes if route)
    return nodes, best.cost, way_eur / max(1, facts.visits - len(best.absent))
