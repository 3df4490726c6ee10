"""What improves a plan: engines behind one protocol, in the order in which they are tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from config.errors import SolverError
from optimizer.solve.days import day_of, solution_of
from optimizer.solve.ortools_engine import OrTools
from optimizer.solve.popmusic.engine import Popmusic
from optimizer.solve.search import Day, Search
from optimizer.solve.sisr.engine import CompiledSearch, strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.model import Problem, Solution
    from optimizer.solve.route import Builder


COMPILED_SHARE = 0.7  # of the time, where the plain search has to go on
POLISHED = 300  # visits up to which OR-Tools still improves what our own search found


class Engine(Protocol):
    """Improves a plan. Whatever it returns is judged; it need not be better, nor even legal."""

    @property
    def share(self) -> float:
        """The part of the time it asks for, relative to the other engines."""
        ...

    def supports(self, problem: Problem) -> bool:
        """Whether it can improve plans of a problem; else the others have its time, too."""
        ...

    def builds(self, problem: Problem) -> bool:
        """Whether a first plan is better left to it, too, than to the construction."""
        ...

    def improve(
        self,
        problem: Problem,
        builder: Builder,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution | None:
        """Return a plan found from a start by an instant of `time.monotonic`, or None."""
        ...


@dataclass(frozen=True, slots=True)
class RuinAndRecreate:
    """Our own search: first a smaller fleet, then shorter tours."""

    share: float = 0.7

    def supports(self, problem: Problem) -> bool:
        """It takes every problem."""
        return True

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
    ) -> Solution:
        """Return the best day that ruin and recreate finds."""
        search = Search(builder, seed)
        day = day_of(search, builder, start)
        began = monotonic()
        day = self._smaller_fleet(builder, day, began + 0.4 * (until - began), seed, effort)
        steps = round(effort * (300 + 12 * len(problem.visits)))
        best = search.improve(day, steps, until)
        return solution_of(builder, best, "ruin-and-recreate", seed)

    def _smaller_fleet(
        self, builder: Builder, day: Day, until: float, seed: int, effort: float
    ) -> Day:
        """Give up the least loaded truck as long as the others can take over its visits."""
        kinds = builder.facts.kinds
        while day.used > 1 and monotonic() < until:
            used = [route for route in day.routes if route]
            spare = min(
                (r for r in used if kinds[r.truck].fixed_eur > 0),
                key=lambda route: len(route.visits),
                default=None,
            )
            if spare is None:
                break
            search = Search(builder, seed, [r.truck for r in used if r is not spare])
            rest = search.day([r if r is not spare else None for r in day.routes])
            missing = _mandatory_absent(builder, day)
            enough = partial(_no_more_absent, builder, missing)
            steps = round(effort * (200 + 10 * builder.facts.visits))
            found = search.improve(rest, steps, until, enough)
            if _mandatory_absent(builder, found) > missing or found.cost >= day.cost:
                break
            day = found
        return day


def _mandatory_absent(builder: Builder, day: Day) -> int:
    return sum(builder.facts.prize[visit] is None for visit in day.absent)


def _no_more_absent(builder: Builder, allowed: int, day: Day) -> bool:
    return _mandatory_absent(builder, day) <= allowed


@dataclass(frozen=True, slots=True)
class OwnSearch:
    """Our own search: compiled where the code is there and knows every rule, else in Python."""

    compiled: CompiledSearch = field(default_factory=CompiledSearch)
    plain: RuinAndRecreate = field(default_factory=RuinAndRecreate)
    share: float = 0.88

    def supports(self, problem: Problem) -> bool:
        """It takes every problem."""
        return True

    def builds(self, problem: Problem) -> bool:
        """Whether a first plan is better left to this search, too."""
        return self.compiled.builds(problem)

    def improve(
        self,
        problem: Problem,
        builder: Builder,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution:
        """Return the best plan that either search finds.

        Where the compiled search is stricter than the rules the other goes on from its plan.
        """
        now, alone = monotonic(), not strict(problem)
        end = until if alone else now + COMPILED_SHARE * (until - now)
        found = self.compiled.improve(problem, builder, start, end, seed, effort)
        if found is not None and alone:
            return found
        return self.plain.improve(problem, builder, found or start, until, seed, effort)


ENGINES: tuple[Engine, ...] = (OwnSearch(), OrTools(share=0.12, largest=POLISHED))
BY_NAME: Mapping[str, tuple[Engine, ...]] = {
    "search": (OwnSearch(),),
    "plain-search": (RuinAndRecreate(),),
    "ortools": (Popmusic(), OrTools(share=0.03)),
}


def engines_named(names: Iterable[str]) -> tuple[Engine, ...]:
    """Return the engines of some names in their order; without names the usual ones.

    Raises:
        SolverError: there is no engine of a name.
    """
    chosen: list[Engine] = []
    for name in names:
        if name not in BY_NAME:
            raise SolverError(
                f"there is no engine {name!r}; BINROUND_ENGINES takes {', '.join(BY_NAME)}"
            )
        chosen += BY_NAME[name]
    return tuple(chosen) or ENGINES
