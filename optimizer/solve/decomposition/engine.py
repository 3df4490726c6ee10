"""Zones, then rounds of neighbourhoods, behind the protocol of the engines.

The annealing is one for the whole plan: all neighbourhoods of a round cool over the same span of
temperatures, and the next round divides the tours anew, so that no border lasts.
"""

from __future__ import annotations

import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from config.cores import cores
from optimizer.solve.decomposition.division import Map, Size
from optimizer.solve.decomposition.finish import with_starts
from optimizer.solve.decomposition.task import SubResult, SubTask, work
from optimizer.solve.sisr.schedule import UNCOUNTED, part

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from optimizer.model import Problem, Solution
    from optimizer.solve.decomposition.subset import Part
    from optimizer.solve.route import Builder

LARGE = 2000  # visits from which on a problem is divided; a tight fleet fills better in one piece
ZONE = Size(400, 2)
NEAR = Size(250, 3)
ROUNDS = 30
FLEET_TOURS, FLEET_ROUNDS, FLEET_SHARE = 10, 2, 0.4  # to give up trucks: tours, rounds, time
HOT, COLD = 0.1, 0.003  # first and last temperature, as a share of the mean way to a visit
STEPS = 1000  # per visit, by a share of the effort; with all of it the clock alone decides
FIRST_S = 0.005  # per visit, for a first plan where there is no time left at all
FINISH_S = 0.0004  # kept back per visit, for what comes after the search
NAME = "decomposition"


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Many small problems in place of a large one.

    Attributes:
        share: of the time.
        workers: tasks at a time.
        executor: makes what runs that many of them. The compiled search lets threads run side by
            side; a pool of processes, or one whose tasks run on other machines, does as well.
        large: visits from which on it is for a problem.
        zone: size of a zone; likewise `near`, of a neighbourhood.
    """

    share: float = 1.0
    workers: int = field(default_factory=cores)
    executor: Callable[[int], Executor] = ThreadPoolExecutor
    large: int = LARGE
    zone: Size = ZONE
    near: Size = NEAR

    def supports(self, problem: Problem) -> bool:
        """Whether a problem is large enough to be divided."""
        return len(problem.visits) > self.large

    def improve(
        self,
        problem: Problem,
        builder: Builder | None,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution | None:
        """Return the best plan found; None where a problem is not large, or has no truck."""
        if not self.supports(problem) or not problem.trucks:
            return None
        del builder  # knows all pairs of places
        until -= FINISH_S * len(problem.visits)
        steps = UNCOUNTED if effort >= 1.0 else round(effort * STEPS * len(problem.visits))
        with self.executor(self.workers) as pool:
            where = Map(problem)
            rounds = _Rounds(self, where, pool, seed)
            if start.tours:
                rounds.begin_with(start)
            rounds.construct(until)
            rounds.give_up_trucks(steps, until)
            rounds.cool(steps, until)
        return with_starts(where, rounds.best, NAME, seed) if rounds.best else None


def division_for(engines: Collection[str]) -> Decomposition:
    """Return how to divide problems where engines are chosen by name; others divide nothing."""
    return (
        Decomposition() if not engines or "search" in engines else Decomposition(large=sys.maxsize)
    )


@dataclass(frozen=True, slots=True)
class _Round:
    """What a round is to do.

    Attributes:
        steps: of all its tasks together.
        until: instant of `time.monotonic` at which it ends.
        hot_eur: first temperature; likewise `cold_eur`, the last.
        fewer: give up trucks in place of annealing.
    """

    steps: int
    until: float
    hot_eur: float
    cold_eur: float
    fewer: bool = False

    def steps_of(self, share: float) -> int:
        """Return the steps of a task that has some share of all visits."""
        return self.steps if self.steps >= UNCOUNTED else max(1, round(self.steps * share))


class _Rounds:
    """A plan in the making.

    Attributes:
        tours: nodes by truck; `best` those of the best plan so far, `best_eur` its cost.
    """

    def __init__(self, how: Decomposition, where: Map, pool: Executor, seed: int) -> None:
        self._how = how
        self._where = where
        self._pool = pool
        self._random = np.random.default_rng(seed)
        self._group: dict[int, tuple[int, ...]] = {}
        self._visit_eur = 0.0
        self.tours: dict[int, tuple[int, ...]] = {}
        self.best: dict[int, tuple[int, ...]] = {}
        self.best_eur = float("inf")

    def begin_with(self, start: Solution) -> None:
        """Begin with a plan in place of what the zones hold."""
        self.tours = {tour.truck: tour.nodes for tour in start.tours}

    def construct(self, until: float) -> None:
        """Fill each zone on its own."""
        zones = self._where.zones(self._how.zone)
        tasks = (
            SubTask(zone.problem, ((),) * len(zone.trucks), None, self._seed(), 1,
                    max(until - monotonic(), FIRST_S * len(zone.visits)), 1e-9, 1e-9)
            for zone in zones
        )  # fmt: skip
        results = list(self._pool.map(work, tasks))
        for zone, result in zip(zones, results, strict=True):
            for group in result.groups:
                whole = zone.outer(group)
                self._group.update(dict.fromkeys(whole, whole))
        self._visit_eur = float(np.mean([result.visit_eur for result in results]))
        if not self.tours:
            self._adopt(zones, results)
        self._separate()

    def give_up_trucks(self, steps: int, until: float) -> None:
        """Do without trucks where their fixed cost is worth more than their absence."""
        if not any(truck.fixed_eur > 0 for truck in self._where.problem.trucks):
            return
        began = monotonic()
        for number in range(FLEET_ROUNDS):
            end = began + FLEET_SHARE * (until - began) * (number + 1) / FLEET_ROUNDS
            self._round(_Round(steps, end, 1e-9, 1e-9, fewer=True))

    def cool(self, steps: int, until: float) -> None:
        """Anneal neighbourhood by neighbourhood, round by round."""
        began, ratio = monotonic(), COLD / HOT
        hot = HOT * self._visit_eur
        for number in range(ROUNDS):
            end = began + (until - began) * (number + 1) / ROUNDS
            if monotonic() < end:
                self._round(
                    _Round(
                        part(steps, ROUNDS), end,
                        hot * ratio ** (number / ROUNDS), hot * ratio ** ((number + 1) / ROUNDS),
                    )
                )  # fmt: skip

    def _round(self, this: _Round) -> None:
        """Improve all neighbourhoods once."""
        visits = len(self._where.at)
        size = replace(self._how.near, tours=FLEET_TOURS) if this.fewer else self._how.near
        nears = list(self._where.neighbourhoods(self.tours, size, self._random))
        if not nears:
            return
        turns = -(-len(nears) // self._how.workers)
        seconds = max(0.0, this.until - monotonic()) / turns
        tasks = (
            SubTask(
                near.part.problem, near.tours, self._groups(near.part), self._seed(),
                this.steps_of(len(near.part.visits) / visits), seconds,
                this.hot_eur, this.cold_eur, this.fewer, max(1, self._how.workers // len(nears)),
            )
            for near in nears
        )  # fmt: skip
        self._adopt([near.part for near in nears], list(self._pool.map(work, tasks)))

    def _adopt(self, parts: Iterable[Part], results: Iterable[SubResult]) -> None:
        """Take over what the tasks of a round found."""
        eur, best = 0.0, dict[int, tuple[int, ...]]()
        for inner, result in zip(parts, results, strict=True):
            eur += result.best_eur
            for truck, last, nodes in zip(inner.trucks, result.last, result.best, strict=True):
                self.tours[truck] = inner.outer(last)
                best[truck] = inner.outer(nodes)
        if eur < self.best_eur:
            self.best, self.best_eur = best, eur

    def _groups(self, part: Part) -> tuple[tuple[int, ...], ...]:
        groups = {self._group[visit] for visit in part.visits}
        return tuple(sorted(part.inner(group) for group in groups))

    def _separate(self) -> None:
        """Dissolve groups of visits that the plan does not make one right after the other."""
        follows = _successors(self.tours)
        for group in set(self._group.values()):
            absent = not any(visit in follows for visit in group)
            if not absent and any(follows.get(a) != b for a, b in pairwise(group)):
                self._group.update({visit: (visit,) for visit in group})

    def _seed(self) -> int:
        return int(self._random.integers(2**31))


def _successors(tours: Mapping[int, tuple[int, ...]]) -> dict[int, int]:
    """Return what each node of the tours is followed by; -1 at their ends."""
    return {a: b for nodes in tours.values() for a, b in pairwise((*nodes, -1))}
