"""A part of a problem as a problem of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.travel import ArrayTravel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.model import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """Some visits and trucks of a problem, with all its facilities.

    Attributes:
        problem: numbered on its own.
        visits: of the whole problem, in the order of the part's; likewise `trucks`.
        whole: number of visits of the whole problem.
    """

    problem: Problem
    visits: tuple[int, ...]
    trucks: tuple[int, ...]
    whole: int

    def inner(self, nodes: Iterable[int]) -> tuple[int, ...]:
        """Return nodes of the whole problem by the part's numbers; they are all part of it."""
        number = {visit: index for index, visit in enumerate(self.visits)}
        return tuple(
            number[node] if node < self.whole else node - self.whole + len(self.visits)
            for node in nodes
        )

    def outer(self, nodes: Iterable[int]) -> tuple[int, ...]:
        """Return nodes of the part by the whole problem's numbers."""
        visits = self.visits
        return tuple(
            visits[node] if node < len(visits) else node - len(visits) + self.whole
            for node in nodes
        )


def part_of(problem: Problem, visits: Sequence[int], trucks: Sequence[int]) -> Part:
    """Return some visits and trucks of a problem as a problem."""
    chosen = [problem.visits[visit] for visit in visits]
    fleet = [problem.trucks[truck] for truck in trucks]
    places = [visit.location for visit in chosen]
    places += [facility.location for facility in problem.facilities]
    places += [place for truck in fleet for place in (truck.start, truck.end)]
    kept = list(dict.fromkeys(places))
    at = {place: index for index, place in enumerate(kept)}
    number = {truck: index for index, truck in enumerate(trucks)}
    travel = problem.travel.subset(kept)
    arrays = isinstance(travel, ArrayTravel)
    part = replace(
        problem,
        visits=tuple(
            replace(
                visit,
                location=at[visit.location],
                trucks=visit.trucks
                and frozenset(number[truck] for truck in visit.trucks if truck in number),
            )
            for visit in chosen
        ),
        facilities=tuple(replace(f, location=at[f.location]) for f in problem.facilities),
        trucks=tuple(replace(t, start=at[t.start], end=at[t.end]) for t in fleet),
        duration_s=travel.duration_s if isinstance(travel, ArrayTravel) else problem.duration_s,
        distance_m=travel.distance_m if isinstance(travel, ArrayTravel) else problem.distance_m,
        blocks=None if arrays else travel,
    )
    return Part(part, tuple(visits), tuple(trucks), len(problem.visits))
