"""Ruin and recreate on the rest of the day, from an answer that is legal already.

The search knows trucks underway, but neither frozen stops nor the price on change: what it finds is
one candidate more, which counts only if it keeps both.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from optimizer.solve.days import day_of, solution_of
from optimizer.solve.facts import Facts
from optimizer.solve.route import Builder
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from optimizer.model import Problem, Solution

STEPS_PER_VISIT = 10


def ruin_and_recreate(problem: Problem, start: Solution, budget_s: float) -> Solution:
    """Return the best plan found from a start within some seconds."""
    until = monotonic() + budget_s
    builder = Builder(Facts(problem))
    search = Search(builder, 0)
    steps = STEPS_PER_VISIT * len(problem.visits)
    best = search.improve(day_of(search, builder, start), steps, until)
    return solution_of(builder, best, "polished", 0)
