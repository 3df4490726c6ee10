"""One truck's day under construction, and where another visit would fit into it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
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
        trip: number of the trip each gap belongs to.
        loads: what each trip carries of each limit.
    """

    truck: int
    nodes: tuple[int, ...]
    visits: tuple[int, ...]
    start_s: int
    end_s: int
    cost: float
    labels: tuple[Labels, ...]
    places: NDArray[np.int64]
    legs: NDArray[np.float64]
    trip: tuple[int, ...]
    loads: tuple[tuple[float, ...], ...]
    driving_s: int
    kg: float
    litres: float


class Builder:
    """Builds routes; None stands for what no rule allows."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.clocks = {id(kind): Clock(facts, kind) for kind in facts.kinds}
        self.kg = [sum(visit.kg) for visit in facts.problem.visits]
        self.litres = [sum(visit.litres) for visit in facts.problem.visits]

    def clock(self, kind: Kind) -> Clock:
        """Return the clock of a kind of truck."""
        return self.clocks[id(kind)]

    def from_visits(self, truck: int, visits: Sequence[int]) -> Route | None:
        """Build a route through visits in this order; unloadings are placed for it."""
        nodes = place_unloadings(self.facts, self.facts.kinds[truck], visits)
        return None if nodes is None else self.build(truck, nodes)

    def alone(self, truck: int, visit: int) -> Route | None:
        """Build the route that serves one visit only, by whichever facilities are open."""
        facts = self.facts
        ways = facts.kinds[truck].unloadings(facts.mask[visit]) if facts.mask[visit] else ((),)
        routes = [route for way in ways if (route := self.build(truck, (visit, *way)))]
        return min(routes, key=lambda route: route.cost, default=None)

    def build(self, truck: int, nodes: Sequence[int]) -> Route | None:
        """Build a route through these nodes."""
        facts = self.facts
        kind = facts.kinds[truck]
        clock = self.clock(kind)
        visits = tuple(node for node in nodes if node < facts.visits)
        kg = sum(self.kg[visit] for visit in visits)
        litres = sum(self.litres[visit] for visit in visits)
        if not self.within_day(kind, len(visits), kg, litres):
            return None
        trips = self._trips(kind, nodes)
        if trips is None:
            return None
        start_s = clock.leave(nodes[0]) if nodes else kind.truck.shift.earliest_s
        labels = [clock.begin(start_s)]
        places = [kind.truck.start]
        for node in nodes:
            following = clock.step(labels[-1], places[-1], node)
            if following is None:
                return None
            labels.append(following)
            places.append(facts.location[node])
        end_s = clock.end(labels[-1], places[-1], start_s)
        if end_s is None:
            return None
        places.append(kind.truck.end)
        driving_s = sum(facts.travel_s[a][b] for a, b in itertools.pairwise(places))
        if kind.truck.max_driving_s is not None and driving_s > kind.truck.max_driving_s:
            return None
        at = np.array(places, dtype=np.int64)
        cost = float(kind.km_eur[at[:-1], at[1:]].sum()) if nodes else 0.0
        cost += (end_s - start_s) * kind.eur_per_s if nodes else 0.0
        return Route(
            truck, tuple(nodes), visits, start_s, end_s, cost, tuple(labels), at,
            kind.cost[at[:-1], at[1:]], *trips, driving_s, kg, litres,
        )  # fmt: skip

    def within_day(self, kind: Kind, stops: int, kg: float, litres: float) -> bool:
        """Whether the amounts of a whole day are within the truck's limits."""
        truck = kind.truck
        return (
            (truck.max_stops is None or stops <= truck.max_stops)
            and (truck.max_kg is None or kg <= truck.max_kg + 1e-6)
            and (truck.max_litres is None or litres <= truck.max_litres + 1e-6)
        )

    def _trips(
        self, kind: Kind, nodes: Sequence[int]
    ) -> tuple[tuple[int, ...], tuple[tuple[float, ...], ...]] | None:
        """Return the trip of each gap, and each trip's load; None when one is too heavy.

        Consecutive unloadings end one trip together, and what they leave has to fit: the placing
        of unloadings makes sure of that.
        """
        trip_of = [0]
        loads = [(0.0,) * len(kind.capacity)]
        for node in nodes:
            if node >= self.facts.visits:
                loads.append((0.0,) * len(kind.capacity))
            else:
                loads[-1] = tuple(a + b for a, b in zip(loads[-1], kind.need[node], strict=True))
                if any(a > b for a, b in zip(loads[-1], kind.capacity, strict=True)):
                    return None
            trip_of.append(len(loads) - 1)
        return tuple(trip_of), tuple(loads)
