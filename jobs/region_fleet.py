"""Sizes a new region's fleet: enough trucks for a day after a weekend, by rule of thumb."""

import math
from collections.abc import Iterable, Sequence

from config.earth import M_PER_DEGREE
from config.region import (
    Compartment,
    Container,
    Fraction,
    Service,
    Site,
    Vehicle,
    seconds_of_day,
)
from config.region_defaults import Defaults
from optimizer.roads.haversine import CIRCUITY

_FILL_AT_VISIT = 0.7  # mean fill at which containers are emptied
_PEAK = 1.5  # a Monday against the mean of the service's days
_USABLE = 0.75  # of a shift: the rest are breaks and a plan that is not perfect
_TRANSIT_MPS = 25 / 3.6  # urban transit, 25 km/h


def fleet(
    defaults: Defaults,
    services: Iterable[Service],
    sites: Sequence[Site],
    containers: Sequence[Container],
) -> list[Vehicle]:
    """Return trucks for each service, numbered from 1."""
    return [
        _truck(defaults.truck_for(service.id), service, number)
        for service in services
        for number in range(1, _trucks(defaults, service, sites, containers) + 1)
    ]


def _truck(kind: Vehicle, service: Service, number: int) -> Vehicle:
    return kind.model_copy(
        update={
            "id": f"{service.id}-{number}",
            "name": f"{kind.name} ({service.name_en} {number})",
            "services": (service.id,),
            "compartments": tuple(_compartments(kind, service)),
        }
    )


def _compartments(kind: Vehicle, service: Service) -> Iterable[Compartment]:
    for compartment in kind.compartments:
        fractions = tuple(f for f in compartment.fractions if f in service.fractions)
        if fractions:
            yield compartment.model_copy(update={"fractions": fractions})


def _trucks(
    defaults: Defaults, service: Service, sites: Sequence[Site], containers: Sequence[Container]
) -> int:
    """Return how many shifts the work of a busy day fills."""
    mine = [container for container in containers if container.fraction in service.fractions]
    places = {container.site for container in mine}
    kind = defaults.truck_for(service.id)
    gap_days = 7 / len(service.collection_days)
    emptied = sum(_fill(defaults.fractions[c.fraction]) for c in mine) * gap_days / _FILL_AT_VISIT
    stops = emptied * len(places) / len(mine)
    litres = sum(_litres(defaults.fractions[c.fraction], c) for c in mine) * gap_days
    trips = litres / sum(compartment.capacity_l for compartment in kind.compartments)
    extent_m = _extent_m([site for site in sites if site.id in places])
    hop_s = CIRCUITY * extent_m / math.sqrt(max(stops, 1)) / _TRANSIT_MPS
    haul_s = CIRCUITY * 2 * extent_m / _TRANSIT_MPS + defaults.facility.unload_s
    work_s = emptied * service.container_s + stops * (service.site_s + hop_s) + trips * haul_s
    shift_s = seconds_of_day(kind.shift_end) - seconds_of_day(kind.shift_start)
    return max(1, math.ceil(work_s * _PEAK / (shift_s * _USABLE)))


def _fill(fraction: Fraction) -> float:
    """Return the mean share of a container's volume per day (the fact is the median)."""
    return fraction.fill_per_day * math.exp(fraction.fill_per_day_log_sd**2 / 2)


def _litres(fraction: Fraction, container: Container) -> float:
    """Return the litres per day as they lie in the truck."""
    packed = fraction.container_kg_per_m3 / fraction.truck_kg_per_m3
    return container.volume_l * _fill(fraction) * packed


def _extent_m(sites: Sequence[Site]) -> float:
    """Return the side of a square as large as the sites' bounding box."""
    lons, lats = [site.lon for site in sites], [site.lat for site in sites]
    east = (max(lons) - min(lons)) * math.cos(math.radians(lats[0]))
    return math.sqrt(east * (max(lats) - min(lats))) * M_PER_DEGREE
