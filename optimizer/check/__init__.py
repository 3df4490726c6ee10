"""The independent judge: recomputes a solution and cites each rule that it breaks.

It shares nothing with the engines but the model, and knows no OR-Tools. Whatever an engine
claims about times, loads or costs is ignored; only tours, their starts and their nodes count.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from optimizer.check.hours import balance_eur
from optimizer.check.report import (
    CostParts,
    Report,
    TimedBreak,
    TimedNode,
    TimedTour,
    Trip,
    Violation,
)
from optimizer.check.tour import judge_tour
from optimizer.model import Tour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.model import Problem, Solution

__all__ = [
    "CostParts",
    "Report",
    "TimedBreak",
    "TimedNode",
    "TimedTour",
    "Trip",
    "Violation",
    "check",
]


def check(problem: Problem, solution: Solution) -> Report:
    """Judge a solution: recompute its times, loads and cost, and find all broken rules."""
    broken = list(_unknown(problem, solution))
    tours = [tour for tour in (_known(problem, t) for t in solution.tours) if tour.nodes]
    tours += _homeward(problem, tours)
    timed = []
    for tour in tours:
        one, wrong = judge_tour(problem, tour)
        timed.append(one)
        broken.extend(wrong)
    broken.extend(_twice(problem, tours))
    served = {node for tour in tours for node in tour.nodes if problem.is_visit(node)}
    broken.extend(_reported(problem, solution, served))
    missing = [v.id for i, v in enumerate(problem.visits) if v.mandatory and i not in served]
    prizes = sum(
        visit.prize_eur or 0.0 for i, visit in enumerate(problem.visits) if i not in served
    )
    cost = CostParts(
        sum(tour.fixed_eur for tour in timed),
        sum(tour.km_eur for tour in timed),
        sum(tour.hours_eur for tour in timed),
        prizes,
        sum(tour.overtime_eur for tour in timed),
        balance_eur(timed, problem.balance_eur_per_h),
    )
    return Report(tuple(broken), tuple(timed), cost, solution.unserved, tuple(missing))


def _known(problem: Problem, tour: Tour) -> Tour:
    """Return a tour without what the problem does not know."""
    nodes = len(problem.visits) + len(problem.facilities)
    known = tuple(node for node in tour.nodes if 0 <= node < nodes)
    if not 0 <= tour.truck < len(problem.trucks):
        known = ()
    return dataclasses.replace(tour, nodes=known)


def _homeward(problem: Problem, tours: Sequence[Tour]) -> list[Tour]:
    """Return the tours of trucks that are underway and get nothing more to do: they drive home."""
    planned = {tour.truck for tour in tours}
    return [
        Tour(index, truck.shift.earliest_s, ())
        for index, truck in enumerate(problem.trucks)
        if truck.underway is not None and index not in planned
    ]


def _unknown(problem: Problem, solution: Solution) -> Iterator[Violation]:
    nodes = len(problem.visits) + len(problem.facilities)
    for tour in solution.tours:
        if not 0 <= tour.truck < len(problem.trucks):
            yield Violation(
                "unknown id", str(tour.truck), None, tour.truck, None,
                f"tour of truck {tour.truck}: the problem has no such truck",
            )  # fmt: skip
            continue
        vehicle = problem.trucks[tour.truck].id
        for node in tour.nodes:
            if not 0 <= node < nodes:
                yield Violation(
                    "unknown id", vehicle, str(node), node, None,
                    f"tour {vehicle}: the problem has no visit or facility {node}",
                )  # fmt: skip


def _twice(problem: Problem, tours: list[Tour]) -> Iterator[Violation]:
    for truck, count in Counter(tour.truck for tour in tours).items():
        if count > 1:
            name = problem.trucks[truck].id
            yield Violation(
                "one tour per vehicle", name, None, count, 1,
                f"tour {name}: the plan has {count} tours of this vehicle",
            )  # fmt: skip
    first: dict[int, str] = {}
    for tour in tours:
        vehicle = problem.trucks[tour.truck].id
        for node in tour.nodes:
            if not problem.is_visit(node):
                continue
            if node in first:
                name = problem.node_id(node)
                yield Violation(
                    "duplicate visit", vehicle, name, 2, 1,
                    f"tour {vehicle}: {name} is already served by tour {first[node]}",
                )  # fmt: skip
            first.setdefault(node, vehicle)


def _reported(problem: Problem, solution: Solution, served: set[int]) -> Iterator[Violation]:
    """Yield what is wrong with the list of unserved visits."""
    reported: set[int] = set()
    for entry in solution.unserved:
        if not 0 <= entry.visit < len(problem.visits):
            yield Violation(
                "unknown id", None, str(entry.visit), entry.visit, None,
                f"unserved: the problem has no visit {entry.visit}",
            )  # fmt: skip
            continue
        reported.add(entry.visit)
        if entry.visit in served:
            name = problem.node_id(entry.visit)
            yield Violation(
                "served and unserved", None, name, None, None,
                f"{name} is served, and reported as unserved",
            )  # fmt: skip
    for index, visit in enumerate(problem.visits):
        if visit.mandatory and index not in served and index not in reported:
            yield Violation(
                "missing visit", None, visit.id, None, None,
                f"{visit.id} is mandatory, and neither served nor reported as unserved",
            )  # fmt: skip
