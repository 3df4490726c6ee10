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
from optimizer.solve.decomposition.plain import work_plainly
from optimizer.solve.facts import Facts
from optimizer.solve.sisr.engine import CompiledSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.campaign import Campaign
    from optimizer.solve.sisr.plan import Plan

    Nodes = tuple[tuple[int, ...], ...]

FILLING = 4  # steps at most per visit left out, to find a first place for it


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
        hot_eur: first temperature; likewise `cold_eur`, the last.
        fewer: give up trucks that have a fixed cost, in place of annealing.
        threads: that may help with that.
    """

    problem: Problem
    tours: Nodes
    groups: Nodes | None
    seed: int
    steps: int
    seconds: float
    hot_eur: float
    cold_eur: float
    fewer: bool = False
    threads: int = 1


@dataclass(frozen=True, slots=True)
class SubResult:
    """What came of a task.

    Attributes:
        last: nodes of each truck's tour at the end, from which cooling goes on.
        best: the same of the best plan on the way; `best_eur` its cost, the price of what it
            leaves out included.
        groups: visits that were one to the search.
        visit_eur: what the way to a visit costs on average.
    """

    last: Nodes
    best: Nodes
    best_eur: float
    groups: Nodes
    visit_eur: float


def work(task: SubTask) -> SubResult:
    """Search for better tours."""
    until = monotonic() + task.seconds
    facts = Facts(task.problem)
    given = Solution(tuple(Tour(truck, 0, way) for truck, way in enumerate(task.tours) if way))
    if not CompiledSearch().supports(task.problem):
        best, eur, visit_eur = work_plainly(facts, given, task.steps, until, task.seed)
        singles = tuple((visit,) for visit in range(facts.visits))
        return SubResult(best, best, eur, singles, visit_eur)
    return _work(task, facts, given, until)


def _work(task: SubTask, facts: Facts, given: Solution, until: float) -> SubResult:
    from optimizer.solve.sisr.arrays import arrays_of
    from optimizer.solve.sisr.campaign import Campaign
    from optimizer.solve.sisr.plan import plan_from
    from optimizer.solve.sisr.schedule import Schedule

    arrays, origin = arrays_of(facts, task.groups)
    campaign = Campaign(arrays, task.seed, task.threads)
    plan = plan_from(arrays, origin, given)
    if len(plan.left_out):
        plan = _filled(campaign, arrays, plan, until, task.seed)
    if task.fewer:
        last = best = campaign.with_fewer_trucks(plan, task.steps, until)
    else:
        schedule = Schedule(task.steps, monotonic(), until, task.hot_eur, task.cold_eur)
        members = np.arange(arrays.visits, dtype=np.int32)
        last, best = campaign.phase(campaign.with_spares(plan), members, schedule, task.seed)
    return SubResult(
        _nodes(task, origin, last),
        _nodes(task, origin, best),
        best.eur,
        tuple(tuple(group) for group in origin[: arrays.visits]),
        campaign.scale(best),
    )


def _filled(campaign: Campaign, arrays: Arrays, plan: Plan, until: float, seed: int) -> Plan:
    """Insert what is left out as long as that finds places, with all trucks there are."""
    from optimizer.solve.sisr.plan import Plan
    from optimizer.solve.sisr.schedule import Schedule

    members = np.arange(arrays.visits, dtype=np.int32)
    none = np.zeros(0, np.int32)
    every = {truck: plan.tours.get(truck, none) for truck in range(len(arrays.kind))}
    plan = Plan(every, plan.left_out, plan.eur)
    while monotonic() < until:
        steps = FILLING * max(10, len(plan.left_out))
        schedule = Schedule(steps, monotonic(), until, 1e-9, 1e-9)
        _, filled = campaign.phase(plan, members, schedule, seed)
        if len(filled.left_out) >= len(plan.left_out):
            return filled
        plan = filled
    return plan


def _nodes(task: SubTask, origin: Sequence[Sequence[int]], plan: Plan) -> Nodes:
    return tuple(
        tuple(old for node in plan.tours.get(truck, ()) for old in origin[node])
        for truck in range(len(task.tours))
    )
