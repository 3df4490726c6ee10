"""From what engines leave to a solution that can be handed out: lawful, filled, with reasons."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from optimizer.check import check
from optimizer.model import Reason, Solution, Tour, Unserved
from optimizer.solve.days import day_of, solution_of
from optimizer.solve.reasons import explained, filled_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.check import Report
    from optimizer.model import Problem
    from optimizer.solve.route import Builder
    from optimizer.solve.search import Search

COMPLETING_S, EXPLAINING_S = 1.0, 4.0  # enough but where hundreds of visits are left out


def with_rest_reported(problem: Problem, solution: Solution) -> Solution:
    """Return a solution in which every visit left out is reported; reasons come later."""
    served = {node for tour in solution.tours for node in tour.nodes}
    left_out = tuple(
        Unserved(visit, Reason.TIME) for visit in range(len(problem.visits)) if visit not in served
    )
    return dataclasses.replace(solution, unserved=left_out)


def lawful(
    problem: Problem, solution: Solution, builder: Builder | None = None
) -> tuple[Solution, Report]:
    """Return a solution without the tours that the judge refuses, and what the judge says.

    With a builder, a truck underway drives home instead. Where even that breaks a rule, so does
    every plan.
    """
    report = check(problem, with_rest_reported(problem, solution))
    while not report.legal:
        refused = {violation.tour for violation in report.violations}
        kept = [t for t in solution.tours if problem.trucks[t.truck].id not in refused]
        if len(kept) == len(solution.tours) and None in refused:
            kept = []
        planned = {tour.truck for tour in kept}
        tours = (*kept, *(_homeward(builder, planned) if builder else ()))
        if tours == solution.tours:
            break
        solution = dataclasses.replace(solution, tours=tours)
        report = check(problem, with_rest_reported(problem, solution))
    return solution, report


def _homeward(builder: Builder, planned: set[int]) -> Iterator[Tour]:
    for truck in range(len(builder.facts.kinds)):
        if truck not in planned and (route := builder.homeward(truck)) and route.nodes:
            yield Tour(truck, route.start_s, route.nodes)


def filled_and_explained(
    builder: Builder, search: Search, solution: Solution, never: dict[int, Reason], began: float
) -> Solution:
    """Return a solution with what still fits into it, and a reason for what does not.

    Args:
        builder: of the problem.
        search: for it.
        solution: what the engines left.
        never: visits that could not be served even alone, and why.
        began: instant of `time.monotonic` at which finishing began; some seconds later nothing
            more is tried, and reasons come without a price.
    """
    problem = builder.facts.problem
    day = day_of(search, builder, solution)
    fuller = filled_up(builder, search, day, began + COMPLETING_S)
    if fuller.absent < day.absent:
        candidate = solution_of(builder, fuller, solution.engine, solution.seed)
        before = check(problem, with_rest_reported(problem, solution))
        after = check(problem, with_rest_reported(problem, candidate))
        if after.legal and after.score < before.score:
            solution, day = candidate, fuller
    left_out = {
        entry.visit: entry for entry in explained(builder, day, never, began + EXPLAINING_S)
    }
    served = {node for tour in solution.tours for node in tour.nodes}
    unserved = tuple(
        left_out.get(visit, Unserved(visit, Reason.TIME))
        for visit in range(len(problem.visits))
        if visit not in served
    )
    return dataclasses.replace(solution, unserved=unserved)
