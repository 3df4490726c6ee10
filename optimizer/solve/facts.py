"""A problem as the engines see it: plain lists and arrays, equal trucks folded into one kind."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations, pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np

from optimizer.model import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from optimizer.model import Facility, Problem, Truck, Visit

FAR_S = 10**9  # travel time where there is no road: misses every window, and sums stay small
FAR_EUR = 1e9


class Facts:
    """A problem, prepared for many quick questions.

    Attributes:
        seconds: (L, L) travel time between locations, FAR_S where there is no road; likewise
            `travel_s` as nested lists, quicker to ask for one.
        location: of each node; likewise `service_s` and `windows` (pairs of seconds).
        kinds: the kind of each truck; equal trucks share one.
        mask: bit set of the fractions to collect at each visit.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.visits = len(problem.visits)
        places: list[Visit | Facility] = [*problem.visits, *problem.facilities]
        duration_s, distance_m = problem.matrices()
        reachable = duration_s != UNREACHABLE
        self.seconds = np.where(reachable, duration_s, FAR_S)
        self.travel_s: list[list[int]] = self.seconds.tolist()
        self.km = np.where(reachable, distance_m / 1000.0, FAR_EUR)
        self.location = [place.location for place in places]
        self.service_s = [visit.service_s for visit in problem.visits]
        self.service_s += [facility.unload_s for facility in problem.facilities]
        self.windows = [
            tuple(sorted((w.earliest_s, w.latest_s) for w in place.windows)) for place in places
        ]
        self.mask = [_mask(visit) for visit in problem.visits]
        self.prize = [visit.prize_eur for visit in problem.visits]
        found: dict[object, Kind] = {}
        self.kinds: list[Kind] = []
        for truck in problem.trucks:
            key = _alike(truck)
            if key not in found:
                found[key] = Kind(self, truck)
            self.kinds.append(found[key])

    def allowed(self, visit: int, truck: int) -> bool:
        """Whether a truck may serve a visit, and its body takes it in one trip."""
        trucks = self.problem.visits[visit].trucks
        return (trucks is None or truck in trucks) and self.kinds[truck].takes[visit]


class Kind:
    """What all trucks of one kind have in common.

    Attributes:
        cost: (L, L) euro of driving from location to location: kilometres and hours.
        capacity: the limits of a trip that can bind: payload, kg and litres of compartments.
        need: (V, limits) what each visit takes of each of these limits.
        takes: whether a visit fits into an empty truck at all.
    """

    def __init__(self, facts: Facts, truck: Truck) -> None:
        problem = facts.problem
        self.facts = facts
        self.truck = truck
        self.eur_per_s = truck.eur_per_h / 3600.0
        self.km_eur = np.minimum(facts.km * truck.eur_per_km, FAR_EUR)
        # A metre costs something even where money is free, so that tours stay short.
        self.cost: NDArray[np.float64] = np.minimum(
            self.km_eur + facts.seconds * self.eur_per_s + facts.km * 1e-6, FAR_EUR
        )
        limits, needs = _dimensions(problem, truck)
        binding = [i for i, limit in enumerate(limits) if limit < sum(need[i] for need in needs)]
        self.capacity = np.array([limits[i] + 1e-6 for i in binding], dtype=np.float64)
        self.need = np.array([[need[i] for i in binding] for need in needs], dtype=np.float64)
        self.need = self.need.reshape(len(needs), len(binding))
        self.takes = [
            self.has_body_for(index)
            and all(n <= limit + 1e-6 for n, limit in zip(need, limits, strict=True))
            for index, need in enumerate(needs)
        ]

    def has_body_for(self, visit: int) -> bool:
        """Whether the body takes a visit's fractions, and facilities take them from it."""
        mask = self.facts.mask[visit]
        return _has_compartments(self.truck, self.facts.problem.visits[visit]) and (
            not mask or bool(self.unloadings(mask))
        )

    @cached_property
    def _covers(self) -> dict[int, tuple[tuple[int, ...], ...]]:
        return {}

    def unloadings(self, mask: int) -> tuple[tuple[int, ...], ...]:
        """Return the ways to get rid of some fractions: facility nodes in order of visit."""
        if mask not in self._covers:
            first = self.facts.visits
            self._covers[mask] = tuple(
                tuple(first + index for index in way)
                for way in _covers(self.facts.problem.facilities, mask)
            )
        return self._covers[mask]

    @cached_property
    def _detours(self) -> dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]]:
        return {}

    def detours(self, mask: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the cheapest unloading between any two locations: extra euro, and which way."""
        if mask not in self._detours:
            location = self.facts.location
            totals = []
            for way in self.unloadings(mask):
                inner = sum(self.facts.service_s[node] for node in way) * (self.eur_per_s + 1e-9)
                stations = [location[node] for node in way]
                inner += sum(self.cost[a, b] for a, b in pairwise(stations))
                totals.append(
                    self.cost[:, stations[0]][:, None] + inner + self.cost[stations[-1]][None, :]
                )
            stack = np.stack(totals)
            self._detours[mask] = (stack.min(axis=0) - self.cost, stack.argmin(axis=0))
        return self._detours[mask]


def _alike(truck: Truck) -> object:
    return tuple(getattr(truck, name) for name in truck.__dataclass_fields__ if name != "id")


def _mask(visit: Visit) -> int:
    amounts = zip(visit.kg, visit.litres, strict=True)
    return sum(
        1 << fraction for fraction, (kg, litres) in enumerate(amounts) if kg > 0 or litres > 0
    )


def _dimensions(problem: Problem, truck: Truck) -> tuple[list[float], list[list[float]]]:
    """Return the limits of a trip, and what each visit takes of them."""
    limits = [truck.payload_kg]
    needs = [[sum(visit.kg)] for visit in problem.visits]
    for compartment in truck.compartments:
        limits += [compartment.capacity_kg, compartment.capacity_l]
        for visit, need in zip(problem.visits, needs, strict=True):
            need.append(sum(visit.kg[fraction] for fraction in compartment.fractions))
            need.append(sum(visit.litres[fraction] for fraction in compartment.fractions))
    return limits, needs


def _has_compartments(truck: Truck, visit: Visit) -> bool:
    amounts = zip(visit.kg, visit.litres, strict=True)
    return all(
        truck.compartment_of(fraction) is not None
        for fraction, (kg, litres) in enumerate(amounts)
        if kg > 0 or litres > 0
    )


def _covers(facilities: Iterable[Facility], mask: int) -> Iterable[tuple[int, ...]]:
    """Yield the smallest sets of facilities that take all fractions of a mask, in any order."""
    accepts = [sum(1 << fraction for fraction in f.accepts) for f in facilities]
    for count in range(1, min(3, len(accepts)) + 1):
        found = [
            order
            for chosen in combinations(range(len(accepts)), count)
            if mask & ~union_of(accepts[i] for i in chosen) == 0
            for order in permutations(chosen)
        ]
        if found:
            return found
    return ()


def union_of(masks: Iterable[int]) -> int:
    """Return the union of bit sets."""
    union = 0
    for mask in masks:
        union |= mask
    return union
