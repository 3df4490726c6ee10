"""Before solving: what no plan can do, and why.

Two kinds of obstacles: visits that no truck could serve even if it had nothing else to do, and
sums that exceed what the whole fleet can carry or has time for. The sums are lower bounds on
the need and upper bounds on the means, so what is reported is certain; what is not reported may
still turn out to be too much.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from optimizer.model import Reason
from optimizer.solve.facts import FAR_S, Facts
from optimizer.solve.route import Builder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem, Truck
    from optimizer.solve.facts import Kind


MOST_PLACES = 2_500  # beyond which ways are not looked at


class Measure(StrEnum):
    """What the figures of an obstacle count."""

    KG = "kg"
    LITRES = "litres"
    SECONDS = "s"  # how long
    INSTANT = "time of day"  # when, in seconds of the day
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that no plan can do.

    Attributes:
        reason: what stands in the way.
        visits: the ids of the visits in question: one, or all that are added up.
        fleet: whether it is a sum over the fleet, and so not all of the visits can be served.
        mandatory: whether a mandatory visit is among them, or for a sum, whether the mandatory
            ones alone are too much.
        needed: what they need, and `available` what there is, both in `measure`.
        what: the fraction in question, where it is one.
    """

    reason: Reason
    visits: tuple[str, ...]
    fleet: bool = False
    mandatory: bool = False
    needed: float | None = None
    available: float | None = None
    measure: Measure = Measure.NOTHING
    what: str = ""


def feasibility(problem: Problem) -> tuple[Obstacle, ...]:
    """Return what no plan for a problem can do; nothing stands in the way where it is empty.

    Large problems are looked at for loads alone.
    """
    if not problem.visits:
        return ()
    if not problem.trucks:
        wanted = any(visit.mandatory for visit in problem.visits)
        ids = tuple(visit.id for visit in problem.visits)
        return (Obstacle(Reason.NO_TRUCK, ids, fleet=True, mandatory=wanted),)
    if problem.blocks is not None or len(problem.travel) > MOST_PLACES:
        return tuple(_loads(problem, range(len(problem.visits)), None))
    builder = Builder(Facts(problem))
    never = impossible(builder)
    alone = [_obstacle(builder, visit, reason) for visit, reason in never.items()]
    rest = [visit for visit in range(len(problem.visits)) if visit not in never]
    return (*alone, *_loads(problem, rest, builder), *_time(problem, rest, builder))


def impossible(builder: Builder) -> dict[int, Reason]:
    """Return the visits that no truck could serve even if it had nothing else to do."""
    return {
        visit: reason
        for visit in range(builder.facts.visits)
        if (reason := _why(builder, visit)) is not None
    }


def _why(builder: Builder, visit: int) -> Reason | None:
    facts = builder.facts
    suited = _suited(facts, visit)
    if not suited:
        return Reason.NO_TRUCK
    able = [
        t
        for t in suited
        if facts.kinds[t].takes[visit]
        and builder.within_day(facts.kinds[t], 1, builder.kg[visit], builder.litres[visit])
    ]
    if not able:
        return Reason.CAPACITY
    if all(_no_road(facts, facts.kinds[truck], visit) for truck in able):
        return Reason.UNREACHABLE
    if any(builder.alone(truck, visit) for truck in able):
        return None
    return Reason.WINDOW if facts.windows[visit] else Reason.TIME


def _suited(facts: Facts, visit: int) -> list[int]:
    """Return the trucks that may go to a visit and have a body for its fractions."""
    may = facts.problem.visits[visit].trucks
    trucks = [t for t in range(len(facts.kinds)) if may is None or t in may]
    return [t for t in trucks if facts.kinds[t].has_body_for(visit)]


