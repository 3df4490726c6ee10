"""Ruin and recreate: the search that finds good days.

After J. Christiaens and G. Vanden Berghe, "Slack Induction by String Removals for Vehicle Routing
Problems", Transportation Science 54 (2020): strings of visits near a random one are taken out of
their routes, and put back one by one where they are cheapest, blinking now and then; a worse
plan is kept with a chance that falls as simulated annealing cools. Visits that find no place
wait, counted, so that a smaller fleet is found by making room for those that are left out often.

`optimizer.solve.sisr` is the same search compiled; this one knows every rule of the model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.insertion import Inserter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from optimizer.solve.route import Builder, Route

REMOVED = 10.0  # visits taken out per step, on average
STRING = 10  # longest string taken out of one route
BLINK = 0.01
TRIED_AGAIN = 10  # visits left out that get another chance in each step
HOT, COLD = 0.3, 0.003  # first and last temperature, as a share of a visit's mean cost
FULL_EUR = 1e7  # a mandatory visit left out, beyond any day's cost; as `sisr.arrays.MANDATORY_EUR`


@dataclass(frozen=True, slots=True)
class Day:
    """A whole plan during the search: a route or None per truck, and the visits left out."""

    routes: tuple[Route | None, ...]
    absent: frozenset[int]
    cost: float

    @property
    def used(self) -> int:
        """Number of trucks in use."""
        return sum(route is not None for route in self.routes)


class Search:
    """Improves a day, step by step; the same seed and steps give the same day."""

    def __init__(self, builder: Builder, seed: int, fleet: Iterable[int] | None = None) -> None:
        self._builder = builder
        self._facts = builder.facts
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - a search, not a secret
        self._insert = Inserter(builder, self._random, BLINK)
        self._fleet = range(len(self._facts.kinds)) if fleet is None else tuple(fleet)
        self._empty = {
            truck: route for truck in self._fleet if (route := builder.unused(truck)) is not None
        }
        self._homeward = {
            truck: route
            for truck in range(len(self._facts.kinds))
            if (route := builder.homeward(truck)) is not None
        }
        self._candidates = [
            visit
            for visit in range(self._facts.visits)
            if any(self._facts.allowed(visit, truck) for truck in self._fleet)
        ]
        self._balance_eur_per_s = self._facts.problem.balance_eur_per_h / 3600.0
        self._candidate_set = frozenset(self._candidates)
        self._near = self._neighbours()
        self._missed = [0] * self._facts.visits

    def construct(self) -> Day:
        """Insert the visits where they are cheapest, far ones and mandatory ones first."""
        facts = self._facts
        reach = [
            min((facts.kinds[truck].cost[facts.kinds[truck].truck.start, facts.location[visit]]
                 for truck in self._fleet), default=0.0)
            for visit in range(facts.visits)
        ]  # fmt: skip
        order = sorted(
            self._candidates, key=lambda visit: (facts.prize[visit] is not None, -reach[visit])
        )
        start = [self._homeward.get(truck) for truck in range(len(facts.kinds))]
        return self._filled(start, order, frozenset(range(facts.visits)))

    def worth(self, visit: int) -> float:
        """Return what leaving a visit out costs."""
        prize = self._facts.prize[visit]
        return FULL_EUR if prize is None else prize

    def day(self, routes: list[Route | None]) -> Day:
        """Return the day made of these routes; who is underway and has none drives home."""
        routes = [route or self._homeward.get(truck) for truck, route in enumerate(routes)]
        served = {visit for route in routes if route for visit in route.visits}
        return self._day(routes, frozenset(range(self._facts.visits)) - served)

    def _day(self, routes: list[Route | None], absent: frozenset[int]) -> Day:
        used = [route for route in routes if route]
        cost = sum(self._facts.kinds[route.truck].fixed_eur for route in used)
        cost += sum(route.cost for route in used)
        if self._balance_eur_per_s and used:
            lengths_s = [self._facts.kinds[r.truck].length_s(r.start_s, r.end_s) for r in used]
            cost += (max(lengths_s) - min(lengths_s)) * self._balance_eur_per_s
        return Day(tuple(routes), absent, cost + sum(self.worth(visit) for visit in absent))

    def improve(
        self,
        start: Day,
        steps: int,
        until: float,
        enough: Callable[[Day], bool] = lambda _: False,
    ) -> Day:
        """Return the best day found from a start.

        Args:
            start: where to begin.
            steps: ruin-and-recreate steps to make.
            until: instant of `time.monotonic` at which to stop in any case.
            enough: stop at the first best day of which this is true.
        """
        if not self._candidates or steps <= 0:
            return start
        began = monotonic()
        current = best = start
        for step in range(steps):
            now = monotonic()
            if now >= until or enough(best):
                break
            cooled = max(step / steps, self._lateness(step, steps, now - began, until - began))
            temperature = self._scale(best) * HOT * (COLD / HOT) ** cooled
            changed = self._recreate(current, self._ruin(current))
            if self._accepted(changed, current, temperature):
                current = changed
                if current.cost < best.cost - 1e-9:
                    best = current
        return best

    @staticmethod
    def _lateness(step: int, steps: int, spent: float, budget: float) -> float:
        """Return the share of the time that is gone, where time is what will run out first."""
        if step < 50 or spent / step * steps < 0.8 * budget:
            return 0.0
        return min(1.0, spent / budget)

    def _scale(self, day: Day) -> float:
        """Return what a visit costs on average, without fixed costs."""
        served = self._facts.visits - len(day.absent)
        cost = sum(route.cost for route in day.routes if route)
        return max(cost / max(1, served), 1e-6)

    def _accepted(self, changed: Day, current: Day, temperature: float) -> bool:
        absent = [visit for visit in changed.absent if self._mandatory(visit)]
        before = [visit for visit in current.absent if self._mandatory(visit)]
        for visit in absent:
            self._missed[visit] += 1
        gain = current.cost - changed.cost
        if len(absent) != len(before) and not (absent and before):
            return len(absent) < len(before)
        if absent or before:  # the paper's "sum of absences": make room for what is missed often
            fewer = sum(self._missed[v] for v in absent) - sum(self._missed[v] for v in before)
            if fewer:
                return fewer < 0
        return gain > temperature * math.log(self._random.random() + 1e-300)

    def _mandatory(self, visit: int) -> bool:
        return self._facts.prize[visit] is None and visit in self._candidate_set

    def _neighbours(self) -> list[list[int]]:
        """Return the visits near each visit, nearest first."""
        facts = self._facts
        near: list[list[int]] = [[] for _ in range(facts.visits)]
        if not self._candidates:
            return near
        ids = np.array(self._candidates)
        at = np.array([facts.location[visit] for visit in self._candidates])
        cost = next(iter(facts.kinds)).cost[np.ix_(at, at)]
        order = np.argsort(cost + cost.T, axis=1, kind="stable")[:, :200]
        for row, visit in enumerate(self._candidates):
            near[visit] = ids[order[row]].tolist()
        return near

    def _ruin(self, day: Day) -> set[int]:
        """Choose visits to take out: strings of routes near a random visit, or a small route."""
        random = self._random
        used = [route for route in day.routes if route and route.visits]
        if not used:
            return set()
        if len(used) > 1 and random.random() < 0.02:
            return set(min(used, key=lambda route: len(route.visits) * random.random()).visits)
        length = sum(len(route.visits) for route in used) / len(used)
        longest = min(STRING, length)
        strings = int(random.random() * max(1.0, 4 * REMOVED / (1 + longest) - 1)) + 1
        seed = random.choice(self._candidates)
        if day.absent and random.random() < 0.3:
            seed = random.choice(sorted(day.absent & self._candidate_set) or [seed])
        route_of = {visit: route for route in used for visit in route.visits}
        ruined: set[int] = set()
        gone: set[int] = set()
        for visit in self._near[seed]:
            if len(ruined) >= strings:
                break
            route = route_of.get(visit)
            if route is None or route.truck in ruined:
                continue
            ruined.add(route.truck)
            gone.update(self._string(route, visit, longest))
        return gone

    def _string(self, route: Route, visit: int, longest: float) -> list[int]:
        """Return a string of visits around one, sometimes with a part in its middle kept."""
        random = self._random
        size = len(route.visits)
        length = int(random.random() * min(size, longest)) + 1
        length = min(length, size)
        kept = 0
        if 1 < length < size and random.random() < 0.5:
            kept = min(length, size - length, 1 + int(-math.log(random.random() + 1e-12) * 2))
        span = length + kept
        at = route.visits.index(visit)
        begin = random.randint(max(0, at - span + 1), min(at, size - span))
        string = list(route.visits[begin : begin + span])
        if kept:
            hole = random.randint(1, length - 1)
            del string[hole : hole + kept]
        return string

    def _recreate(self, day: Day, gone: set[int]) -> Day:
        routes = list(day.routes)
        back = set(gone)
        for truck, route in enumerate(routes):
            if route and not gone.isdisjoint(route.visits):
                rest = [visit for visit in route.visits if visit not in gone]
                route = self._builder.from_visits(truck, rest) if rest else None
                routes[truck] = route or self._homeward.get(truck)
                if rest and route is None:
                    back.update(rest)  # unloadings cannot be placed without them
        absent = sorted(day.absent & self._candidate_set)
        if len(absent) > TRIED_AGAIN:
            absent = self._random.sample(absent, TRIED_AGAIN)
        return self._filled(routes, self._order([*sorted(back), *absent]), day.absent | back)

    def _order(self, visits: list[int]) -> list[int]:
        """Return visits in one of the paper's orders, by their prize or by their windows' width."""
        facts, random = self._facts, self._random
        random.shuffle(visits)
        kind = facts.kinds[0]
        pick = random.random() * 14
        if pick < 4:
            return visits
        if pick < 7:
            visits.sort(key=lambda v: -(self._builder.kg[v] + self._builder.litres[v]))
        elif pick < 10:
            visits.sort(key=lambda v: -kind.cost[kind.truck.start, facts.location[v]])
        elif pick < 11:
            visits.sort(key=lambda v: kind.cost[kind.truck.start, facts.location[v]])
        elif pick < 12:
            visits.sort(key=lambda v: -self.worth(v))
        else:
            visits.sort(key=lambda v: sum(b - a for a, b in facts.windows[v]) or 10**6)
        return visits

    def _filled(self, routes: list[Route | None], order: list[int], absent: frozenset[int]) -> Day:
        """Insert visits one by one where they are cheapest; what finds no place stays out."""
        left = set(absent)
        for visit in order:
            used = [route for route in routes if route]
            opening = [self._empty[t] for t in self._empty if routes[t] is None]
            found = self._insert.best(visit, used, opening, self.worth(visit))
            if found:
                routes[found[1].truck] = found[1]
                left.discard(visit)
        return self._day(routes, frozenset(left))
