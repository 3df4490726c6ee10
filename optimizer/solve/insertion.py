"""The cheapest place for a visit over all routes.

Its compiled twin is `optimizer.solve.sisr.insertion`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.facts import FAR_EUR
from optimizer.solve.unload import place_unloadings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from optimizer.solve.route import Builder, Route

TRIES = 24  # gaps tested per visit, cheapest first; what lies beyond is hardly ever better
REPLACED = 4  # of these, at most so many with all unloadings of the day placed anew


class Inserter:
    """Finds the cheapest legal insertion of a visit.

    Args:
        blink: share of the gaps that are overlooked, so that the search finds its way out
            ("greedy insertion with blinks", Christiaens & Vanden Berghe 2020).
        tries: gaps to test per visit, cheapest first.
    """

    def __init__(
        self, builder: Builder, random: Random, blink: float = 0.0, tries: int = TRIES
    ) -> None:
        self._builder = builder
        self._facts = builder.facts
        self._random = random
        self._blink = blink
        self._tries = tries
        self._replaced_tries = REPLACED if tries == TRIES else tries

    def best(
        self, visit: int, routes: Sequence[Route], opening: Iterable[Route], worth: float
    ) -> tuple[float, Route] | None:
        """Return the cheapest route with the visit inserted, and what that adds.

        Args:
            visit: the visit.
            routes: routes in use.
            opening: empty routes of trucks not in use; their fixed cost is part of what they add.
            worth: only insertions that add less than this count.
        """
        best, found = worth, None
        for added, route in self._openings(visit, opening):
            if added < best:
                best, found = added, route
        blocked = 0
        for estimate, index, gap in self._gaps(visit, routes):
            route = routes[index]
            kind = self._facts.kinds[route.truck]
            if estimate + self._facts.service_s[visit] * kind.eur_per_s >= best:
                break
            if self._blink and self._random.random() < self._blink:
                continue
            if self._fits(visit, route, gap):
                nodes = (*route.nodes[:gap], visit, *route.nodes[gap:])
                changed = self._builder.build(route.truck, nodes, route)
            else:
                blocked += 1
                if blocked > self._replaced_tries:
                    continue
                changed = self._replaced(visit, route, gap, best)
            if changed is not None and changed.cost - route.cost < best:
                best, found = changed.cost - route.cost, changed
        return None if found is None else (best, found)

    def _openings(self, visit: int, opening: Iterable[Route]) -> Iterable[tuple[float, Route]]:
        seen = set()
        for empty in opening:
            kind = self._facts.kinds[empty.truck]
            if id(kind) in seen or not self._facts.allowed(visit, empty.truck):
                continue
            changed = self._builder.alone(empty.truck, visit)
            if self._facts.problem.visits[visit].trucks is None:
                seen.add(id(kind))
            if changed is not None:
                yield changed.cost + kind.fixed_eur, changed

    def _gaps(self, visit: int, routes: Sequence[Route]) -> Iterable[tuple[float, int, int]]:
        """Return the cheapest gaps by driving alone: euro, index of the route, gap."""
        facts, place = self._facts, self._facts.location[visit]
        costs, owners, gaps = [], [], []
        for index, route in enumerate(routes):
            if not facts.allowed(visit, route.truck):
                continue
            kind = facts.kinds[route.truck]
            if not self._builder.within_day(
                kind,
                len(route.visits) + 1,
                route.kg + self._builder.kg[visit],
                route.litres + self._builder.litres[visit],
            ):
                continue
            at = route.places
            costs.append(kind.cost[at[:-1], place] + kind.cost[place, at[1:]] - route.leg_eur)
            owners.append(np.full(len(route.leg_eur), index))
            gaps.append(np.arange(len(route.leg_eur)))
        if not costs:
            return ()
        cost = np.concatenate(costs)
        few = min(self._tries, len(cost))
        chosen = np.argpartition(cost, few - 1)[:few]
        chosen = chosen[np.argsort(cost[chosen], kind="stable")]
        chosen = chosen[cost[chosen] < FAR_EUR / 2]
        owner, gap = np.concatenate(owners)[chosen], np.concatenate(gaps)[chosen]
        return zip(cost[chosen].tolist(), owner.tolist(), gap.tolist(), strict=True)

    def _fits(self, visit: int, route: Route, gap: int) -> bool:
        """Whether the trip at a gap carries the visit too, without another unloading."""
        facts = self._facts
        kind = facts.kinds[route.truck]
        if gap == len(route.nodes) and not kind.overnight:
            return False
        if facts.mask[visit] & ~self._mask(route):
            return False
        inside = 0 < gap < len(route.nodes) and (
            route.nodes[gap - 1] >= facts.visits <= route.nodes[gap]
        )
        if inside:
            return False
        load = route.loads[route.trip[gap]] + kind.need[visit]
        return bool((load <= kind.capacity).all())

    def _mask(self, route: Route) -> int:
        union = self._facts.kinds[route.truck].aboard
        for visit in route.visits:
            union |= self._facts.mask[visit]
        return union

    def _replaced(self, visit: int, route: Route, gap: int, worth: float) -> Route | None:
        """Insert, and place all unloadings of the day anew, if driving alone is worth it."""
        facts, kind = self._facts, self._facts.kinds[route.truck]
        before = sum(node < facts.visits for node in route.nodes[:gap])
        visits = (*route.visits[:before], visit, *route.visits[before:])
        placed = place_unloadings(facts, kind, visits)
        if placed is None:
            return None
        nodes, driving = placed
        if driving - float(route.leg_eur.sum()) + facts.service_s[visit] * kind.eur_per_s >= worth:
            return None
        return self._builder.build(route.truck, nodes, route)