def _no_road(facts: Facts, kind: Kind, visit: int) -> bool:
    """Whether there is no way to a visit, on to some facility and back to the tour's end."""
    here, end = facts.location[visit], kind.truck.end
    if facts.travel_s[kind.truck.start][here] >= FAR_S:
        return True
    for way in kind.ways(facts.mask[visit]):
        stations = [here, *(facts.location[node] for node in way), end]
        pairs = itertools.pairwise(stations)
        if all(facts.travel_s[a][b] < FAR_S for a, b in pairs):
            return False
    return True


def _obstacle(builder: Builder, visit: int, reason: Reason) -> Obstacle:
    """Put figures to what keeps a visit from being served."""
    facts = builder.facts
    one = facts.problem.visits[visit]
    needed: float | None = None
    available: float | None = None
    measure, what = Measure.NOTHING, ""
    match reason:
        case Reason.CAPACITY:
            needed, available, measure = _tightest_load(facts, visit)
        case Reason.WINDOW:
            start = [facts.kinds[truck].truck for truck in _suited(facts, visit)]
            here = facts.location[visit]
            needed = min(t.shift.earliest_s + facts.travel_s[t.start][here] for t in start)
            available, measure = max(last for _, last in facts.windows[visit]), Measure.INSTANT
        case Reason.TIME:
            shifts = [facts.kinds[truck].truck.shift for truck in _suited(facts, visit)]
            available = max(shift.latest_s - shift.earliest_s for shift in shifts)
            needed, measure = float(_alone_s(facts, visit)), Measure.SECONDS
        case Reason.NO_TRUCK:
            what = _without_body(facts, visit)
    return Obstacle(
        reason,
        (one.id,),
        mandatory=one.mandatory,
        needed=needed,
        available=available,
        measure=measure,
        what=what,
    )


def _tightest_load(facts: Facts, visit: int) -> tuple[float, float, Measure]:
    """Return the demand that the most suitable truck falls short of, and what that takes."""
    one = facts.problem.visits[visit]
    found = []
    for truck in (facts.kinds[index].truck for index in _suited(facts, visit)):
        limits = [(sum(one.kg), truck.payload_kg, Measure.KG)]
        limits += [(sum(one.kg), truck.max_kg, Measure.KG)] if truck.max_kg is not None else []
        if truck.max_litres is not None:
            limits.append((sum(one.litres), truck.max_litres, Measure.LITRES))
        for part in truck.compartments:
            kg, litres = (sum(of[f] for f in part.fractions) for of in (one.kg, one.litres))
            limits.append((kg, part.capacity_kg, Measure.KG))
            limits.append((litres, part.capacity_l, Measure.LITRES))
        found.append(max(limits, key=lambda limit: limit[0] / max(limit[1], 1e-9)))
    return min(found, key=lambda limit: limit[0] / max(limit[1], 1e-9))


def _alone_s(facts: Facts, visit: int) -> int:
    """Return the shortest time for a visit alone: there, unloading, and back."""
    here, shortest = facts.location[visit], FAR_S
    for kind in (facts.kinds[truck] for truck in _suited(facts, visit)):
        for way in kind.unloadings(facts.mask[visit]) if facts.mask[visit] else ((),):
            stations = [kind.truck.start, here, *(facts.location[n] for n in way), kind.truck.end]
            drive = sum(facts.travel_s[a][b] for a, b in itertools.pairwise(stations))
            work = facts.service_s[visit] + sum(facts.service_s[node] for node in way)
            shortest = min(shortest, drive + work)
    return shortest


def _without_body(facts: Facts, visit: int) -> str:
    """Return the fraction that no truck or no facility takes; empty when it is access alone."""
    problem = facts.problem
    one = problem.visits[visit]
    for fraction, name in enumerate(problem.fractions):
        if one.kg[fraction] <= 0 and one.litres[fraction] <= 0:
            continue
        carried = any(truck.compartment_of(fraction) is not None for truck in problem.trucks)
        accepted = any(fraction in facility.accepts for facility in problem.facilities)
        if not carried or not accepted:
            return name
    return ""


