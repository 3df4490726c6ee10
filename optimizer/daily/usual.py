"""What emptying one container usually costs, from a region's facts alone.

On a usual day each container is emptied once per volume that falls in. A tour through the m
sites of such a day is about 0.7124 sqrt(m A) long, A being the area over which the sites are
spread. That such a limit exists was proved by Beardwood, Halton and Hammersley (1959); the value of
the constant is from experiments (Johnson, McGeoch and Rothberg 1996; Percus and Martin 1996).
"""

import math
from collections.abc import Sequence
from statistics import mean

import numpy as np

from config.earth import RADIUS_M
from config.region import Container, Region, Service, Site, Vehicle, seconds_of_day
from optimizer.roads.haversine import CIRCUITY, S_PER_M, START_S

TOUR_CONSTANT = 0.7124  # of the shortest tour through many random points; see above
SHARED = 0.75  # of a site's containers that one visit empties, as found in studies


def usual_eur(
    region: Region,
    service: Service,
    containers: Sequence[Container],
    vehicles: Sequence[Vehicle],
) -> float:
    """Return the usual cost of emptying one container: its share of a usual day."""
    sites = [region.site_by_id[name] for name in {container.site for container in containers}]
    emptied, kg = _a_day(region, service, containers)
    visits = emptied / max(1.0, SHARED * len(containers) / len(sites))
    straight_m = TOUR_CONSTANT * math.sqrt(_area_m2(sites) * visits)
    work_s = emptied * service.container_s + visits * (service.site_s + START_S)
    work_s += straight_m * S_PER_M
    shift_s = mean(seconds_of_day(v.shift_end) - seconds_of_day(v.shift_start) for v in vehicles)
    trucks = max(1.0, work_s / shift_s)
    unloadings = max(trucks, kg / mean(vehicle.payload_kg for vehicle in vehicles))
    work_s += unloadings * _unload_s(region, service)
    day_eur = trucks * mean(vehicle.fixed_eur_per_day for vehicle in vehicles)
    day_eur += work_s / 3600 * mean(vehicle.eur_per_h for vehicle in vehicles)
    day_eur += straight_m * CIRCUITY / 1000 * mean(vehicle.eur_per_km for vehicle in vehicles)
    return day_eur / emptied


def _a_day(
    region: Region, service: Service, containers: Sequence[Container]
) -> tuple[float, float]:
    """Return emptyings and kilograms of a usual collection day, by the fractions' priors."""
    emptied = kg = 0.0
    for container in containers:
        fraction = region.fraction_by_id[container.fraction]
        rate = fraction.fill_per_day * math.exp(fraction.fill_per_day_log_sd**2 / 2)
        share = rate * 7 / len(service.collection_days)
        emptied += share
        kg += share * container.volume_l / 1000 * fraction.container_kg_per_m3
    return emptied, kg


def _unload_s(region: Region, service: Service) -> float:
    wanted = set(service.fractions)
    times = [place.unload_s for place in region.facilities if wanted & set(place.accepts)]
    return mean(times) if times else 0.0


def _area_m2(sites: Sequence[Site]) -> float:
    """Return the area of the ellipse that is spread like the sites."""
    lon_lat = np.radians([(site.lon, site.lat) for site in sites])
    x = lon_lat[:, 0] * math.cos(float(lon_lat[:, 1].mean()))
    spread = np.cov(np.stack([x, lon_lat[:, 1]]), bias=True) * RADIUS_M**2
    return 4 * math.pi * math.sqrt(max(float(np.linalg.det(spread)), 0.0))
