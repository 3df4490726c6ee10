"""Tours of the rest of the day as the judge sees them, and the cheapest place for a visit.

Places are looked for by what driving there adds; whether a tour is legal and what it costs is the
judge's word alone, so every rule that he knows holds here too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimizer.check.loads import loads
from optimizer.check.tour import judge_tour
from optimizer.model import UNREACHABLE, Tour
from optimizer.replan.rest import takes
from optimizer.replan.unloading import Unloader
from optimizer.solve.facts import FAR_EUR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.check import TimedTour
    from optimizer.replan.rest import Rest

Nodes = tuple[int, ...]
TRIES = 4  # places that are judged per visit and truck, cheapest first
HURRIED = 1  # likewise, when the time is over


@dataclass(frozen=True, slots=True)
class Route:
    """A legal tour of a truck of the rest of the day."""

    nodes: Nodes
    eur: float


class Bench:
    """Judges tours, each once."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.problem = rest.problem
        self.unloader = Unloader(rest.problem)
        self._known: dict[tuple[int, Nodes], Route | None] = {}

    def route(self, truck: int, nodes: Sequence[int]) -> Route | None:
        """Return the tour through some nodes, or None where it breaks a rule."""
        key = (truck, tuple(nodes))
        if key not in self._known:
            self._known[key] = self._judged(*key)
        return self._known[key]

    def timed(self, truck: int, nodes: Nodes) -> TimedTour:
        """Return a tour with its times, legal or not."""
        return judge_tour(self.problem, Tour(truck, self.rest.start_s(truck, nodes), nodes))[0]

    def with_visits(
        self, truck: int, visits: Sequence[int], tries: int | None = None
    ) -> Route | None:
        """Return the tour through some visits, unloading where it is cheapest and legal.

        The cheapest place may be closed by then, so each facility is tried alone, too.
        """
        for only in (None, *range(len(self.problem.facilities)))[:tries]:
            nodes = self.unloader.place(truck, visits, only)
            route = None if nodes is None else self.route(truck, nodes)
            if route is not None:
                return route
        return None

    def visits_of(self, nodes: Sequence[int]) -> Nodes:
        """Return the visits among some nodes."""
        return tuple(node for node in nodes if self.problem.is_visit(node))

    def _judged(self, truck: int, nodes: Nodes) -> Route | None:
        vehicle = self.problem.trucks[truck]
        if not nodes and vehicle.underway is None:
            return Route((), 0.0)
        tour = Tour(truck, self.rest.start_s(truck, nodes), nodes)
        timed, broken = judge_tour(self.problem, tour)
        return None if broken else Route(nodes, timed.cost_eur)


def insert(
    bench: Bench, routes: Sequence[Route], visit: int, *, hurried: bool = False
) -> tuple[float, int, Route] | None:
    """Return the cheapest legal way to serve a visit, all others keeping their order.

    Args:
        bench: judges.
        routes: the tours as they are.
        visit: what to insert.
        hurried: whether to be content with fewer tries.

    Returns:
        What it adds in euro, the truck, and its tour; None where no place was found.
    """
    best: tuple[float, int, Route] | None = None
    tried: Counter[int] = Counter()
    for estimate, truck, gap in sorted(_places(bench, routes, visit)):
        if best is not None and estimate >= best[0]:
            break
        if tried[truck] >= (HURRIED if hurried else TRIES):
            continue
        tried[truck] += 1
        route = _inserted(bench, routes[truck], truck, visit, gap)
        if route is not None and (best is None or route.eur - routes[truck].eur < best[0]):
            best = (route.eur - routes[truck].eur, truck, route)
    return best


def _inserted(bench: Bench, route: Route, truck: int, visit: int, gap: int) -> Route | None:
    """Return the tour with a visit at a gap; where it is too much, with the unloadings anew."""
    nodes = (*route.nodes[:gap], visit, *route.nodes[gap:])
    _, overloads = loads(bench.problem, bench.problem.trucks[truck], nodes)
    if not overloads:
        return bench.route(truck, nodes)
    return bench.with_visits(truck, bench.visits_of(nodes), tries=1)


def _places(bench: Bench, routes: Sequence[Route], visit: int) -> Iterator[tuple[float, int, int]]:
    """Yield where a visit could go, with what driving adds there: euro, truck, gap."""
    problem, rest = bench.problem, bench.rest
    here = problem.visits[visit].location
    service_h = problem.visits[visit].service_s / 3600
    for truck, route in enumerate(routes):
        if not takes(problem, truck, visit):
            continue
        vehicle = problem.trucks[truck]
        stations = [vehicle.start, *(problem.location(n) for n in route.nodes), vehicle.end]
        to_s, to_m = problem.travel.block(stations[:-1], [here])
        from_s, from_m = problem.travel.block([here], stations[1:])
        leg_s, leg_m = problem.travel.legs(stations)
        blocked = (to_s[:, 0] == UNREACHABLE) | (from_s[0] == UNREACHABLE)
        leg_s, leg_m = np.maximum(leg_s, 0), np.maximum(leg_m, 0.0)
        added_s = to_s[:, 0] + from_s[0] - leg_s
        added_m = to_m[:, 0] + from_m[0] - leg_m
        eur = added_m / 1000 * vehicle.eur_per_km
        eur = eur + (added_s / 3600 + service_h) * vehicle.eur_per_h
        if not route.nodes and vehicle.underway is None:
            eur = eur + vehicle.fixed_eur
        eur[blocked] = FAR_EUR
        first = _first_gap(bench, route.nodes, rest.frozen[truck])
        for gap in range(first, len(stations) - 1):
            if eur[gap] < FAR_EUR:
                yield float(eur[gap]), truck, gap


def _first_gap(bench: Bench, nodes: Nodes, frozen: int) -> int:
    """Return the first gap behind the visits that keep their place."""
    seen = 0
    for gap, node in enumerate(nodes):
        if seen == frozen:
            return gap
        seen += bench.problem.is_visit(node)
    return len(nodes)
