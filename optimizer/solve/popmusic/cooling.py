"""How warm the annealing is that goes over all parts of a day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.solve.search import Day

HOT, COLD = 0.5, 0.001  # in mean costs of a visit; measured in `docs/adr/0006-solver.md`
FULLY_HOT_S = 0.1  # of one core for each visit, below which it begins less hot


@dataclass(frozen=True, slots=True)
class Cooling:
    """Temperatures that fall exponentially.

    Attributes:
        hot_eur: at the beginning.
        cold_eur: at the end.
    """

    hot_eur: float
    cold_eur: float

    def at(self, progress: float) -> float:
        """Return the temperature in euro when a share of the work, 0 to 1, is done."""
        return self.hot_eur * math.pow(self.cold_eur / self.hot_eur, min(1.0, progress))


def cooling(day: Day, core_s: float) -> Cooling:
    """Return how to cool a day's tours.

    A hot beginning costs what the start was good for; where there is too little time to gain more
    than that, it is left out.

    Args:
        day: where to begin.
        core_s: time to search, of all cores together.
    """
    visits = sum(len(route.visits) for route in day.routes if route)
    tours_eur = sum(route.cost for route in day.routes if route)
    mean_eur = max(tours_eur, 1e-6) / max(1, visits + day.used)
    hot = max(COLD, HOT * min(1.0, core_s / (FULLY_HOT_S * max(1, visits))))
    return Cooling(hot * mean_eur, COLD * mean_eur)
