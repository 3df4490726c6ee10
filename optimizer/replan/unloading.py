"""Where the trucks of the rest of the day unload along a sequence of visits.

The solver's own programme (`optimizer.solve.unload`) places the unloadings; times are left to the
judge. It goes by what driving costs, so each facility can be asked for alone where another one is
closed by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.facts import FAR_EUR, Facts
from optimizer.solve.unload import place_unloadings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem

    Nodes = tuple[int, ...]


class Unloader:
    """Places unloadings for the trucks of a problem."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._facts: dict[int | None, Facts] = {}

    def place(self, truck: int, visits: Sequence[int], only: int | None = None) -> Nodes | None:
        """Return the visits in this order with unloadings where they cost least.

        Args:
            truck: index of the truck; what it has on board is unloaded, too.
            visits: in the order in which they are served.
            only: index of the one facility to use; None for any.

        Returns:
            The nodes; None where the load cannot be carried or not be got rid of.
        """
        facts = self._with(only)
        placed = place_unloadings(facts, facts.kinds[truck], visits)
        if placed is None or placed[1] >= FAR_EUR:
            return None
        moved = 0 if only is None else only
        return tuple(node if node < facts.visits else node + moved for node in placed[0])

    def _with(self, only: int | None) -> Facts:
        """Return the problem as if it had one facility alone, or all of them."""
        if only not in self._facts:
            problem = self._problem
            if only is not None:
                problem = problem.replace(facilities=(problem.facilities[only],))
            self._facts[only] = Facts(problem)
        return self._facts[only]
