"""Where a truck that may carry something already unloads along a sequence of visits.

An exact dynamic programme over the sequence: `best[j]` is the least detour of the first j visits
when the truck unloads right after the j-th; the trip that ends there began after some i < j, or
with what is on board, and its load has to fit. Times are left to the judge.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

from optimizer.model import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from optimizer.model import Problem, Truck

FAR_EUR = 1e9
SLACK = 1e-6
Nodes = tuple[int, ...]


def loaded(truck: Truck) -> bool:
    """Whether a truck carries something now."""
    return truck.underway is not None and any(
        amount > SLACK for amount in (*truck.underway.kg, *truck.underway.litres)
    )


def on_board(truck: Truck) -> frozenset[int]:
    """Return the fractions that a truck carries now."""
    done = truck.underway
    if done is None:
        return frozenset()
    return frozenset(f for f in range(len(done.kg)) if max(done.kg[f], done.litres[f]) > SLACK)


def unloaded_at_once(problem: Problem, truck: Truck) -> Nodes | None:
    """Return the facilities by which a truck gets rid of its load on its way home, or None."""
    found = _way(problem, truck, truck.start, truck.end, on_board(truck), None)
    return None if found is None else found[1]


def fits(problem: Problem, truck: Truck, nodes: Sequence[int]) -> bool:
    """Whether the loads of a tour are within the body's limits, and it ends empty."""
    load = _Load(problem, truck)
    for node in nodes:
        if problem.is_visit(node):
            load.take(node)
            if load.over():
                return False
        else:
            load.leave(problem.facility(node).accepts)
    return load.empty() or truck.overnight_load_allowed


def place_unloadings(
    problem: Problem, truck: Truck, visits: Sequence[int], only: int | None = None
) -> Nodes | None:
    """Return the visits in this order with unloadings where they cost least, ending empty.

    Args:
        problem: the rest of the day.
        truck: which may be underway, with a load.
        visits: in the order in which they are served.
        only: the one facility to use; None for any.

    Returns:
        The nodes; None where the load cannot be carried or not be got rid of.
    """
    count = len(visits)
    if not count and not loaded(truck):
        return ()
    known: dict[tuple[int, frozenset[int]], tuple[float, Nodes] | None] = {}
    stations = [truck.start, *(problem.location(visit) for visit in visits), truck.end]
    begins_loaded = loaded(truck)
    best = [FAR_EUR] * (count + 1)
    before = [-1] * (count + 1)  # -1: the trip began with what was on board
    ways: list[Nodes] = [()] * (count + 1)
    for i in range(-1, count):
        if i >= 0 and best[i] >= FAR_EUR:
            continue
        load = _Load(problem, truck, empty=i >= 0)
        so_far = best[i] if i >= 0 else 0.0
        for j in range(max(i, 0), count + 1):
            if j > max(i, 0):
                load.take(visits[j - 1])
                if load.over():
                    break
            if i == j or (i < 0 and j == 0 and not begins_loaded):
                continue
            key = (j, load.carried())
            if key not in known:
                known[key] = _way(problem, truck, stations[j], stations[j + 1], key[1], only)
            found = known[key]
            if found is not None and so_far + found[0] < best[j]:
                best[j], before[j], ways[j] = so_far + found[0], i, found[1]
    if best[count] >= FAR_EUR:
        return None
    placed: list[int] = []
    j = count
    while j >= 0:
        i = before[j]
        placed[:0] = [*visits[max(i, 0) : j], *ways[j]]
        j = i
    return tuple(placed)


class _Load:
    """What is on board along a tour."""

    def __init__(self, problem: Problem, truck: Truck, *, empty: bool = False) -> None:
        self._problem, self._truck = problem, truck
        nothing = [0.0] * len(problem.fractions)
        done = None if empty else truck.underway
        self._kg = list(done.kg) if done else list(nothing)
        self._litres = list(done.litres) if done else list(nothing)

    def take(self, visit: int) -> None:
        facts = self._problem.visits[visit]
        for fraction, (kg, litres) in enumerate(zip(facts.kg, facts.litres, strict=True)):
            self._kg[fraction] += kg
            self._litres[fraction] += litres

    def leave(self, accepts: Iterable[int]) -> None:
        for fraction in accepts:
            self._kg[fraction] = self._litres[fraction] = 0.0

    def carried(self) -> frozenset[int]:
        return frozenset(
            f for f in range(len(self._kg)) if self._kg[f] > SLACK or self._litres[f] > SLACK
        )

    def empty(self) -> bool:
        return not self.carried()

    def over(self) -> bool:
        return sum(self._kg) > self._truck.payload_kg + SLACK or any(
            sum(self._kg[f] for f in body.fractions) > body.capacity_kg + SLACK
            or sum(self._litres[f] for f in body.fractions) > body.capacity_l + SLACK
            for body in self._truck.compartments
        )


def _way(
    problem: Problem, truck: Truck, a: int, b: int, carried: frozenset[int], only: int | None
) -> tuple[float, Nodes] | None:
    """Return the cheapest facilities for a load between two places: extra euro, and nodes."""
    if not carried:
        return 0.0, ()
    accepts = tuple(facility.accepts for facility in problem.facilities)
    first = len(problem.visits)
    options = []
    for chosen in _covers(accepts, carried, only):
        stations = [a, *(problem.facilities[index].location for index in chosen), b]
        extra = eur_of(problem, truck, stations)
        if extra < FAR_EUR:
            inner_s = sum(problem.facilities[index].unload_s for index in chosen)
            straight = eur_of(problem, truck, [a, b])
            extra += inner_s / 3600 * truck.eur_per_h - (straight if straight < FAR_EUR else 0.0)
            options.append((extra, tuple(first + index for index in chosen)))
    return min(options, default=None)


@lru_cache(maxsize=1024)
def _covers(
    accepts: tuple[frozenset[int], ...], carried: frozenset[int], only: int | None
) -> tuple[tuple[int, ...], ...]:
    """Return the smallest sets of facilities that take a load, in any order."""
    known = range(len(accepts)) if only is None else [only]
    for size in range(1, min(3, len(known)) + 1):
        found = [
            order
            for chosen in combinations(known, size)
            if carried <= frozenset().union(*(accepts[index] for index in chosen))
            for order in permutations(chosen)
        ]
        if found:
            return tuple(found)
    return ()


def eur_of(problem: Problem, truck: Truck, stations: Sequence[int]) -> float:
    """Return what driving along some locations costs; FAR_EUR where there is no road."""
    seconds, metres = problem.travel.legs(stations)
    if (seconds == UNREACHABLE).any():
        return FAR_EUR
    return float(metres.sum()) / 1000 * truck.eur_per_km + _hours(seconds) * truck.eur_per_h


def _hours(seconds: NDArray[np.int64]) -> float:
    return float(seconds.sum()) / 3600
