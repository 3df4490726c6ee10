"""The compiled search behind the protocol of the engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.solve.demands import Demand, binding
from optimizer.solve.sisr.cache import is_warm
from optimizer.solve.sisr.schedule import UNCOUNTED

if TYPE_CHECKING:
    from optimizer.model import Problem, Solution
    from optimizer.solve.route import Builder

MOST_VISITS = 4000  # beyond, matrices of all pairs are too large; such days are to be divided
MOST_BREAKS = 4
BUILT = 400  # visits beyond which the plain construction takes too long
SMALL = 60  # visits up to which a counted number of steps finds what there is to find
STEPS, STEPS_PER_VISIT = 20_000, 1000
KNOWN = frozenset({Demand.OVERTIME})
NAME = "compiled-ruin-and-recreate"


@dataclass(frozen=True, slots=True)
class CompiledSearch:
    """Ruin and recreate in machine code.

    Attributes:
        share: of the time.
        threads: at most so many; studies that run many days at once take one.
    """

    share: float = 0.85
    threads: int = 2

    def supports(self, problem: Problem) -> bool:
        """Whether the search honours every rule of a problem, and is compiled."""
        return is_warm() and expressible(problem)

    def builds(self, problem: Problem) -> bool:
        """Whether a first plan is better left to this search, too."""
        return len(problem.visits) > BUILT and self.supports(problem)

    def improve(
        self,
        problem: Problem,
        builder: Builder,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution | None:
        """Return the best plan found; None where this search is not made for the problem."""
        if not self.supports(problem):
            return None
        return self.search(builder, start, until, seed, effort)

    def search(
        self, builder: Builder, start: Solution, until: float, seed: int, effort: float
    ) -> Solution:
        """Return the best plan found, whether the code is compiled already or not."""
        from optimizer.solve.sisr.arrays import arrays_of
        from optimizer.solve.sisr.campaign import Campaign
        from optimizer.solve.sisr.plan import plan_from, solution_from

        arrays, origin = arrays_of(builder.facts)
        plan = plan_from(arrays, origin, start)
        found = Campaign(arrays, seed, self.threads).run(plan, steps(arrays.visits, effort), until)
        return solution_from(builder, origin, found, NAME, seed)


def strict(problem: Problem) -> bool:
    """Whether the search asks more of a problem than its rules do."""
    return any(truck.max_driving_between_breaks_s is not None for truck in problem.trucks)


def steps(visits: int, effort: float) -> int:
    """Return how many steps a problem of a size gets.

    With less than the full effort, and for small problems always, the steps are counted, so that
    the same seed gives the same plan. A larger problem with the full effort uses all its time.
    """
    if effort >= 1.0 and visits > SMALL:
        return UNCOUNTED
    return round(effort * (STEPS + STEPS_PER_VISIT * visits))


def expressible(problem: Problem) -> bool:
    """Whether the search knows every rule of a problem.

    It unloads everything at one facility (`Facts.take_all_of`); of the further rules it knows those
    in `KNOWN`; what a problem merely allows it does not use. A limit of driving between two breaks
    it takes for one of the whole day, see `strict`.
    """
    wanted = {
        fraction
        for visit in problem.visits
        for fraction, (kg, litres) in enumerate(zip(visit.kg, visit.litres, strict=True))
        if kg > 0 or litres > 0
    }
    return (
        0 < len(problem.visits) <= MOST_VISITS
        and bool(problem.trucks)
        and binding(problem) <= KNOWN
        and any(wanted <= facility.accepts for facility in problem.facilities)
        and all(len(truck.breaks) <= MOST_BREAKS for truck in problem.trucks)
    )
