"""Whether a vehicle can do its tour: shift, limits of a day, access to each site, battery."""

from collections.abc import Iterator

from config.region import Vehicle, seconds_of_day
from config.region_access import LIMITS, can_serve
from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotApplied, NotJudged, Outcome
from optimizer.certify.loading import LITRES_BY, litres_of
from optimizer.certify.plausibility import ROADS
from optimizer.certify.stop import Stop
from optimizer.check.report import clock
from optimizer.explain import Text

NO_BATTERY = Text("the vehicle has no battery", "der Wagen hat keine Batterie")
NO_LIMIT = Text("the vehicle has no such limit", "der Wagen hat keine solche Grenze")


def shift(case: Case) -> Iterator[Outcome]:
    """Judge whether the tour lies within its vehicle's shift."""
    vehicle = case.vehicle
    if vehicle is None:
        return
    tour = case.times
    earliest, latest = seconds_of_day(vehicle.shift_start), seconds_of_day(vehicle.shift_end)
    early = tour.start_s < earliest
    if early or tour.end_s > latest:
        yield Finding(
            "shift", case.name,
            value=tour.start_s if early else tour.end_s,
            limit=earliest if early else latest,
            facts={
                "begins": clock(tour.start_s), "ends": clock(tour.end_s),
                "earliest": clock(earliest), "latest": clock(latest),
            },
        )  # fmt: skip


def day_hours(case: Case) -> Iterator[Outcome]:
    """Judge the time from leaving to being back."""
    most = case.vehicle.max_hours if case.vehicle else None
    if most is None:
        yield NotApplied("day-hours", case.name, NO_LIMIT)
        return
    value = case.times.end_s - case.times.start_s
    if value > most * 3600:
        yield Finding("day-hours", case.name, value=value, limit=most * 3600)


def day_stops(case: Case) -> Iterator[Outcome]:
    """Judge how many sites are served in a day."""
    most = case.vehicle.max_stops if case.vehicle else None
    if most is None:
        yield NotApplied("day-stops", case.name, NO_LIMIT)
        return
    value = len(case.collects)
    if value > most:
        yield Finding("day-stops", case.name, value=value, limit=most)


def day_litres(case: Case) -> Iterator[Outcome]:
    """Judge the volume of all trips of a day."""
    most = case.vehicle.max_litres if case.vehicle else None
    if most is None:
        yield NotApplied("day-litres", case.name, NO_LIMIT)
        return
    amounts = [litres_of(case, stop) for stop in case.collects]
    known = [sum(one.values()) for one in amounts if one is not None]
    if len(known) < len(amounts):
        yield NotJudged("day-litres", case.name, LITRES_BY)
        return
    if sum(known) > most:
        yield Finding("day-litres", case.name, value=sum(known), limit=most)


def access(case: Case) -> Iterator[Outcome]:
    """Judge whether the vehicle gets to each site, and can lift what stands there."""
    vehicle = case.vehicle
    if vehicle is None:
        return
    for stop in case.collects:
        if stop.site is None or can_serve(vehicle, stop.site, stop.containers):
            continue
        facts: dict[str, str | Text] = {"vehicle": vehicle.id, "why": _obstacle(vehicle, stop)}
        yield Finding("vehicle-access", case.name, stop.name, stop.given.line, facts=facts)


def _obstacle(vehicle: Vehicle, stop: Stop) -> Text:
    for limit, measure in LIMITS.items():
        most, own = getattr(stop.site, limit), getattr(vehicle, measure)
        if most is not None and own is None:
            return Text(f"its {measure} is not declared", f"{measure} ist nicht angegeben")
        if most is not None and own > most:
            return Text(
                f"its {measure} is {own:g}, {limit} is {most:g}",
                f"{measure} ist {own:g}, {limit} ist {most:g}",
            )
    if vehicle.side_loader and stop.site is not None and not stop.site.curb:
        return Text(
            "a side loader serves the curb on its right only",
            "ein Seitenlader bedient nur den Bordstein rechts",
        )
    return Text("it has no crane", "er hat keinen Kran")


def energy(case: Case) -> Iterator[Outcome]:
    """Judge whether the morning's charge lasts for the way by the roads, and for what is lifted."""
    vehicle = case.vehicle
    if vehicle is None or vehicle.battery_kwh is None:
        yield NotApplied("energy", case.name, NO_BATTERY)
        return
    lengths = [road.length_m if road else None for road in case.roads[1:]]
    known = [one for one in lengths if one is not None]
    if len(known) < len(lengths):
        yield NotJudged("energy", case.name, ROADS)
        return
    lifts = sum(len(stop.containers) for stop in case.collects)
    value = sum(known) / 1000 * vehicle.kwh_per_km + lifts * vehicle.kwh_per_lift
    limit = vehicle.morning_kwh - vehicle.reserve_kwh
    if value > limit:
        yield Finding("energy", case.name, value=value, limit=limit)
