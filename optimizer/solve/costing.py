"""What serving one more visit would add to a finished plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from optimizer.solve.insertion import TRIES, Inserter
from optimizer.solve.judged import judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.check import TimedTour
    from optimizer.solve.route import Builder, Route

EVERY_GAP = 10**6
MANY_GAPS = 200_000  # visits times visits beyond which only the cheapest gaps are looked at


@dataclass(frozen=True, slots=True)
class Insertion:
    """A visit inserted where that is cheapest.

    Attributes:
        extra_eur: what it adds, judged with it and without it.
        route: the tour with it.
        timed: the same as the judge times it.
    """

    extra_eur: float
    route: Route
    timed: TimedTour


class Insertions:
    """Inserts visits into a plan, each by itself.

    Args:
        builder: of the problem, which may allow more than the plan was made under.
        routes: the plan's tour of each truck; None for a truck that is not in use.
        tries: gaps to look at, the cheapest first.
    """

    def __init__(
        self, builder: Builder, routes: Sequence[Route | None], tries: int = EVERY_GAP
    ) -> None:
        self._builder = builder
        self._routes = [route for route in routes if route is not None]
        self._opening = opening(builder, routes)
        self._insert = inserter(builder, tries)
        self._before = {route.truck: route for route in self._routes}
        self._costs: dict[int, float] = {}

    def cheapest(self, visit: int) -> Insertion | None:
        """Return the cheapest insertion that breaks no rule; None where there is none."""
        found = self._insert.best(visit, self._routes, self._opening, math.inf)
        if found is None:
            return None
        route = found[1]
        timed = judged(self._builder.facts.problem, route.truck, route.nodes, route.start_s)
        return Insertion(timed.cost_eur - self._cost(route.truck), route, timed)

    def _cost(self, truck: int) -> float:
        """Return what the truck's tour costs as it is."""
        if truck not in self._costs:
            route = self._before.get(truck) or self._builder.unused(truck)
            self._costs[truck] = (
                judged(self._builder.facts.problem, truck, route.nodes, route.start_s).cost_eur
                if route and route.nodes
                else 0.0
            )
        return self._costs[truck]


def tries_for(visits: int, asked: int) -> int:
    """Return how many gaps are looked at where so many of a problem's visits are asked for."""
    return EVERY_GAP if visits * asked < MANY_GAPS else TRIES


def inserter(builder: Builder, tries: int = EVERY_GAP) -> Inserter:
    """Return an inserter that leaves nothing to chance."""
    return Inserter(builder, Random(0), tries=tries)  # noqa: S311 - never drawn from


def opening(builder: Builder, routes: Sequence[Route | None]) -> list[Route]:
    """Return empty routes of the trucks that are not in use."""
    empty = (builder.unused(truck) for truck, route in enumerate(routes) if route is None)
    return [route for route in empty if route is not None]
