"""OR-Tools alone for days of one trip each: many small problems in place of a large one.

After E. Taillard and S. Voss, "POPMUSIC: Partial optimization metaheuristic under special
intensification conditions" (2002): a tour and those next to it are a problem of some forty to
fifty visits, which OR-Tools solves from scratch in a fraction of a second by iterated local search
with string removals; what comes out cheaper is kept. A tour from which nothing improves rests
until another beside it changes. Sizes and settings were measured (`docs/adr/0006-solver.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer.solve.days import day_of, solution_of
from optimizer.solve.demands import demands
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem, Solution
    from optimizer.solve.route import Builder, Route
    from optimizer.solve.search import Day

VISITS = 45  # of a part, about
PART_S = 0.35  # to solve a part of this size
GROWTH = 1.3  # of parts when no tour has anything left to gain
COUNTED = 60  # parts with the full effort where steps are counted
STRING = 15  # longest string, and visits removed on average, of OR-Tools' own search
NAME = "construction+ortools"


@dataclass(frozen=True, slots=True)
class Popmusic:
    """Improves tours of one trip each, some at a time, by OR-Tools' iterated local search."""

    share: float = 0.9

    def supports(self, problem: Problem) -> bool:
        """Whether the common rules are all that a problem asks for."""
        return not demands(problem)

    def builds(self, problem: Problem) -> bool:
        """It begins with the construction."""
        return False

    def improve(
        self,
        problem: Problem,
        builder: Builder,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution | None:
        """Return a plan with better tours; None where tours have several trips."""
        day = day_of(Search(builder, seed), builder, start)
        routes = [route for route in day.routes if route]
        if not self.supports(problem) or not routes or any(len(r.loads) > 2 for r in routes):
            return None
        rounds = _Rounds(builder, day, Random(seed))  # noqa: S311 - a search, not a secret
        parts = COUNTED + 4 * len(routes)
        number = 0
        while monotonic() < until - PART_S and (effort >= 1.0 or number < effort * parts):
            if not rounds.improve_a_part(until):
                break
            number += 1
        return solution_of(builder, rounds.day, NAME, seed)


class _Rounds:
    """A day, and which of its tours may still gain something."""

    def __init__(self, builder: Builder, day: Day, random: Random) -> None:
        self._builder, self._random = builder, random
        self._search = Search(builder, 0)
        self._visits = float(VISITS)
        self._tried: set[int] = set()
        self.day = day

    def improve_a_part(self, until: float) -> bool:
        """Solve one part; return whether there is anything left to try."""
        used = [route for route in self.day.routes if route]
        fresh = [route for route in used if route.truck not in self._tried]
        if not fresh:
            if self._visits > 4 * VISITS or self._visits > len(self.day.routes) * 1000:
                return False
            self._tried.clear()
            self._visits *= GROWTH
            return True
        seed = self._random.choice(fresh)
        chosen = self._beside(seed, used)
        size = sum(len(route.visits) for route in chosen)
        seconds = min(PART_S * max(1.0, size / VISITS), until - monotonic())
        better = self._solved(chosen, seconds)
        if better is None:
            self._tried.add(seed.truck)
            return True
        self.day = better
        self._tried.difference_update(route.truck for route in chosen)
        return True

    def _beside(self, seed: Route, used: Sequence[Route]) -> list[Route]:
        """Return a tour and those whose visits lie nearest to its own."""
        facts = self._builder.facts
        cost = facts.kinds[seed.truck].cost
        mine = [facts.location[visit] for visit in seed.visits]
        near = [
            float(cost[np.ix_(mine, [facts.location[v] for v in route.visits])].min(1).mean())
            for route in used
        ]
        chosen, size = [], 0
        for index in np.argsort(near, kind="stable"):
            chosen.append(used[index])
            size += len(used[index].visits)
            if size >= self._visits and len(chosen) > 1:
                break
        return chosen

    def _solved(self, chosen: Sequence[Route], seconds: float) -> Day | None:
        """Return the day with some tours made anew, if that is better."""
        from optimizer.solve.trip_model import trip_model

        facts = self._builder.facts
        visits = [visit for route in chosen for visit in route.visits]
        visits += self._near_absent(chosen)
        idle = [t for t, route in enumerate(self.day.routes) if route is None][:1]
        model = trip_model(facts, chosen, visits, idle)
        if model is None:
            return None
        found = model.routing.SolveWithIteratedLocalSearch(
            _parameters(seconds, any(facts.windows[visit] for visit in visits))
        )
        if found is None:
            return None
        routes = list(self.day.routes)
        for truck, nodes in model.nodes(found):
            routes[truck] = self._builder.from_visits(truck, nodes) if nodes else None
        candidate = self._search.day(routes)
        return candidate if candidate.cost < self.day.cost - 1e-6 else None

    def _near_absent(self, chosen: Sequence[Route]) -> list[int]:
        """Return visits left out so far that a part may take in."""
        facts = self._builder.facts
        able = [
            visit
            for visit in sorted(self.day.absent)
            if any(facts.allowed(visit, route.truck) for route in chosen)
        ]
        if len(able) <= VISITS // 3:
            return able
        mine = [facts.location[visit] for route in chosen for visit in route.visits]
        cost = facts.kinds[chosen[0].truck].cost
        way = cost[np.ix_([facts.location[visit] for visit in able], mine)].min(axis=1)
        return [able[index] for index in np.argsort(way, kind="stable")[: VISITS // 3]]


def _parameters(seconds: float, windows: bool) -> Any:
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    first = routing_enums_pb2.FirstSolutionStrategy
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        first.PARALLEL_CHEAPEST_INSERTION if windows else first.SAVINGS
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    )
    parameters.use_iterated_local_search = True
    iterated = parameters.iterated_local_search_parameters
    ruin = iterated.ruin_recreate_parameters
    del ruin.ruin_strategies[:]
    strings = ruin.ruin_strategies.add().sisr
    strings.max_removed_sequence_size = STRING
    strings.avg_num_removed_visits = STRING
    strings.bypass_factor = 0.01
    ruin.recreate_strategy.heuristic = first.LOCAL_CHEAPEST_INSERTION
    iterated.improve_perturbed_solution = False
    iterated.reference_solution_acceptance_strategy.greedy_descent.SetInParent()
    parameters.time_limit.FromMilliseconds(int(seconds * 1000))
    return parameters
