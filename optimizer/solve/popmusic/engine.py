"""Parts are chosen, solved on all cores, and taken over where they are cheaper."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from config.cores import cores
from optimizer.solve.days import day_of, solution_of
from optimizer.solve.decomposition.subset import part_of
from optimizer.solve.demands import demands
from optimizer.solve.popmusic.crew import crew
from optimizer.solve.popmusic.first import first_day
from optimizer.solve.popmusic.neighbours import VISITS, chosen_part
from optimizer.solve.popmusic.part import PartTask
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from concurrent.futures import Future

    from optimizer.model import Problem, Solution
    from optimizer.solve.decomposition.subset import Part
    from optimizer.solve.popmusic.crew import Solve
    from optimizer.solve.popmusic.part import Orders
    from optimizer.solve.route import Builder
    from optimizer.solve.search import Day

PART_S = 0.15  # to solve a part of `VISITS`
COUNTED = 60  # parts with the full effort where steps are counted, and four for each tour
PATIENCE = 20  # parts in a row without a gain after which nothing is left, and four for each tour
NAME = "construction+ortools"


@dataclass(frozen=True, slots=True)
class Popmusic:
    """Improves days whose tours have one trip each, with OR-Tools alone.

    Attributes:
        share: of the time.
        workers: parts that are solved side by side.
    """

    share: float = 0.9
    workers: int = field(default_factory=cores)

    def supports(self, problem: Problem) -> bool:
        """Whether the common rules are all that a problem asks for."""
        return not demands(problem)

    def builds(self, problem: Problem) -> bool:
        """It begins with the construction."""
        return False

    def improve(
        self,
        problem: Problem,
        builder: Builder,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution | None:
        """Return a plan with better tours; None where tours have several trips."""
        search = Search(builder, seed)
        day = day_of(search, builder, start)
        routes = [route for route in day.routes if route]
        if not self.supports(problem) or not routes or any(len(r.loads) > 2 for r in routes):
            return None
        parts = _Parts(problem, builder, search, first_day(builder, search, day, until), seed)
        most = round(effort * (COUNTED + 4 * len(routes))) if effort < 1.0 else None
        with crew(self.workers, until - monotonic()) as solve:
            parts.run(solve, self.workers, until, most)
        return solution_of(builder, parts.day, NAME, seed)


class _Parts:
    """A day, and the parts of it that are being solved."""

    def __init__(
        self, problem: Problem, builder: Builder, search: Search, day: Day, seed: int
    ) -> None:
        self._problem, self._builder, self._search = problem, builder, search
        self._random = Random(seed)  # noqa: S311 - a search, not a secret
        self._waiting: dict[Future[Orders | None], Part] = {}
        self._quiet = 0
        self.day = day

    def run(self, solve: Solve, workers: int, until: float, parts: int | None) -> None:
        """Solve parts until an instant of `time.monotonic`, or until nothing is left to gain."""
        given = 0
        while True:
            while len(self._waiting) < workers and (parts is None or given < parts):
                if self._exhausted() or not self._give(solve, until):
                    break
                given += 1
            if not self._waiting:
                return
            done, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(self._waiting.pop(future), future.result())

    def _exhausted(self) -> bool:
        return self._quiet > PATIENCE + 4 * self.day.used

    def _give(self, solve: Solve, until: float) -> bool:
        """Have a part solved; return whether there was one, and time for it."""
        others = self._waiting.values()
        busy = {truck for part in others for truck in part.trucks}
        absent = self.day.absent.difference(*(part.visits for part in others))
        found = chosen_part(self._builder.facts, self.day, busy, absent, self._random)
        if found is None:
            return False
        visits, trucks = found
        seconds = PART_S * max(0.2, len(visits) / VISITS)
        if monotonic() + seconds > until:
            return False
        part = part_of(self._problem, visits, trucks)
        tours = tuple(part.inner(self._visits_of(truck)) for truck in trucks)
        self._waiting[solve(PartTask(part.problem, tours, seconds))] = part
        return True

    def _visits_of(self, truck: int) -> tuple[int, ...]:
        route = self.day.routes[truck]
        return route.visits if route else ()

    def _take(self, part: Part, tours: Orders | None) -> None:
        """Make a part's tours the day's where that is cheaper."""
        self._quiet += 1
        if tours is None:
            return
        routes = list(self.day.routes)
        for truck, tour in tours:
            outer = part.outer(tour)
            routes[part.trucks[truck]] = (
                self._builder.from_visits(part.trucks[truck], outer) if outer else None
            )
        day = self._search.day(routes)
        if day.cost < self.day.cost - 1e-6:
            self.day, self._quiet = day, 0
