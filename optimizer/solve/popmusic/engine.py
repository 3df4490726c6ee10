"""Parts are chosen, searched on all cores and put back; the temperature falls meanwhile."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import TYPE_CHECKING

from config.cores import cores
from optimizer.solve.days import day_of, solution_of
from optimizer.solve.demands import demands
from optimizer.solve.popmusic.cooling import cooling
from optimizer.solve.popmusic.crew import crew
from optimizer.solve.popmusic.first import first_day
from optimizer.solve.popmusic.neighbours import VISITS, chosen_part
from optimizer.solve.popmusic.part import PartTask
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from concurrent.futures import Future

    from optimizer.model import Problem, Solution
    from optimizer.solve.popmusic.cooling import Cooling
    from optimizer.solve.popmusic.crew import Solve
    from optimizer.solve.popmusic.part import Orders
    from optimizer.solve.route import Builder
    from optimizer.solve.search import Day

SCRATCH_S, ANNEALED_S = 0.15, 0.03  # for a part of `VISITS`
COUNTED_S, A_TOUR_S = 9.0, 0.6  # of one core with the full effort where parts are counted
ENOUGH_S = 0.6  # of one core for each visit, after which nothing is left to gain
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
        until = min(until, monotonic() + ENOUGH_S * len(problem.visits) / self.workers)
        hours = any(builder.facts.windows[: builder.facts.visits])
        first = first_day(builder, search, day, until, hours)
        part_s = SCRATCH_S if hours else ANNEALED_S
        counted = round(effort * (COUNTED_S + A_TOUR_S * len(routes)) / part_s)
        work = _Work(monotonic(), until, part_s, counted if effort < 1.0 else None)
        cool = None if hours else cooling(first, work.core_s(self.workers))
        parts = _Parts(builder, search, first, cool, Random(seed))  # noqa: S311
        with crew(problem, self.workers, until - monotonic()) as solve:
            parts.run(solve, self.workers, work)
        return solution_of(builder, parts.best, NAME, seed)


@dataclass(frozen=True, slots=True)
class _Work:
    """What there is to do: parts by number, or as many as there is time for.

    Attributes:
        began: an instant of `time.monotonic`.
        until: when no part may be searched any more.
        part_s: for a part of `VISITS`.
        most: parts, where they are counted.
    """

    began: float
    until: float
    part_s: float
    most: int | None

    def core_s(self, workers: int) -> float:
        """Return the seconds of all workers together."""
        left_s = workers * (self.until - self.began)
        return left_s if self.most is None else min(left_s, self.most * self.part_s)

    def progress(self, given: int) -> float:
        """Return the share of the work that is done once so many parts are given."""
        if self.most is not None:
            return given / max(1, self.most)
        return (monotonic() - self.began) / max(1e-9, self.until - self.began)


class _Parts:
    """A day as it is now, the parts of it that are being searched, and the best day so far."""

    def __init__(
        self,
        builder: Builder,
        search: Search,
        day: Day,
        cool: Cooling | None,
        random: Random,
    ) -> None:
        self._builder, self._search = builder, search
        self._cool, self._random = cool, random
        self._waiting: dict[Future[Orders | None], PartTask] = {}
        self._day = self.best = day

    def run(self, solve: Solve, workers: int, work: _Work) -> None:
        """Search parts until the work is done."""
        given = 0
        while True:
            while len(self._waiting) < workers and given != work.most:
                if not self._give(solve, work, given):
                    break
                given += 1
            if not self._waiting:
                return
            done, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
            for future in done:
                del self._waiting[future]
                self._take(future.result())

    def _give(self, solve: Solve, work: _Work, given: int) -> bool:
        """Have a part searched; return whether there was one, and time for it."""
        others = self._waiting.values()
        busy = {truck for part in others for truck in part.trucks}
        absent = self._day.absent.difference(*(part.visits for part in others))
        facts, cool = self._builder.facts, self._cool
        found = chosen_part(facts, self._day, busy, absent, self._random, cool is not None)
        if found is None:
            return False
        visits, trucks = found
        seconds = work.part_s * max(0.2, len(visits) / VISITS)
        if monotonic() + seconds > work.until:
            return False
        tours = tuple(self._visits_of(truck) for truck in trucks)
        temperature_eur = cool.at(work.progress(given)) if cool else None
        task = PartTask(tuple(visits), tuple(trucks), tours, seconds, temperature_eur)
        self._waiting[solve(task)] = task
        return True

    def _visits_of(self, truck: int) -> tuple[int, ...]:
        route = self._day.routes[truck]
        return route.visits if route else ()

    def _take(self, tours: Orders | None) -> None:
        """Put a part's tours in place of the old ones; those from scratch only if cheaper."""
        if tours is None:
            return
        routes = list(self._day.routes)
        for truck, tour in tours:
            routes[truck] = self._builder.from_visits(truck, tour) if tour else None
            if tour and routes[truck] is None:
                return  # a rule that the model does not have
        day = self._search.day(routes)
        if self._cool is None and day.cost >= self._day.cost - 1e-6:
            return
        self._day = day
        if self._day.cost < self.best.cost - 1e-6:
            self.best = self._day
