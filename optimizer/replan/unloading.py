"""Where a truck that may carry something already unloads along a sequence of visits.

An exact dynamic programme over the sequence, as in `optimizer.solve.unload`: `best[j]` is the least
detour of the first j items when the truck unloads right after the j-th; the trip that ends there
began after some i < j whose load still fits, and i only moves forward with j (a monotone queue).
Times are left to the judge.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

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


def unloaded_at_once(problem: Problem, truck: Truck) -> Nodes | None:
    """Return the facilities by which a truck gets rid of its load on its way home, or None."""
    return Unloader(problem, truck).place(())


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


class Unloader:
    """Places unloadings for one truck of a problem."""

    def __init__(self, problem: Problem, truck: Truck) -> None:
        self._problem, self._truck = problem, truck
        done, nothing = truck.underway, (0.0,) * len(problem.fractions)
        board = [(done.kg, done.litres) if done else (nothing, nothing)]
        amounts = board + [(visit.kg, visit.litres) for visit in problem.visits]
        kg, litres = (
            np.array(part).reshape(len(amounts), -1) for part in zip(*amounts, strict=True)
        )
        bodies = [sorted(body.fractions) for body in truck.compartments]
        limits = [truck.payload_kg]
        needs = [kg.sum(axis=1)]
        for body, fractions in zip(truck.compartments, bodies, strict=True):
            limits += [body.capacity_kg, body.capacity_l]
            needs += [kg[:, fractions].sum(axis=1), litres[:, fractions].sum(axis=1)]
        self._limits = np.array(limits) + SLACK
        self._need = np.stack(needs, axis=1)  # row 0 is what is on board
        self._carries = (kg > SLACK) | (litres > SLACK)
        self._loaded = loaded(truck)

    def place(self, visits: Sequence[int], only: int | None = None) -> Nodes | None:
        """Return the visits in this order with unloadings where they cost least, ending empty.

        What is on board is taken for the first thing that was collected, at the start.

        Args:
            visits: in the order in which they are served.
            only: the one facility to use; None for any.

        Returns:
            The nodes; None where the load cannot be carried or not be got rid of.
        """
        items = np.array([*([0] if self._loaded else []), *(visit + 1 for visit in visits)], int)
        carried = frozenset(np.flatnonzero(self._carries[items].any(axis=0)).tolist())
        if not carried:
            return tuple(visits)
        first = 0 if self._loaded else 1
        problem, truck = self._problem, self._truck
        stations = [truck.start, *(problem.location(visit) for visit in visits), truck.end]
        extra, ways = _detours(problem, truck, stations[first:], carried, only)
        before = self._begins(items, extra)
        if before is None:
            return None
        placed: list[int] = []
        end = len(items)
        while end > 0:
            begin = before[end]
            trip = [int(item) - 1 for item in items[begin:end] if item]
            placed[:0] = [*trip, *ways[end - 1]]
            end = begin
        return tuple(placed)

    def _begins(self, items: NDArray[np.int64], extra: Sequence[float]) -> list[int] | None:
        """Return for each item at which the trip begins that is best to end with it."""
        count = len(items)
        loads = np.zeros((count + 1, len(self._limits)))
        np.cumsum(self._need[items], axis=0, out=loads[1:])
        earliest = np.zeros(count + 1, dtype=np.int64)
        for number, limit in enumerate(self._limits):
            load = loads[:, number]
            earliest = np.maximum(earliest, np.searchsorted(load, load - limit, side="left"))
        best, before = [0.0] * (count + 1), [0] * (count + 1)
        window = deque([0])
        for end, begin in enumerate(earliest.tolist()[1:], start=1):
            while window and window[0] < begin:
                window.popleft()
            if not window:
                return None
            best[end], before[end] = best[window[0]] + extra[end - 1], window[0]
            while window and best[window[-1]] >= best[end]:
                window.pop()
            window.append(end)
        return before if best[count] < FAR_EUR else None


def _detours(
    problem: Problem,
    truck: Truck,
    stations: Sequence[int],
    carried: frozenset[int],
    only: int | None,
) -> tuple[list[float], list[Nodes]]:
    """Return per leg the cheapest way to unload on it: extra euro, and facility nodes."""
    straight = _eur(truck, *problem.travel.legs(stations))
    straight = np.where(straight < FAR_EUR, straight, 0.0)
    accepts = tuple(facility.accepts for facility in problem.facilities)
    options, nodes = [], []
    for chosen in _covers(accepts, carried, only):
        places = [problem.facilities[index].location for index in chosen]
        there = _eur(truck, *problem.travel.block(stations[:-1], places[:1]))[:, 0]
        back = _eur(truck, *problem.travel.block(places[-1:], stations[1:]))[0]
        inner = float(_eur(truck, *problem.travel.legs(places)).sum()) if len(places) > 1 else 0.0
        inner_s = sum(problem.facilities[index].unload_s for index in chosen)
        options.append(there + back - straight + inner + inner_s / 3600 * truck.eur_per_h)
        nodes.append(tuple(len(problem.visits) + index for index in chosen))
    if not options:
        return [FAR_EUR] * len(straight), [()] * len(straight)
    table = np.stack(options)
    return table.min(axis=0).tolist(), [nodes[row] for row in table.argmin(axis=0).tolist()]


def _eur(truck: Truck, seconds: NDArray[np.int64], metres: NDArray[np.float64]) -> Any:
    """Return what driving some legs costs; FAR_EUR where there is no road."""
    eur = metres / 1000 * truck.eur_per_km + seconds / 3600 * truck.eur_per_h
    return np.where(seconds == UNREACHABLE, FAR_EUR, eur)


class _Load:
    """What is on board along a tour."""

    def __init__(self, problem: Problem, truck: Truck) -> None:
        self._problem, self._truck = problem, truck
        nothing = [0.0] * len(problem.fractions)
        done = truck.underway
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
