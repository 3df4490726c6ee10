"""Which tours make a part: some that lie near a visit, by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from optimizer.solve.facts import Facts
    from optimizer.solve.route import Route
    from optimizer.solve.search import Day

VISITS = 45  # of a part, about
TOURS = 8  # of a part that is annealed, if they are fewer visits than that
IDLE = 0.1  # of the annealed parts that may put another truck into use
NEAREST = 2  # visits of a tour that say how near it is
BLUR = 0.7, 1.4  # factors on how far a tour is, so that parts differ


def chosen_part(
    facts: Facts,
    day: Day,
    busy: Collection[int],
    absent: Collection[int],
    random: Random,
    annealed: bool,
) -> tuple[list[int], list[int]] | None:
    """Return visits and trucks: tours near a visit, what is left out there, and an idle truck.

    The visits come in any order: OR-Tools always draws the same numbers, so the same part in the
    same order would be searched in the same way.

    Args:
        facts: the problem.
        day: whose tours are not to be had where their trucks are busy.
        busy: indices of trucks.
        absent: visits left out that may be taken in.
        random: for the visit, and for which of the tours near it.
        annealed: whether the part is; then it is of no more than `TOURS`, and seldom gets an idle
            truck where nothing is left out: what is put into use while it is hot stays in use.
    """
    free = [route for route in day.routes if route and route.visits and route.truck not in busy]
    if not free:
        return None
    seed = random.choice(random.choice(free).visits)
    chosen = _beside(facts, seed, free, random, TOURS if annealed else len(free))
    visits = [visit for route in chosen for visit in route.visits]
    trucks = [route.truck for route in chosen]
    visits += _near_absent(facts, absent, visits, trucks)
    idle = [t for t, route in enumerate(day.routes) if route is None and t not in busy]
    random.shuffle(visits)
    spare = 1 if not annealed or absent or random.random() < IDLE else 0
    return visits, [*trucks, *idle[:spare]]


def _beside(facts: Facts, seed: int, free: list[Route], random: Random, most: int) -> list[Route]:
    """Return tours that pass near a visit, the nearest first, until they are enough.

    Strings are removed around a visit, so tours count by the visits that lie nearest to it, not by
    where they are on average.
    """
    here = facts.location[seed]
    near = []
    for route in free:
        ways = facts.kinds[route.truck].cost[here, [facts.location[v] for v in route.visits]]
        few = min(NEAREST, len(ways))
        way = float(np.partition(ways, few - 1)[:few].mean())
        near.append(way * (0.0 if seed in route.visits else random.uniform(*BLUR)))
    chosen, size = [], 0
    for index in np.argsort(near, kind="stable"):
        chosen.append(free[index])
        size += len(free[index].visits)
        if len(chosen) > 1 and (size >= VISITS or len(chosen) >= most):
            break
    return chosen


def _near_absent(
    facts: Facts, absent: Collection[int], visits: list[int], trucks: Collection[int]
) -> list[int]:
    """Return visits left out so far that a part may take in."""
    able = [visit for visit in sorted(absent) if any(facts.allowed(visit, t) for t in trucks)]
    most = VISITS // 3
    if len(able) <= most:
        return able
    mine = [facts.location[visit] for visit in visits]
    cost = facts.kinds[next(iter(trucks))].cost
    way = cost[np.ix_([facts.location[visit] for visit in able], mine)].min(axis=1)
    return [able[index] for index in np.argsort(way, kind="stable")[:most]]
