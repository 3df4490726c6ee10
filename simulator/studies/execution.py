"""A planned day in the simulated world, without its every second: what is really emptied."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from config.region import Region, Vehicle
from optimizer.daily import DayPlan, PlannedStop, PlannedTour, instant
from simulator.load import Load
from simulator.waste import Waste


class Lift(NamedTuple):
    """A container that was to be emptied.

    Attributes:
        which: index into the world's containers.
        done: False when the truck was full.
    """

    which: int
    time: float
    fill: float
    kg: float
    done: bool


def execute(plan: DayPlan, waste: Waste) -> list[Lift]:
    """Drive a plan's tours on time, empty the containers that fit in, and return the lifts."""
    region, day = plan.snapshot.region, plan.snapshot.day
    vehicles = {vehicle.id: vehicle for vehicle in region.vehicles}
    lifts = [
        lift
        for tour in plan.tours
        for lift in _tour(tour, vehicles[tour.vehicle], waste, region, day)
    ]
    done = [lift for lift in lifts if lift.done]
    waste.empty([lift.which for lift in done], [lift.time for lift in done])
    return lifts


def _tour(
    tour: PlannedTour, vehicle: Vehicle, waste: Waste, region: Region, day: date
) -> Iterator[Lift]:
    load = Load(vehicle, region)
    accepts = {facility.id: facility.accepts for facility in region.facilities}
    for stop in tour.stops:
        if stop.kind == "unload":
            load.unload(accepts[stop.id])
        for number, name in enumerate(stop.containers, 1):
            which = waste.index[name]
            at = instant(region, day, _second(stop, number)).timestamp()
            kg, fraction = waste.kg(which, at), waste.containers[which].fraction
            fits = load.takes(fraction, kg)
            if fits:
                load.add(fraction, kg)
            yield Lift(which, at, float(waste.level(which, at)), kg, fits)


def _second(stop: PlannedStop, number: int) -> float:
    return stop.start_s + stop.service_s * number / (len(stop.containers) + 1)
