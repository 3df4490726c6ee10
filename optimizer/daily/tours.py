"""From the judge's report to tours as people drive them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from config.region import Facility, Site
from optimizer.check import Report, TimedBreak, TimedTour
from optimizer.daily.decision import Decision
from optimizer.daily.explained import Explainer
from optimizer.daily.problem import DayProblem
from optimizer.daily.result import PlannedStop, PlannedTour
from optimizer.explain import slacks, trip_loads
from optimizer.road_times import TravelTimes


def planned_tours(
    day: DayProblem,
    report: Report,
    decision: Decision,
    travel: TravelTimes | None,
    explainer: Explainer | None,
) -> tuple[PlannedTour, ...]:
    """Return all tours; with geometry if travel times are given, explained by an explainer."""
    return tuple(_tour(day, timed, decision, travel, explainer) for timed in report.tours)


def _tour(
    day: DayProblem,
    timed: TimedTour,
    decision: Decision,
    travel: TravelTimes | None,
    explainer: Explainer | None,
) -> PlannedTour:
    vehicle = day.vehicles[timed.truck]
    rest_h = sum(one.end_s - one.start_s for one in timed.breaks) / 3600
    fuel_l = timed.km * vehicle.litres_per_km + (timed.hours - rest_h) * vehicle.litres_per_h
    return PlannedTour(
        vehicle=vehicle.id,
        start_s=timed.start_s,
        end_s=timed.end_s,
        stops=tuple(_stops(day, timed, decision, explainer)),
        trips=sum(bool(trip.facilities) for trip in timed.trips),
        km=timed.km,
        hours=timed.hours,
        driving_s=timed.driving_s,
        kg=sum(sum(trip.kg) for trip in timed.trips),
        eur=timed.cost_eur,
        fuel_l=fuel_l,
        co2e_kg=fuel_l * vehicle.kg_co2e_per_litre,
        legs=_geometry(day, timed, travel) if travel else (),
        loads=trip_loads(day.problem, timed),
        slacks=slacks(day.problem, timed),
    )


def _geometry(
    day: DayProblem, timed: TimedTour, travel: TravelTimes
) -> tuple[NDArray[np.float64], ...]:
    problem = day.problem
    truck = problem.trucks[timed.truck]
    way = [truck.start, *(problem.location(one.node) for one in timed.nodes), truck.end]
    return travel.route(day.places.take(way)).legs


def _stops(
    day: DayProblem, timed: TimedTour, decision: Decision, explainer: Explainer | None
) -> Iterator[PlannedStop]:
    """Yield visits, unloadings and breaks in the order in which they begin."""
    number = 0
    load_kg, load_l = (np.zeros(len(day.problem.fractions)) for _ in range(2))
    for position, node in enumerate(timed.nodes):
        for rest in _breaks(timed, position):
            number += 1
            yield _break(number, rest, load_kg, load_l)
        number += 1
        visits = day.problem.is_visit(node.node)
        kg, litres = _moved(day, node.node, load_kg, load_l)
        sign = 1 if visits else -1
        load_kg, load_l = load_kg + sign * kg, load_l + sign * litres
        place, containers = _place(day, node.node, decision)
        yield PlannedStop(
            number=number,
            kind="visit" if visits else "unload",
            id=node.id,
            name=place.name,
            lon=place.lon,
            lat=place.lat,
            arrival_s=node.arrival_s,
            start_s=node.start_s,
            departure_s=node.departure_s,
            containers=containers,
            kg=float(kg.sum()),
            litres=float(litres.sum()),
            load_kg=float(load_kg.sum()),
            load_l=float(load_l.sum()),
            leg_s=node.leg_s,
            leg_m=node.leg_m,
            why=explainer.visit(timed, position) if visits and explainer else None,
        )
    for rest in _breaks(timed, len(timed.nodes)):
        number += 1
        yield _break(number, rest, load_kg, load_l)


def _breaks(timed: TimedTour, leg: int) -> Iterator[TimedBreak]:
    return (one for one in timed.breaks if one.leg == leg)


def _break(
    number: int, rest: TimedBreak, load_kg: NDArray[np.float64], load_l: NDArray[np.float64]
) -> PlannedStop:
    return PlannedStop(
        number=number,
        kind="break",
        id=rest.rule,
        name=rest.rule,
        lon=None,
        lat=None,
        arrival_s=rest.start_s,
        start_s=rest.start_s,
        departure_s=rest.end_s,
        load_kg=float(load_kg.sum()),
        load_l=float(load_l.sum()),
    )


def _moved(
    day: DayProblem, node: int, load_kg: NDArray[np.float64], load_l: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is loaded at a visit, or unloaded at a facility, per fraction."""
    if day.problem.is_visit(node):
        visit = day.problem.visit(node)
        return np.array(visit.kg), np.array(visit.litres)
    accepts = day.problem.facility(node).accepts
    taken = np.array([fraction in accepts for fraction in range(len(load_kg))])
    return load_kg * taken, load_l * taken


def _place(
    day: DayProblem, node: int, decision: Decision
) -> tuple[Site | Facility, tuple[str, ...]]:
    if day.problem.is_visit(node):
        candidate = day.candidates[node]
        return candidate.site, decision.container_ids(candidate.containers)
    return day.facilities[node - len(day.candidates)], ()