def _loads(problem: Problem, visits: Sequence[int], builder: Builder | None) -> list[Obstacle]:
    """Compare what is to be collected with what all trucks can carry in all their trips."""
    trips = [_most_trips(truck, problem, builder) for truck in problem.trucks]
    means = {
        Measure.KG: sum(
            min(t.payload_kg * n, math.inf if t.max_kg is None else t.max_kg)
            for t, n in zip(problem.trucks, trips, strict=True)
        ),
        Measure.LITRES: sum(
            min(
                sum(part.capacity_l for part in t.compartments) * n,
                math.inf if t.max_litres is None else t.max_litres,
            )
            for t, n in zip(problem.trucks, trips, strict=True)
        ),
    }
    found = []
    for measure, available in means.items():
        amounts = {
            visit: sum(
                problem.visits[visit].kg if measure is Measure.KG else problem.visits[visit].litres
            )
            for visit in visits
        }
        found += _exceeded(problem, Reason.CAPACITY, amounts, available, measure)
    return found


def _most_trips(truck: Truck, problem: Problem, builder: Builder | None) -> float:
    """Return how often a truck can unload in its shift at most."""
    shift_s = truck.shift.latest_s - truck.shift.earliest_s
    unload_s = min((facility.unload_s for facility in problem.facilities), default=0)
    service_s = min(visit.service_s for visit in problem.visits)
    way_s = 0
    if builder is not None and problem.facilities:
        facts = builder.facts
        at = [facts.location[visit] for visit in range(facts.visits)]
        to = [facility.location for facility in problem.facilities]
        way_s = int(facts.seconds[np.ix_(at, to)].min())
    trip_s = unload_s + service_s + way_s
    kept = 1 if truck.overnight_load_allowed else 0
    return max(1, shift_s // trip_s) + kept if trip_s > 0 else math.inf


def _time(problem: Problem, visits: Sequence[int], builder: Builder) -> list[Obstacle]:
    """Compare the least work there is with the trucks' shifts, less their breaks."""
    facts = builder.facts
    places = sorted({truck.start for truck in problem.trucks} | set(facts.location))
    work = {}
    for visit in visits:
        here = facts.location[visit]
        before = [place for place in places if place != here]
        way_s = int(facts.seconds[before, here].min()) if before else 0
        shared = facts.location.count(here) > 1  # another place at the same door: no way at all
        work[visit] = facts.service_s[visit] + (0.0 if shared else float(way_s))
    available = float(sum(_working_s(truck) for truck in problem.trucks))
    return _exceeded(problem, Reason.TIME, work, available, Measure.SECONDS)


def _working_s(truck: Truck) -> int:
    """Return the longest a truck can work in its shift, the cheapest chain of breaks taken."""
    length = truck.shift.latest_s - truck.shift.earliest_s
    if truck.max_tour_s is not None:
        length = min(length, truck.max_tour_s)
    owed = [
        sum(rule.duration_s for rule in chain if length > rule.due_after_s)
        for chain in truck.break_chains
    ]
    # A tour that ends just before a break is due owes none.
    shorter = min(
        (rule.due_after_s for rule in truck.breaks if rule.due_after_s < length), default=0
    )
    return max(length - min(owed), min(shorter, length))


def _exceeded(
    problem: Problem,
    reason: Reason,
    amounts: dict[int, float],
    available: float,
    measure: Measure,
) -> list[Obstacle]:
    """Return an obstacle where the mandatory visits, or else all of them, are too much."""
    for mandatory in (True, False):
        counted = [v for v in amounts if problem.visits[v].mandatory or not mandatory]
        needed = sum(amounts[visit] for visit in counted)
        if needed > available + 1e-6:
            ids = tuple(problem.visits[visit].id for visit in counted)
            return [
                Obstacle(
                    reason,
                    ids,
                    fleet=True,
                    mandatory=mandatory,
                    needed=needed,
                    available=available,
                    measure=measure,
                )
            ]
    return []
