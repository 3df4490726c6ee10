"""Ways to answer an event, from the gentlest to the boldest; each is judged, the best is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from config.errors import PlanError
from optimizer.check.tour import judge_tour
from optimizer.model import Solution, Tour
from optimizer.replan.changes import Changes, ReplanRules, changes
from optimizer.replan.insertion import Bench, Route, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem

Polish = Callable[["Problem", Solution, float], Solution | None]
"""Improves a plan of a problem within some seconds; None where it finds nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer: a legal tour per truck of the rest of the day.

    Attributes:
        name: how it was found.
        locked_out: locked visits that their truck cannot serve any more; they do not move.
    """

    name: str
    routes: tuple[Route, ...]
    unserved: tuple[int, ...]
    locked_out: tuple[int, ...]
    changes: Changes
    key: tuple[int, float]


class Answers:
    """Builds candidates for one rest of a day."""

    def __init__(self, bench: Bench, rules: ReplanRules, until: float) -> None:
        self._bench, self._rules, self._until = bench, rules, until
        self._problem, self._rest = bench.problem, bench.rest

    def candidate(self, name: str, routes: Sequence[Route], locked_out: Sequence[int]) -> Candidate:
        """Return tours as a candidate, with what they change and what they are worth."""
        found = changes(self._bench, routes)
        served = {v for route in routes for v in self._bench.visits_of(route.nodes)}
        absent = tuple(v for v in range(len(self._problem.visits)) if v not in served)
        visits = self._problem.visits
        missing = sum(visits[visit].prize_eur is None for visit in absent)
        eur = sum(route.eur for route in routes)
        eur += sum(visits[visit].prize_eur or 0.0 for visit in absent)
        key = (missing, eur + found.price_eur(self._rules))
        return Candidate(name, tuple(routes), absent, tuple(locked_out), found, key)

    def allowed(self, one: Candidate) -> bool:
        """Whether it leaves enough of the other tours as it was."""
        return one.changes.others_share <= self._rules.most_changed + 1e-9

    def in_order(self) -> Candidate:
        """Keep all orders; what does not fit any more, and what lost its truck, goes elsewhere."""
        routes, waiting, locked_out = [], list(self._rest.released), []
        for truck in range(len(self._rest.trucks)):
            route, dropped, stuck = self._repaired(truck)
            routes.append(route)
            waiting += dropped
            locked_out += stuck
        return self.candidate("in-order", self._filled(routes, waiting), locked_out)

    def relocated(self, start: Candidate, share: float = 1.0) -> Candidate:
        """Let single visits go where that is worth the change, in a share of the time left."""
        now = monotonic()
        until = now + share * max(0.0, self._until - now)
        best, improved = start, True
        while improved and monotonic() < until:
            improved = False
            for visit in self._movable(best):
                if monotonic() >= until:
                    break
                changed = self._without(best, visit)
                if changed is None:
                    continue
                routes = self._filled(changed, [visit])
                routes = self._filled(routes, [v for v in best.unserved if v not in
                                               best.locked_out])  # fmt: skip
                found = self.candidate("relocated", routes, best.locked_out)
                if self.allowed(found) and found.key < (best.key[0], best.key[1] - 0.01):
                    best, improved = found, True
        return best

    def polished(self, start: Candidate, polish: Polish) -> Candidate | None:
        """Let an engine at it; what it makes of the part that is not frozen has to be legal."""
        given = solution_of(self._bench, start)
        left_s = self._until - monotonic()
        if left_s <= 0.1:
            return None
        found = polish(self._problem, given, left_s)
        if found is None:
            return None
        routes = [Route((), 0.0)] * len(self._rest.trucks)
        nodes_of = {tour.truck: tour.nodes for tour in found.tours}
        for truck in range(len(routes)):
            route = self._bench.route(truck, nodes_of.get(truck, ()))
            if route is None or not self._keeps_frozen(truck, route):
                return None
            routes[truck] = route
        return self.candidate("polished", routes, start.locked_out)

    def _repaired(self, truck: int) -> tuple[Route, list[int], list[int]]:
        """Return a tour as far as it can still be driven: what falls out, and what is locked."""
        nodes = self._rest.published[truck]
        visits = self._bench.visits_of(nodes)
        route = self._bench.route(truck, nodes) or self._bench.with_visits(truck, visits)
        if route is not None:
            return route, [], []
        locked = self._rest.locked
        route = self._bench.route(truck, ()) or self._bench.with_visits(truck, ())
        if route is None:
            raise PlanError(self._stranded(truck))
        kept: list[int] = []
        dropped: list[int] = []
        stuck: list[int] = []
        for visit in visits:
            longer = self._bench.with_visits(truck, [*kept, visit])
            if longer is not None:
                kept.append(visit)
                route = longer
            else:
                (stuck if visit in locked else dropped).append(visit)
        return route, dropped, stuck

    def _stranded(self, truck: int) -> str:
        """Say why a truck cannot even unload and go home."""
        vehicle = self._problem.trucks[truck]
        nodes = self._bench.unloader.place(truck, ())
        if nodes is None:
            kg = sum(vehicle.underway.kg) if vehicle.underway else 0.0
            return (
                f"{vehicle.id} has {kg:.0f} kg on board, and no facility takes them that is open "
                "and can be reached; open one, or let the truck's day end otherwise"
            )
        tour = Tour(truck, self._rest.start_s(truck, nodes), nodes)
        _, broken = judge_tour(self._problem, tour)
        said = broken[0].message if broken else "no way home"
        return f"{vehicle.id} cannot even unload and go home within the rules ({said})"

    def _filled(self, routes: Sequence[Route], waiting: Sequence[int]) -> list[Route]:
        """Insert visits where they are cheapest: mandatory ones first, large ones before small."""
        filled = list(routes)
        visits = self._problem.visits
        order = sorted(
            waiting,
            key=lambda v: (visits[v].prize_eur is not None, -sum(visits[v].litres), v),
        )
        for visit in order:
            hurried = monotonic() >= self._until
            found = insert(self._bench, filled, visit, hurried=hurried)
            prize = visits[visit].prize_eur
            if found is not None and (prize is None or found[0] < prize):
                filled[found[1]] = found[2]
        return filled

    def _movable(self, one: Candidate) -> list[int]:
        """Return the visits that may go elsewhere: those that lost their truck first."""
        frozen = {
            visit
            for truck, nodes in enumerate(self._rest.published)
            for visit in self._bench.visits_of(nodes)[: self._rest.frozen[truck]]
        }
        served = [v for route in one.routes for v in self._bench.visits_of(route.nodes)]
        first = set(self._rest.released) | {visit for visit, *_ in one.changes.moved}
        return sorted((v for v in served if v not in frozen), key=lambda v: (v not in first, v))

    def _without(self, one: Candidate, visit: int) -> list[Route] | None:
        """Return the tours without a visit, or None where that is not legal."""
        routes = list(one.routes)
        truck = next(t for t, route in enumerate(routes) if visit in route.nodes)
        visits = [v for v in self._bench.visits_of(routes[truck].nodes) if v != visit]
        shorter = [node for node in routes[truck].nodes if node != visit]
        found = self._bench.with_visits(truck, visits) or self._bench.route(truck, shorter)
        if found is None:
            return None
        routes[truck] = found
        return routes

    def _keeps_frozen(self, truck: int, route: Route) -> bool:
        frozen = self._rest.frozen[truck]
        before = self._bench.visits_of(self._rest.published[truck])[:frozen]
        return self._bench.visits_of(route.nodes)[:frozen] == before


def solution_of(bench: Bench, one: Candidate) -> Solution:
    """Return a candidate as a solution of the rest of the day."""
    tours = tuple(
        Tour(truck, bench.rest.start_s(truck, route.nodes), route.nodes)
        for truck, route in enumerate(one.routes)
        if route.nodes
    )
    return Solution(tours, (), one.name)
