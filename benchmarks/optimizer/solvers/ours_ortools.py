"""binround with OR-Tools as its only engine: `BINROUND_ENGINES=ortools`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.optimizer.solvers.ours import fingerprint
from optimizer.solve import solve as solve_with
from optimizer.solve.decomposition.engine import division_for
from optimizer.solve.engines import engines_named

if TYPE_CHECKING:
    from benchmarks.optimizer.solvers import Told
    from optimizer.model import Problem, Solution

ENGINE = "ortools"

__all__ = ["prepare", "solve", "version"]


def version() -> str:
    """Return a fingerprint of the optimiser's sources; our own search takes no part."""
    return fingerprint("sisr", "decomposition")


def prepare() -> None:
    """Import OR-Tools."""
    import ortools.constraint_solver.pywrapcp  # noqa: F401


def solve(problem: Problem, budget_s: float, seed: int, told: Told) -> Solution | None:
    """Solve with OR-Tools alone, from our construction."""
    return solve_with(
        problem, budget_s, seed, engines=engines_named([ENGINE]), division=division_for([ENGINE]),
        progress=lambda s, score: None if score[0] else told(s, score[1]),
    )  # fmt: skip
