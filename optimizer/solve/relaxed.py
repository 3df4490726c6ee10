"""What keeps a visit out: the limit without which it would fit into the finished plan."""

from __future__ import annotations

import dataclasses
import math
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.model import Reason, TimeWindow, Unserved
from optimizer.solve.costing import Insertion, Insertions, tries_for
from optimizer.solve.facts import Facts
from optimizer.solve.route import Builder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from optimizer.model import Problem, Truck, Visit
    from optimizer.solve.route import Route

LONGER_S = 12 * 3600  # by which a shift is prolonged to see what else would fit
MOST_VISITS = 2_000  # of a problem, beyond which nothing is tried


def blocked(
    problem: Problem,
    routes: Sequence[Route | None],
    visits: Iterable[int],
    own: dict[int, Reason],
    until: float = math.inf,
) -> list[Unserved]:
    """Return why visits fit nowhere into a plan, and what they would add without that limit.

    Args:
        problem: what was planned.
        routes: the plan's tours.
        visits: what it leaves out although nothing speaks against the cost.
        own: the reasons of those that could not be served even alone.
        until: instant of `time.monotonic` after which nothing more is tried.
    """
    left = list(visits)
    found: dict[int, Unserved] = {}
    if len(problem.visits) <= MOST_VISITS:
        for reason, relax, short in _LIMITS:
            wanted = [v for v in left if v not in found and own.get(v, reason) is reason]
            if wanted and monotonic() <= until:
                found |= _without(problem, routes, wanted, reason, relax, short, until)
    return [found.get(v, Unserved(v, own.get(v, Reason.TIME))) for v in left]


def _without(
    problem: Problem,
    routes: Sequence[Route | None],
    visits: Sequence[int],
    reason: Reason,
    relax: Callable[[Problem, Sequence[int]], Problem],
    short: Callable[[Problem, int, Insertion], float],
    until: float,
) -> dict[int, Unserved]:
    """Return the visits that fit in without a limit."""
    relaxed = relax(problem, visits)
    builder = Builder(Facts(relaxed))
    rebuilt = [route and builder.build(route.truck, route.nodes) for route in routes]
    insertions = Insertions(builder, rebuilt, tries_for(len(problem.visits), len(visits)))
    found = {}
    for visit in visits:
        if monotonic() > until:
            break
        best = insertions.cheapest(visit)
        if best is not None:
            loads = _loads(problem, visit) if reason is Reason.CAPACITY else 1
            extra_eur = round(loads * best.extra_eur, 2)
            found[visit] = Unserved(visit, reason, extra_eur, short(problem, visit, best))
    return found


def _always_open(problem: Problem, visits: Sequence[int]) -> Problem:
    return _changed(problem, visits, lambda visit, _: dataclasses.replace(visit, windows=()))


def _in_pieces(problem: Problem, visits: Sequence[int]) -> Problem:
    """Let trucks collect any amount in a day, and a part of what no truck can carry at once."""

    def part(visit: Visit, loads: int) -> Visit:
        return dataclasses.replace(
            visit,
            kg=tuple(kg / loads for kg in visit.kg),
            litres=tuple(litres / loads for litres in visit.litres),
        )

    trucks = tuple(
        dataclasses.replace(truck, max_kg=None, max_litres=None, max_stops=None)
        for truck in problem.trucks
    )
    return _changed(problem, visits, part).replace(trucks=trucks)


def _longer(problem: Problem, visits: Sequence[int]) -> Problem:
    return problem.replace(trucks=tuple(_longer_day(truck) for truck in problem.trucks))


def _at_any_time(problem: Problem, visits: Sequence[int]) -> Problem:
    """Let nobody's hours stand in the way: later stops of a tour may have theirs, too."""
    return _longer(_always_open(problem, range(len(problem.visits))), visits)


def _longer_day(truck: Truck) -> Truck:
    return dataclasses.replace(
        truck,
        shift=TimeWindow(truck.shift.earliest_s, truck.shift.latest_s + LONGER_S),
        max_driving_s=None,
        max_driving_between_breaks_s=None,
        max_tour_s=None,
    )


def _changed(
    problem: Problem, visits: Sequence[int], change: Callable[[Visit, int], Visit]
) -> Problem:
    changed = list(problem.visits)
    for visit in visits:
        changed[visit] = change(changed[visit], _loads(problem, visit))
    return problem.replace(visits=tuple(changed))


def _loads(problem: Problem, visit: int) -> int:
    """Return how many loads of the most suitable truck a visit is."""
    demand = problem.visits[visit]
    needed = [_share(truck, demand) for truck in problem.trucks]
    return max(1, math.ceil(min(needed, default=1.0) - 1e-9)) if min(needed) < math.inf else 1


def _share(truck: Truck, visit: Visit) -> float:
    """Return which share of a truck a visit fills; more than 1 where it does not fit."""
    parts = [(sum(visit.kg), truck.payload_kg)]
    for compartment in truck.compartments:
        parts.append((sum(visit.kg[f] for f in compartment.fractions), compartment.capacity_kg))
        parts.append((sum(visit.litres[f] for f in compartment.fractions), compartment.capacity_l))
    return max(
        (amount / limit if limit > 0 else math.inf for amount, limit in parts if amount > 0),
        default=0.0,
    )


def _late_s(problem: Problem, visit: int, found: Insertion) -> float:
    """Return by how much service would miss the nearest of the visit's windows."""
    at = next(node for node in found.timed.nodes if node.node == visit)
    return float(
        min(
            (
                max(window.earliest_s - at.start_s, at.start_s - window.latest_s, 0)
                for window in problem.visits[visit].windows
            ),
            default=0,
        )
    )


def _overtime_s(problem: Problem, visit: int, found: Insertion) -> float:
    """Return how much longer the truck would have to work, or drive, than it may."""
    truck, timed = problem.trucks[found.route.truck], found.timed
    over = [timed.end_s - truck.shift.latest_s]
    if truck.max_driving_s is not None:
        over.append(timed.driving_s - truck.max_driving_s)
    if truck.max_tour_s is not None:
        over.append(timed.end_s - timed.start_s - truck.max_tour_s)
    return float(max(*over, 0))


def _over_kg(problem: Problem, visit: int, found: Insertion) -> float:
    """Return the weight beyond what a truck carries, or may collect in a day."""
    kg = sum(problem.visits[visit].kg)
    truck = problem.trucks[found.route.truck]
    over = [kg - truck.payload_kg]
    if truck.max_kg is not None:
        over.append(sum(sum(trip.kg) for trip in found.timed.trips) - truck.max_kg)
    return float(max(*over, 0.0))


_LIMITS: tuple[
    tuple[
        Reason,
        Callable[[Problem, Sequence[int]], Problem],
        Callable[[Problem, int, Insertion], float],
    ],
    ...,
] = (
    (Reason.TIME, _longer, _overtime_s),
    (Reason.WINDOW, _always_open, _late_s),
    (Reason.CAPACITY, _in_pieces, _over_kg),
    (Reason.TIME, _at_any_time, _overtime_s),
)
