"""From a `Problem` to a `Solution`: construction, engines that improve it, and a judge.

`solve` runs in the caller's process; use `optimizer.solve.isolation` where a solver that dies or
runs wild must not take anything with it.

In the order in which they are best read:

- `facts`: a problem as the engines see it.
- `timing`, `unload`: the clock of a tour, and where along it a truck unloads.
- `route`: one truck's day, built with these two.
- `insertion`: the cheapest place for a visit.
- `search`: ruin and recreate over whole days, made of all of these.
- `sisr`: its twin, compiled to machine code, a step in about a twentieth of the time. It does not
  know every rule and has to be compiled first; `search` knows them all and runs anywhere, so it
  takes over where the twin cannot. It also builds first plans, and polishes replanned days.
- `demands`: which of the rules beyond the common ones a problem asks for.
- `engines`: the protocol, and the engines that are tried one after the other.
- `ortools_engine`, `ortools_model`: OR-Tools polishes a plan.
- `popmusic`, `trip_model`: OR-Tools alone, for days of one trip each.
- `decomposition`: large problems in parts.
- `days`: between the engines' days and the model's solutions.
- `feasibility`: what no plan can do, told before solving.
- `finishing`, `reasons`, `relaxed`: what still fits, and why the rest is left out.
- `costing`, `judged`: what a visit adds, in the judge's eyes.
- `isolation`: all this in a child process.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.check import check
from optimizer.model import Reason, Solution, Unserved
from optimizer.solve.days import solution_of
from optimizer.solve.decomposition.division import Map
from optimizer.solve.decomposition.engine import Decomposition
from optimizer.solve.decomposition.finish import finished_by_parts
from optimizer.solve.engines import ENGINES, Engine
from optimizer.solve.facts import Facts
from optimizer.solve.feasibility import impossible
from optimizer.solve.finishing import filled_and_explained, lawful, with_rest_reported
from optimizer.solve.route import Builder
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.model import Problem

    type Progress = Callable[[float, tuple[int, float]], None]  # seconds so far, score

DIVISION = Decomposition()
SHORT_S = 1.0  # budget below which a plan comes first and gets better then

__all__ = ["Engine", "solve"]


def solve(
    problem: Problem,
    budget_s: float,
    seed: int = 0,
    warm_start: Solution | None = None,
    effort: float = 1.0,
    engines: Sequence[Engine] = ENGINES,
    division: Decomposition = DIVISION,
    progress: Progress | None = None,
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
        division: what solves large problems in their place.
        progress: told of each better plan that the judge accepts.

    Returns:
        A solution that the judge finds legal, but where a truck underway breaks a rule whatever
        it does; then every plan is illegal. What it leaves out is in `unserved`, each with a
        reason. A mandatory visit that cannot be served is there, too.
    """
    began = monotonic()
    until = began + max(0.0, budget_s)
    if division.supports(problem):
        solution = _divided(problem, division, until, seed, warm_start, effort)
        if progress is not None:
            progress(monotonic() - began, check(problem, solution).score)
        return solution
    builder = Builder(Facts(problem))
    never = impossible(builder)
    search = Search(builder, seed)
    if not problem.trucks:
        return filled_and_explained(
            builder, search, Solution((), (), "none", seed), never, monotonic()
        )
    best, report = lawful(problem, _first(builder, search, engines, budget_s), builder)
    if warm_start is not None:
        given = check(problem, with_rest_reported(problem, warm_start))
        if given.legal and given.score <= report.score:
            best, report = warm_start, given
    if progress is not None:
        progress(monotonic() - began, report.score)
    able = [engine for engine in engines if engine.supports(problem)]
    for index, engine in enumerate(able):
        share_s = (until - monotonic()) * engine.share / sum(e.share for e in able[index:])
        if share_s <= 0.05:
            break
        found = engine.improve(problem, builder, best, monotonic() + share_s, seed, effort)
        if found is None:
            continue
        judged = check(problem, with_rest_reported(problem, found))
        if judged.legal and judged.score < report.score:
            best, report = found, judged
            if progress is not None:
                progress(monotonic() - began, report.score)
    if best.engine == "none":  # nobody built anything
        built = solution_of(builder, search.construct(), "construction", seed)
        best, _ = lawful(problem, built, builder)
    return filled_and_explained(builder, search, best, never, monotonic())


def _first(
    builder: Builder, search: Search, engines: Sequence[Engine], budget_s: float
) -> Solution:
    """Return where to begin: nothing, where the first engine builds better and quicker."""
    if engines and engines[0].builds(builder.facts.problem) and budget_s >= SHORT_S:
        return Solution((), (), "none", search.seed)
    return solution_of(builder, search.construct(), "construction", search.seed)


def _divided(
    problem: Problem,
    division: Decomposition,
    until: float,
    seed: int,
    warm_start: Solution | None,
    effort: float,
) -> Solution:
    """Solve a large problem: no step of it looks at all pairs of places."""
    start = warm_start or Solution((), (), "none", seed)
    if not problem.trucks:
        left_out = tuple(Unserved(v, Reason.NO_TRUCK) for v in range(len(problem.visits)))
        return dataclasses.replace(start, tours=(), unserved=left_out)
    best, report = lawful(problem, start)
    found = division.improve(problem, None, best, until, seed, effort)
    if found is not None:
        found, judged = lawful(problem, found)
        if judged.score < report.score:
            best = found
    return finished_by_parts(Map(problem), best, partial(_finished_part, monotonic()))


def _finished_part(began: float, builder: Builder, solution: Solution) -> Solution:
    search = Search(builder, solution.seed)
    return filled_and_explained(builder, search, solution, impossible(builder), began)
