"""What all peers need: problems in whole numbers, and their routes as our plans."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.optimizer.solvers import CannotExpressError
from optimizer.check import check
from optimizer.model import Reason, Solution, Tour, Unserved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from optimizer.model import Facility, Problem, Truck, Visit

SHARES = 1000  # of a kilogram or litre, where amounts are no whole numbers
SMALL = 1e-6


def same_trucks(problem: Problem) -> Truck:
    """Return the one kind of truck that a problem has."""
    kinds = {replace(truck, id="") for truck in problem.trucks}
    if len(kinds) != 1:
        raise CannotExpressError("trucks of several kinds")
    if any(visit.trucks is not None for visit in problem.visits):
        raise CannotExpressError("visits for certain trucks only")
    (truck,) = kinds
    if truck.start != truck.end or len(truck.compartments) != 1:
        raise CannotExpressError("several depots or compartments")
    if truck.max_driving_s is not None or truck.max_driving_between_breaks_s is not None:
        raise CannotExpressError("limits of driving")
    return truck


def single_trip(problem: Problem, truck: Truck) -> bool:
    """Whether each tour is one trip that unloads at its depot for nothing: a plain VRP."""
    at_depot = all(f.location == truck.start and f.unload_s == 0 for f in problem.facilities)
    return at_depot and truck.max_kg is not None and truck.max_kg <= truck.payload_kg


def loads(problem: Problem, truck: Truck) -> tuple[list[list[int]], list[int]]:
    """Return what each visit takes of the limits of a trip that can bind, and these limits."""
    (body,) = truck.compartments
    columns = [
        ([sum(v.kg) for v in problem.visits], min(truck.payload_kg, body.capacity_kg)),
        ([sum(v.litres) for v in problem.visits], body.capacity_l),
    ]
    binding = [(amounts, limit) for amounts, limit in columns if sum(amounts) > limit]
    whole = all(float(a).is_integer() for amounts, _ in binding for a in amounts)
    scale = 1 if whole else SHARES
    needs = [
        [math.ceil(amounts[v] * scale - SMALL) for amounts, _ in binding]
        for v in range(len(problem.visits))
    ]
    return needs, [math.floor(limit * scale + SMALL) for _, limit in binding]


def window(place: Visit | Facility | None, shift: tuple[int, int]) -> tuple[int, int]:
    """Return the one window of a place, within a shift."""
    windows = () if place is None else place.windows
    if len(windows) > 1:
        raise CannotExpressError("several windows of a place")
    if not windows:
        return shift
    return windows[0].earliest_s, windows[0].latest_s


def money(problem: Problem, truck: Truck) -> tuple[int, NDArray[np.int64]]:
    """Return parts of a euro such that costs are whole numbers, and the ways' cost in them."""
    _, metres = problem.matrices()
    euro = metres * (truck.eur_per_km / 1000.0)
    if truck.eur_per_h:
        scale = 36_000  # whole parts a second for every tariff with one decimal
    else:
        scale = next(
            (s for s in (1, 10) if np.abs(euro * s - np.rint(euro * s)).max(initial=0) < 1e-6),
            1000,
        )
    return scale, np.rint(euro * scale).astype(np.int64)


def plan_of(problem: Problem, routes: Iterable[Sequence[int]], name: str, seed: int) -> Solution:
    """Return routes of nodes as a plan: each ends unloaded, and starts when that is cheapest."""
    tours: list[Tour] = []
    for nodes in routes:
        if not any(problem.is_visit(node) for node in nodes):
            continue
        truck = len(tours)
        start_s = problem.trucks[truck].shift.earliest_s
        tours.append(Tour(truck, start_s, tuple(nodes)))
    solution = with_unserved(problem, Solution(tuple(tours), (), name, seed))
    if not any(truck.eur_per_h for truck in problem.trucks):
        return solution
    later = with_unserved(problem, _started_late(problem, solution))
    return min(
        (solution, later), key=lambda s: (not (r := check(problem, s)).legal, r.score)
    )  # fmt: skip


def with_unserved(problem: Problem, solution: Solution) -> Solution:
    """Return a plan that says what it leaves out."""
    served = {node for tour in solution.tours for node in tour.nodes}
    left_out = tuple(
        Unserved(v, Reason.TIME) for v in range(len(problem.visits)) if v not in served
    )
    return replace(solution, unserved=left_out)


def _started_late(problem: Problem, solution: Solution) -> Solution:
    from optimizer.solve.days import day_of, solution_of
    from optimizer.solve.facts import Facts
    from optimizer.solve.route import Builder
    from optimizer.solve.search import Search

    builder = Builder(Facts(problem))
    day = day_of(Search(builder, 0), builder, solution)
    return solution_of(builder, day, solution.engine, solution.seed)
