"""One tour, recomputed from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.check.energy import battery, used_kwh
from optimizer.check.hours import began_s, overtime_eur, paid_from_s
from optimizer.check.loads import day_limits, loads
from optimizer.check.report import TimedNode, TimedTour, Violation, clock
from optimizer.check.schedule import Leg, schedule
from optimizer.model import UNREACHABLE, TimeWindow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.model import Problem, Tour, Truck


def judge_tour(problem: Problem, tour: Tour) -> tuple[TimedTour, list[Violation]]:
    """Return a tour with its times, loads and cost, and every rule that it breaks."""
    truck = problem.trucks[tour.truck]
    seconds, lengths = problem.travel.legs(_stations(problem, truck, tour))
    travel, metres = seconds.tolist(), lengths.tolist()
    legs = _legs(problem, truck, tour, travel)
    timed = schedule(truck, tour.start_s, legs)
    trips, overloads = loads(problem, truck, tour.nodes)
    driving_s = sum(leg.travel_s for leg in legs)
    km = sum(max(0.0, length) for length in metres) / 1000.0
    kwh = used_kwh(truck, km, (problem.visit(n) for n in tour.nodes if problem.is_visit(n)))
    broken = [
        *_start(truck, tour),
        *_no_road(problem, truck, tour, travel),
        *timed.violations,
        *_driving(truck, driving_s),
        *overloads,
        *day_limits(problem, truck, tour.nodes),
        *battery(truck, kwh),
        *_wrong_truck(problem, truck, tour),
    ]
    nodes = tuple(
        TimedNode(
            node, problem.node_id(node), times.arrival_s, times.start_s, times.departure_s,
            leg.travel_s, max(0.0, length),
        )
        for node, times, leg, length in zip(
            tour.nodes, timed.times[:-1], legs[:-1], metres[:-1], strict=True
        )
    )  # fmt: skip
    hours = (timed.end_s - paid_from_s(truck, tour.start_s)) / 3600.0
    return TimedTour(
        truck=tour.truck,
        vehicle=truck.id,
        start_s=tour.start_s,
        end_s=timed.end_s,
        nodes=nodes,
        breaks=timed.breaks,
        trips=trips,
        last_leg_s=legs[-1].travel_s,
        last_leg_m=max(0.0, metres[-1]),
        km=km,
        hours=hours,
        driving_s=driving_s,
        fixed_eur=0.0 if truck.underway else truck.fixed_eur,
        km_eur=km * truck.eur_per_km,
        hours_eur=hours * truck.eur_per_h,
        overtime_eur=overtime_eur(truck, tour.start_s, timed.end_s),
        began_s=began_s(truck, tour.start_s),
        used_kwh=kwh,
    ), broken


def _stations(problem: Problem, truck: Truck, tour: Tour) -> list[int]:
    return [truck.start, *(problem.location(node) for node in tour.nodes), truck.end]


def _legs(problem: Problem, truck: Truck, tour: Tour, travel: Sequence[int]) -> list[Leg]:
    """Build the legs; where there is no road the clock goes on as if there was no distance."""
    legs = []
    for node, seconds in zip(tour.nodes, travel[:-1], strict=True):
        name = problem.node_id(node)
        if problem.is_visit(node):
            visit = problem.visit(node)
            legs.append(Leg(max(0, seconds), visit.service_s, visit.windows, "time window", name))
        else:
            facility = problem.facility(node)
            legs.append(
                Leg(
                    max(0, seconds),
                    facility.unload_s,
                    facility.windows,
                    "facility hours",
                    name,
                    facility.queue,
                )
            )
    shift = TimeWindow(0, truck.shift.latest_s)
    return [*legs, Leg(max(0, travel[-1]), 0, (shift,), "shift", None)]


def _start(truck: Truck, tour: Tour) -> Iterator[Violation]:
    earliest, latest = truck.shift.earliest_s, truck.latest_start_s
    if latest is not None and tour.start_s > latest and truck.underway is None:
        yield Violation(
            "latest start", truck.id, None, tour.start_s, latest,
            f"tour {truck.id}: starts at {clock(tour.start_s)}, has to by {clock(latest)}",
        )  # fmt: skip
    if tour.start_s < earliest:
        yield Violation(
            "shift", truck.id, None, tour.start_s, earliest,
            f"tour {truck.id}: starts at {clock(tour.start_s)}, the shift at {clock(earliest)}",
        )  # fmt: skip


def _no_road(
    problem: Problem, truck: Truck, tour: Tour, travel: Sequence[int]
) -> Iterator[Violation]:
    for index, seconds in enumerate(travel):
        if seconds == UNREACHABLE:
            to = problem.node_id(tour.nodes[index]) if index < len(tour.nodes) else None
            yield Violation(
                "no road", truck.id, to, None, None,
                f"tour {truck.id}: there is no road to {to or 'its end'}",
            )  # fmt: skip


def _driving(truck: Truck, driving_s: int) -> Iterator[Violation]:
    limit = truck.max_driving_s
    if truck.underway is not None:
        driving_s += truck.underway.driven_s
    if limit is not None and driving_s > limit:
        yield Violation(
            truck.driving_rule or "driving time", truck.id, None, driving_s, limit,
            f"tour {truck.id}: {driving_s} s of driving, {limit} s are allowed in a day",
        )  # fmt: skip


def _wrong_truck(problem: Problem, truck: Truck, tour: Tour) -> Iterator[Violation]:
    for node in tour.nodes:
        if problem.is_visit(node):
            visit = problem.visit(node)
            if visit.trucks is not None and tour.truck not in visit.trucks:
                yield Violation(
                    "truck access", truck.id, visit.id, None, None,
                    f"tour {truck.id}: this truck cannot serve {visit.id}",
                )  # fmt: skip
