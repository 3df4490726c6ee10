"""One truck's day under construction, and where another visit would fit into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.timing import Clock, Labels
from optimizer.solve.unload import place_unloadings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from optimizer.solve.facts import Facts, Kind


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """A feasible tour with everything that a quick insertion test needs.

    Attributes:
        nodes: visits and unloadings in order.
        visits: the visits alone.
        cost: euro without the truck's fixed cost.
        labels: the clock's labels before each gap; gap g lies before node g.
        places: locations from the start to the end; gap g leads from place g to place g + 1.
        leg_eur: what driving across each gap costs.
        trip: number of the trip each gap belongs to.
        loads: (trips, limits) what each trip carries of each limit.
    """

    truck: int
    nodes: tuple[int, ...]
    visits: tuple[int, ...]
    start_s: int
    end_s: int
    cost: float
    labels: list[Labels]
    places: NDArray[np.int64]
    leg_eur: NDArray[np.float64]
    trip: list[int]
    loads: NDArray[np.float64]
    driving_s: int
    kg: float
    litres: float


class Builder:
    """Builds routes; None stands for what no rule allows."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._alone: dict[tuple[int, int], Route | None] = {}
        self.clocks = {id(kind): Clock(facts, kind) for kind in facts.kinds}
        self.kg = [sum(visit.kg) for visit in facts.problem.visits]
        self.litres = [sum(visit.litres) for visit in facts.problem.visits]

    def clock(self, kind: Kind) -> Clock:
        """Return the clock of a kind of truck."""
        return self.clocks[id(kind)]

    def from_visits(self, truck: int, visits: Sequence[int]) -> Route | None:
        """Build a route through visits in this order; unloadings are placed for it."""
        placed = place_unloadings(self.facts, self.facts.kinds[truck], visits)
        return None if placed is None else self.build(truck, placed[0])

    def alone(self, truck: int, visit: int) -> Route | None:
        """Return the route that serves one visit only, by whichever facilities are open."""
        facts = self.facts
        key = (id(facts.kinds[truck]), visit)
        if key not in self._alone:
            kind = facts.kinds[truck]
            ways = kind.ways(facts.mask[visit] | kind.aboard)
            routes = [route for way in ways if (route := self.build(truck, (visit, *way)))]
            if kind.aboard and (route := self.from_visits(truck, (visit,))):
                routes.append(route)
            self._alone[key] = min(routes, key=lambda route: route.cost, default=None)
        route = self._alone[key]
        return route and replace(route, truck=truck)

    def homeward(self, truck: int) -> Route | None:
        """Return the route of a truck underway that gets nothing more to do; it ends empty."""
        kind = self.facts.kinds[truck]
        if kind.truck.underway is None:
            return None
        routes = [route for way in kind.ways(kind.aboard) if (route := self.build(truck, way))]
        return min(routes, key=lambda route: route.cost, default=None)

    def unused(self, truck: int) -> Route | None:
        """Return the empty route of a truck that has not left yet."""
        waits = self.facts.kinds[truck].truck.underway is None
        return self.build(truck, ()) if waits else None

    def build(self, truck: int, nodes: Sequence[int], like: Route | None = None) -> Route | None:
        """Build a route through these nodes.

        Args:
            truck: index of the truck.
            nodes: visits and unloadings; whoever placed the unloadings saw to what they accept.
            like: a route of the same kind of truck that may begin alike; saves time.
        """
        facts = self.facts
        kind = facts.kinds[truck]
        visits = tuple(node for node in nodes if node < facts.visits)
        kg = sum([self.kg[visit] for visit in visits])
        litres = sum([self.litres[visit] for visit in visits])
        if not self.within_day(kind, len(visits), kg, litres):
            return None
        trip, loads = self._trips(kind, nodes)
        if (loads > kind.capacity).any() and not self._overfull_only(kind, nodes, loads):
            return None
        clock = self.clock(kind)
        start_s = clock.leave(nodes[0]) if nodes else kind.truck.shift.earliest_s
        places = [kind.truck.start, *(facts.location[node] for node in nodes)]
        labels = self._labels(clock, start_s, places, nodes, like)
        if labels is None:
            return None
        end_s = clock.end(labels[-1], places[-1], start_s)
        if end_s is None:
            return None
        if clock.too_long(start_s, end_s):
            start_s = clock.latest_start(nodes, start_s, end_s)
            if clock.too_long(start_s, end_s):
                return None
            labels = self._labels(clock, start_s, places, nodes, None) or labels
        at = np.array([*places, kind.truck.end], dtype=np.int64)
        driving_s = int(facts.seconds[at[:-1], at[1:]].sum())
        if kind.driving_s is not None and driving_s > kind.driving_s:
            return None
        if kind.truck.energy is not None and not kind.within_battery(
            float(facts.km[at[:-1], at[1:]].sum()), visits
        ):
            return None
        cost = 0.0
        if nodes or kind.truck.underway is not None:
            cost = float(kind.km_eur[at[:-1], at[1:]].sum()) + kind.hours_eur(start_s, end_s)
        return Route(
            truck, tuple(nodes), visits, start_s, end_s, cost, labels, at,
            kind.cost[at[:-1], at[1:]], trip, loads, driving_s, kg, litres,
        )  # fmt: skip

    def _labels(
        self,
        clock: Clock,
        start_s: int,
        places: Sequence[int],
        nodes: Sequence[int],
        like: Route | None,
    ) -> list[Labels] | None:
        """Return the clock's labels before each gap; None when a node cannot be reached in time."""
        labels = [clock.begin(start_s)]
        if like is not None and like.start_s == start_s:
            alike = 0
            for mine, theirs in zip(nodes, like.nodes, strict=False):
                if mine != theirs:
                    break
                alike += 1
            labels = like.labels[: alike + 1]
        for index in range(len(labels) - 1, len(nodes)):
            following = clock.step(labels[-1], places[index], nodes[index])
            if following is None:
                return None
            labels.append(following)
        return labels

    def within_day(self, kind: Kind, stops: int, kg: float, litres: float) -> bool:
        """Whether the amounts of a whole day are within the truck's limits."""
        truck, done = kind.truck, kind.truck.underway
        if done is not None:
            if not stops:
                return True
            stops, kg = stops + done.stops, kg + done.kg_today
            litres += done.litres_today
        return (
            (truck.max_stops is None or stops <= truck.max_stops)
            and (truck.max_kg is None or kg <= truck.max_kg + 1e-6)
            and (truck.max_litres is None or litres <= truck.max_litres + 1e-6)
        )

    def _overfull_only(self, kind: Kind, nodes: Sequence[int], loads: NDArray[np.float64]) -> bool:
        """Whether the only trip with too much is that of a truck that unloads before anything."""
        first = nodes[0] >= self.facts.visits if nodes else True
        return kind.aboard > 0 and first and not (loads[1:] > kind.capacity).any()

    def _trips(self, kind: Kind, nodes: Sequence[int]) -> tuple[list[int], NDArray[np.float64]]:
        """Return the trip of each gap, and each trip's load."""
        at = np.array(nodes, dtype=np.int64)
        unloads = at >= self.facts.visits
        sums = np.zeros((len(at) + 1, len(kind.capacity)))
        np.cumsum(kind.need_or_none[np.minimum(at, self.facts.visits)], axis=0, out=sums[1:])
        ends = np.concatenate(([0], np.flatnonzero(unloads) + 1, [len(at)]))
        trip = [0, *np.cumsum(unloads).tolist()]
        loads = np.diff(sums[ends], axis=0)
        if kind.aboard:
            loads[0] += kind.on_board
        return trip, loads
