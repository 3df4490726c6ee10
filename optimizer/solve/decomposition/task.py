"""The unit of work: a small problem, where to begin, and how far to go.

`work` is a pure function of a task that can be pickled, so it runs on a thread, in a process or
as a job on another machine; the same task gives the same result everywhere, unless its time ends
first.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from optimizer.model import Solution, Tour
from optimizer.solve.facts import Facts
from optimizer.solve.sisr.arrays import arrays_of
from optimizer.solve.sisr.campaign import Campaign, Schedule
from optimizer.solve.sisr.plan import Plan, plan_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem
    from optimizer.solve.sisr.arrays import Arrays

FILLING = 4  # steps per visit left out, at most, to find a first place for it


@dataclass(frozen=True, slots=True)
class SubTask:
    """A part of a problem to be improved.

    Attributes:
        problem: the part, as a problem of its own.
        tours: nodes of each truck's tour; empty for trucks that may be taken into use.
        groups: visits that are one to the search; None: to be found.
        seed: of the random numbers.
        steps: of ruin and recreate.
        seconds: to take at most.
        hot_eur: first temperature; None: this task's own, from what a visit costs on average.
        cold_eur: last temperature; likewise.
    """

    problem: Problem
    tours: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...] | None
    seed: int
    steps: int
    seconds: float
    hot: float
    cold: float


@dataclass(frozen=True, slots=True)
class Found:
    """Nodes of each truck's tour, and what they cost together with what they leave out."""

    tours: tuple[tuple[int, ...], ...]
    eur: float


@dataclass(frozen=True, slots=True)
class SubResult:
    """What came of a task.

    Attributes:
        last: the plan at the end, from which cooling goes on.
        best: the best plan on the way.
        groups: visits that were one to the search.
    """

    last: Found
    best: Found
    groups: tuple[tuple[int, ...], ...]


def work(task: SubTask) -> SubResult:
    """Search for better tours."""
    until = monotonic() + task.seconds
    facts = Facts(task.problem)
    arrays, origin = arrays_of(facts, task.groups)
    groups = tuple(tuple(group) for group in origin[: arrays.visits])
    campaign = Campaign(arrays, task.seed, threads=1)
    given = tuple(Tour(truck, 0, nodes) for truck, nodes in enumerate(task.tours) if nodes)
    plan = plan_from(arrays, origin, Solution(given))
    members = np.arange(arrays.visits, dtype=np.int32)
    if len(plan.left_out):
        plan = _filled(campaign, arrays, plan, until, task.seed)
    schedule = Schedule(task.steps, monotonic(), until, task.hot, task.cold)
    last, best = campaign.phase(campaign.with_spares(plan), members, schedule, task.seed)
    return SubResult(_found(task, origin, last), _found(task, origin, best), groups)


def _filled(campaign: Campaign, arrays: Arrays, plan: Plan, until: float, seed: int) -> Plan:
    """Insert what is left out as long as that finds places, with all trucks there are."""
    idle = range(len(arrays.kind))
    members = np.arange(arrays.visits, dtype=np.int32)
    plan = Plan(
        {truck: plan.tours.get(truck, np.zeros(0, np.int32)) for truck in idle},
        plan.left_out,
        plan.eur,
    )
    while monotonic() < until:
        steps = FILLING * max(10, len(plan.left_out))
        schedule = Schedule(steps, monotonic(), until, 1e-9, 1e-9)
        _, filled = campaign.phase(plan, members, schedule, seed)
        if len(filled.left_out) >= len(plan.left_out):
            return filled
        plan = filled
    return plan


def _found(task: SubTask, origin: Sequence[Sequence[int]], plan: Plan) -> Found:
    tours = tuple(
        tuple(old for node in plan.tours.get(truck, ()) for old in origin[node])
        for truck in range(len(task.tours))
    )
    return Found(tours, plan.eur)
