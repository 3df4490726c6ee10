"""From tours of nodes to a solution: when they start, and why the rest is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.model import Solution, Tour, Unserved
from optimizer.solve.days import solution_of
from optimizer.solve.decomposition.division import Size
from optimizer.solve.decomposition.subset import part_of
from optimizer.solve.facts import Facts
from optimizer.solve.route import Builder
from optimizer.solve.search import Day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optimizer.solve.decomposition.division import Map, Neighbourhood, Tours

    Finish = Callable[[Builder, Solution], Solution]

SIZE = Size(120)  # looked at together; what the general search prepares grows with the square


def with_starts(where: Map, tours: Tours, engine: str, seed: int) -> Solution:
    """Return nodes by truck as a solution, whose tours start as late as they may."""
    found = [
        tour
        for near in where.neighbourhoods(tours, SIZE, np.random.default_rng(seed))
        for tour in _outer(near, _inner(near)[1]).tours
    ]
    found += _homeward(where, {tour.truck for tour in found})
    found.sort(key=lambda tour: tour.truck)
    return Solution(tuple(found), (), engine, seed)


def _homeward(where: Map, planned: set[int]) -> Iterator[Tour]:
    """Yield the tours of trucks underway that get nothing more to do."""
    trucks = where.problem.trucks
    idle = [t for t, truck in enumerate(trucks) if truck.underway and t not in planned]
    if not idle:
        return
    part = part_of(where.problem, (), idle)
    builder = Builder(Facts(part.problem))
    for number, truck in enumerate(idle):
        route = builder.homeward(number)
        if route is not None and route.nodes:
            yield Tour(truck, route.start_s, part.outer(route.nodes))


def finished_by_parts(where: Map, solution: Solution, finish: Finish) -> Solution:
    """Return a solution with what still fits into it, and a reason for all that does not.

    Args:
        where: the problem, and where its visits lie.
        solution: of the whole problem.
        finish: does the same for a part of the problem.
    """
    tours = {tour.truck: tour for tour in solution.tours}
    nodes = {tour.truck: tour.nodes for tour in solution.tours}
    left_out: list[Unserved] = []
    for near in where.neighbourhoods(nodes, SIZE, np.random.default_rng(solution.seed)):
        served = {node for way in near.tours for node in way}
        if served.issuperset(range(len(near.part.visits))):
            continue
        full = _outer(near, finish(*_inner(near)))
        tours.update({tour.truck: tour for tour in full.tours})
        left_out += full.unserved
    left_out.sort(key=lambda entry: entry.visit)
    found = tuple(tours[truck] for truck in sorted(tours))
    return replace(solution, tours=found, unserved=tuple(left_out))


def _inner(near: Neighbourhood) -> tuple[Builder, Solution]:
    """Return a neighbourhood's tours as a solution of its own problem."""
    builder = Builder(Facts(near.part.problem))
    routes = tuple(
        builder.build(truck, nodes) if nodes else None for truck, nodes in enumerate(near.tours)
    )
    return builder, solution_of(builder, Day(routes, frozenset(), 0.0), "", 0)


def _outer(near: Neighbourhood, solution: Solution) -> Solution:
    """Return a neighbourhood's solution by the whole problem's numbers."""
    part = near.part
    return replace(
        solution,
        tours=tuple(
            Tour(part.trucks[tour.truck], tour.start_s, part.outer(tour.nodes))
            for tour in solution.tours
        ),
        unserved=tuple(
            replace(entry, visit=part.visits[entry.visit]) for entry in solution.unserved
        ),
    )
