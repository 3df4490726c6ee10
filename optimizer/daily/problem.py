"""The routing problem of a day: candidates, facilities, trucks, windows and rules.

Here a candidate (`optimizer.selection.Candidate`: a site worth a visit) becomes a visit
(`optimizer.model.Visit`: a possible stop at a location, with windows and trucks).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config.errors import PlanError, RoadsError
from config.region import WEEKDAYS, seconds_of_day
from config.region import Facility as DeclaredFacility
from config.region import Vehicle as DeclaredVehicle
from config.region_access import can_serve
from optimizer.daily.rules import day_rules
from optimizer.daily.snapshot import DaySnapshot
from optimizer.daily.windows import visit_windows
from optimizer.model import (
    DAY_S,
    Compartment,
    Energy,
    Facility,
    Problem,
    QueueSpan,
    TimeWindow,
    Truck,
    Visit,
)
from optimizer.road_times import Places, TravelTimes
from optimizer.selection import Candidate


@dataclass(frozen=True, eq=False)
class DayProblem:
    """A problem, and what its indices mean.

    Attributes:
        places: of the locations in their order: the depot, the open facilities, the candidates.
        candidates: `candidates[v]` is what visit v was made of.
        facilities: `facilities[f]` is what facility f was made of; likewise `vehicles`, of trucks.
        off_road: candidates that no road leads to, with their distance from one in metres.
    """

    problem: Problem
    places: Places
    candidates: tuple[Candidate, ...]
    facilities: tuple[DeclaredFacility, ...]
    vehicles: tuple[DeclaredVehicle, ...]
    off_road: tuple[tuple[Candidate, float], ...]


def _places(
    snapshot: DaySnapshot, facilities: Sequence[DeclaredFacility], sites: Sequence[Candidate]
) -> Places:
    """Return the places of a day: the depot, facilities, sites."""
    points = [
        (snapshot.depot.lon, snapshot.depot.lat),
        *((facility.lon, facility.lat) for facility in facilities),
        *((candidate.site.lon, candidate.site.lat) for candidate in sites),
    ]
    curb = [False] * (1 + len(facilities)) + [candidate.site.curb for candidate in sites]
    return Places.of(points, curb)


def build(
    snapshot: DaySnapshot, candidates: Sequence[Candidate], travel: TravelTimes
) -> DayProblem:
    """Build the problem of a day.

    Raises:
        PlanError: no facility takes the waste today.
        RoadsError: the depot is not at a road that a truck can use.
    """
    opened = open_facilities(snapshot)
    places = _places(snapshot, opened, candidates)
    snapped = travel.snap(places)
    if not snapped.ok[0]:
        raise RoadsError(
            f"depot {snapshot.depot.id} lies {snapped.distance_m[0]:.0f} m from the nearest road "
            "for trucks; correct its coordinates"
        )
    f = len(opened)
    reached = [facility for facility, ok in zip(opened, snapped.ok[1:], strict=False) if ok]
    if not reached:
        raise PlanError(_no_facility(snapshot, bool(opened)))
    on_road = [c for c, ok in zip(candidates, snapped.ok[1 + f :], strict=True) if ok]
    off_road = [
        (candidate, float(snapped.distance_m[1 + f + row]))
        for row, candidate in enumerate(candidates)
        if not snapped.ok[1 + f + row]
    ]
    places = places.take(np.flatnonzero(snapped.ok))
    matrix = travel.matrix(places)
    vehicles = [vehicle for vehicle in snapshot.vehicles if _compartments(snapshot, vehicle)]
    problem = Problem(
        fractions=snapshot.service.fractions,
        visits=tuple(
            visit_of(snapshot, candidate, 1 + len(reached) + row, vehicles)
            for row, candidate in enumerate(on_road)
        ),
        facilities=tuple(
            _facility(snapshot, facility, 1 + row) for row, facility in enumerate(reached)
        ),
        trucks=tuple(_truck(snapshot, vehicle) for vehicle in vehicles),
        duration_s=matrix.duration_s,
        distance_m=matrix.distance_m,
        name=f"{snapshot.region.id} {snapshot.service.id} {snapshot.day}",
        balance_eur_per_h=snapshot.service.balance_eur_per_h,
    )
    return DayProblem(
        problem, places, tuple(on_road), tuple(reached), tuple(vehicles), tuple(off_road)
    )


def open_facilities(snapshot: DaySnapshot) -> list[DeclaredFacility]:
    """Return the facilities that take any of the service's fractions on the day."""
    wanted = set(snapshot.service.fractions)
    return [
        facility
        for facility in snapshot.region.facilities
        if wanted & set(facility.accepts)
        and facility.id not in snapshot.closed
        and _hours(snapshot, facility)
    ]


def _no_facility(snapshot: DaySnapshot, opened: bool) -> str:
    if opened:
        return (
            f"no facility for {snapshot.service.id} is at a road for trucks; "
            "correct the coordinates in facilities.toml"
        )
    return (
        f"no facility that takes {snapshot.service.id} is open on {snapshot.day}; "
        "see the hours in facilities.toml"
    )


