"""Ours and the peers behind one call: a `Problem`, a wall time and a seed in, a `Solution` out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.model import Problem, Solution

    type Told = Callable[[float, float], None]  # seconds so far, score of a better plan

MODULES = {
    "binround": "benchmarks.optimizer.solvers.ours",
    "binround-ortools": "benchmarks.optimizer.solvers.ours_ortools",
    "ortools-default": "benchmarks.optimizer.solvers.ortools_default",
    "pyvrp": "benchmarks.optimizer.solvers.pyvrp_peer",
    "vroom": "benchmarks.optimizer.solvers.vroom_peer",
}


class CannotExpressError(Exception):
    """A problem has a rule that a peer does not know."""


class Solver(Protocol):
    """What each module of this package offers."""

    def version(self) -> str:
        """Return the version that results belong to."""
        ...

    def prepare(self) -> None:
        """Do once what is not part of solving: import, compile."""
        ...

    def solve(self, problem: Problem, budget_s: float, seed: int, told: Told) -> Solution | None:
        """Return the best plan found in a wall time; None when there is none.

        Raises:
            CannotExpressError: the problem has a rule that is unknown here.
        """
        ...


def solver(name: str) -> Solver:
    """Return a solver by its name.

    Raises:
        ImportError: the peer is not installed.
    """
    return cast("Solver", import_module(MODULES[name]))
