"""From a `Problem` to a `Solution`: construction, engines that improve it, and a judge.

`solve` runs in the caller's process; use `optimizer.solve.isolation` where a solver that dies or
runs wild must not take anything with it.
"""

from __future__ import annotations

import dataclasses
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.check import check
from optimizer.model import Reason, Solution, Tour, Unserved
from optimizer.solve.days import day_of, solution_of
from optimizer.solve.engines import ENGINES, Engine
from optimizer.solve.facts import Facts
from optimizer.solve.feasibility import impossible
from optimizer.solve.reasons import completed, explained
from optimizer.solve.route import Builder
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.check import Report
    from optimizer.model import Problem

__all__ = ["Engine", "solve"]


def solve(
    problem: Problem,
    budget_s: float,
    seed: int = 0,
    warm_start: Solution | None = None,
    effort: float = 1.0,
    engines: Sequence[Engine] = ENGINES,
) -> Solution:
    """Return a legal plan: the best one found, never worse than the start that was given.

    With the same seed and effort the plan is the same, as long as the budget is not what ends
    the search; for small problems it hardly ever is.

    Args:
        problem: the day to plan.
        budget_s: wall time at most; small problems end sooner.
        seed: of the random numbers.
        warm_start: a plan to start from; kept when nothing better is found.
        effort: share of the usual work to do; studies get by with less.
        engines: what improves the plan, one after the other.

    Returns:
        A solution that the judge finds legal; what it leaves out is in `unserved`, each with
        a reason. A mandatory visit that cannot be served is there, too.
    """
    until = monotonic() + max(0.0, budget_s)
    builder = Builder(Facts(problem))
    never = impossible(builder)
    search = Search(builder, seed)
    if not problem.trucks:
        return _finished(builder, search, Solution((), (), "none", seed), never)
    best, report = _lawful(
        problem, builder, solution_of(builder, search.construct(), "construction", seed)
    )
    if warm_start is not None:
        given = check(problem, _complete(problem, warm_start))
        if given.legal and given.score <= report.score:
            best, report = warm_start, given
    for index, engine in enumerate(engines):
        share = (until - monotonic()) * engine.share / sum(e.share for e in engines[index:])
        if share <= 0.05:
            break
        found = engine.improve(problem, builder, best, monotonic() + share, seed, effort)
        if found is None:
            continue
        judged = check(problem, _complete(problem, found))
        if judged.legal and judged.score < report.score:
            best, report = found, judged
    return _finished(builder, search, best, never)


def _complete(problem: Problem, solution: Solution) -> Solution:
    """Return a solution in which every visit left out is reported; reasons come later."""
    served = {node for tour in solution.tours for node in tour.nodes}
    left_out = tuple(
        Unserved(visit, Reason.TIME) for visit in range(len(problem.visits)) if visit not in served
    )
    return dataclasses.replace(solution, unserved=left_out)


def _lawful(problem: Problem, builder: Builder, solution: Solution) -> tuple[Solution, Report]:
    """Return a solution without the tours that the judge refuses, and what the judge says.

    A truck underway drives home instead. Where even that breaks a rule, so does every plan.
    """
    report = check(problem, _complete(problem, solution))
    while not report.legal:
        refused = {violation.tour for violation in report.violations}
        kept = [t for t in solution.tours if problem.trucks[t.truck].id not in refused]
        if len(kept) == len(solution.tours) and None in refused:
            kept = []
        tours = (*kept, *_homeward(builder, {tour.truck for tour in kept}))
        if tours == solution.tours:
            break
        solution = dataclasses.replace(solution, tours=tours)
        report = check(problem, _complete(problem, solution))
    return solution, report


def _homeward(builder: Builder, planned: set[int]) -> Iterator[Tour]:
    for truck in range(len(builder.facts.kinds)):
        if truck not in planned and (route := builder.homeward(truck)) and route.nodes:
            yield Tour(truck, route.start_s, route.nodes)


def _finished(
    builder: Builder, search: Search, solution: Solution, never: dict[int, Reason]
) -> Solution:
    """Return a solution with what still fits into it, and a reason for what does not."""
    problem = builder.facts.problem
    day = day_of(search, builder, solution)
    fuller = completed(builder, search, day)
    if fuller.absent < day.absent:
        candidate = solution_of(builder, fuller, solution.engine, solution.seed)
        before = check(problem, _complete(problem, solution))
        after = check(problem, _complete(problem, candidate))
        if after.legal and after.score < before.score:
            solution, day = candidate, fuller
    left_out = {entry.visit: entry for entry in explained(builder, day, never)}
    served = {node for tour in solution.tours for node in tour.nodes}
    unserved = tuple(
        left_out.get(visit, Unserved(visit, Reason.TIME))
        for visit in range(len(problem.visits))
        if visit not in served
    )
    return dataclasses.replace(solution, unserved=unserved)