def _hours(snapshot: DaySnapshot, facility: DeclaredFacility) -> tuple[TimeWindow, ...]:
    """Return when trucks may come on the day: unloading has to be over at closing time."""
    today = WEEKDAYS[snapshot.day.weekday()]
    waits = [(0, 0), *((span.from_s, span.wait_s) for span in _queue(facility))]
    ends = [*(since - 1 for since, _ in waits[1:]), DAY_S]
    spans = [
        (
            max(seconds_of_day(hours.opens), since),
            min(seconds_of_day(hours.closes) - facility.unload_s - wait_s, end),
        )
        for hours in facility.hours
        if today in hours.days
        for (since, wait_s), end in zip(waits, ends, strict=True)
    ]
    return tuple(TimeWindow(opens, last) for opens, last in spans if last >= opens)


def _queue(facility: DeclaredFacility) -> tuple[QueueSpan, ...]:
    return tuple(QueueSpan(seconds_of_day(one.since), one.wait_s) for one in facility.queue)


def _facility(snapshot: DaySnapshot, facility: DeclaredFacility, location: int) -> Facility:
    fractions = snapshot.service.fractions
    return Facility(
        id=facility.id,
        location=location,
        accepts=frozenset(i for i, name in enumerate(fractions) if name in facility.accepts),
        unload_s=facility.unload_s,
        windows=_hours(snapshot, facility),
        queue=_queue(facility),
    )


def visit_of(
    snapshot: DaySnapshot,
    candidate: Candidate,
    location: int,
    vehicles: Sequence[DeclaredVehicle],
) -> Visit:
    """Return a candidate as a visit, open to the vehicles that can serve it."""
    containers = [snapshot.containers[index] for index in candidate.containers]
    able = [can_serve(vehicle, candidate.site, containers) for vehicle in vehicles]
    return Visit(
        id=candidate.site.id,
        location=location,
        kg=candidate.kg,
        litres=candidate.litres,
        service_s=candidate.service_s,
        windows=visit_windows(snapshot.service, candidate.site, snapshot.day, candidate.service_s),
        prize_eur=candidate.prize_eur,
        trucks=None if all(able) else frozenset(i for i, can in enumerate(able) if can),
        lifts=len(containers),
    )


def _compartments(snapshot: DaySnapshot, vehicle: DeclaredVehicle) -> tuple[Compartment, ...]:
    """Levels are estimates, so a share of each compartment is kept free for what surprises."""
    fractions = snapshot.service.fractions
    usable = 1 - snapshot.service.load_reserve
    parts = (
        (frozenset(i for i, name in enumerate(fractions) if name in part.fractions), part)
        for part in vehicle.compartments
    )
    return tuple(
        Compartment(taken, part.capacity_kg * usable, part.capacity_l * usable)
        for taken, part in parts
        if taken
    )


def _truck(snapshot: DaySnapshot, vehicle: DeclaredVehicle) -> Truck:
    shift = TimeWindow(seconds_of_day(vehicle.shift_start), seconds_of_day(vehicle.shift_end))
    latest = None if vehicle.latest_start is None else seconds_of_day(vehicle.latest_start)
    rules = day_rules(
        snapshot.service.rule_profile, shift, latest_start_s=latest,
        divided=snapshot.service.divided_breaks,
    )  # fmt: skip
    limits = [limit for limit in (rules.max_tour_s, _seconds(vehicle.max_hours)) if limit]
    return Truck(
        id=vehicle.id,
        start=0,
        end=0,
        shift=rules.shift,
        compartments=_compartments(snapshot, vehicle),
        payload_kg=vehicle.payload_kg * (1 - snapshot.service.load_reserve),
        breaks=rules.breaks,
        break_options=rules.break_options,
        latest_start_s=latest,
        max_tour_s=min(limits, default=None),
        max_stops=vehicle.max_stops,
        max_litres=vehicle.max_litres,
        max_driving_s=rules.max_driving_s,
        max_driving_between_breaks_s=rules.max_driving_between_breaks_s,
        driving_rule=rules.driving_rule,
        fixed_eur=vehicle.fixed_eur_per_day,
        eur_per_km=vehicle.eur_per_km,
        eur_per_h=vehicle.eur_per_h,
        overtime_after_s=_seconds(vehicle.overtime_after_h),
        overtime_eur_per_h=vehicle.overtime_eur_per_h,
        overnight_load_allowed=vehicle.overnight_load_allowed,
        energy=_energy(vehicle),
    )


def _seconds(hours: float | None) -> int | None:
    return None if hours is None else round(hours * 3600)


def _energy(vehicle: DeclaredVehicle) -> Energy | None:
    if vehicle.battery_kwh is None:
        return None
    return Energy(
        vehicle.morning_kwh, vehicle.kwh_per_km, vehicle.kwh_per_lift, vehicle.reserve_kwh
    )
