"""What emptying one container usually costs, from a region's facts alone.

On a usual day each container is emptied once per volume that falls in. The tour through the m
sites of such a day has about 0.7124 sqrt(m A) of length (Beardwood, Halton, Hammersley 1959),
A being the area over which the sites are spread. Unloading and the day's fixed costs are left
aside: they follow the waste, not the choice of the day.
"""

import math
from collections.abc import Sequence

import numpy as np

from config.region import Container, Region, Service, Site, Vehicle
from optimizer.roads.haversine import CIRCUITY, EARTH_RADIUS_M, S_PER_M, START_S

TOUR_CONSTANT = 0.7124
SHARED = 0.75  # of a site's containers that one visit empties, as measured in studies


def usual_eur(
    region: Region,
    service: Service,
    containers: Sequence[Container],
    vehicles: Sequence[Vehicle],
) -> float:
    """Return the usual cost of emptying one container, the way to its site included."""
    eur_per_s = float(np.mean([vehicle.eur_per_h for vehicle in vehicles])) / 3600
    eur_per_m = float(np.mean([vehicle.eur_per_km for vehicle in vehicles])) / 1000
    sites = [region.site_by_id[name] for name in {container.site for container in containers}]
    emptied_a_visit = max(1.0, SHARED * len(containers) / len(sites))
    visits_a_day = _emptyings_a_day(region, service, containers) / emptied_a_visit
    straight_m = TOUR_CONSTANT * math.sqrt(_area_m2(sites) / max(visits_a_day, 1.0))
    leg_eur = straight_m * CIRCUITY * eur_per_m + (START_S + straight_m * S_PER_M) * eur_per_s
    stop_eur = service.site_s * eur_per_s + leg_eur
    return service.container_s * eur_per_s + stop_eur / emptied_a_visit


def _emptyings_a_day(region: Region, service: Service, containers: Sequence[Container]) -> float:
    """Return the volumes that fall in per collection day, by the fractions' priors."""
    fractions = [region.fraction_by_id[container.fraction] for container in containers]
    rates = [f.fill_per_day * math.exp(f.fill_per_day_log_sd**2 / 2) for f in fractions]
    return sum(rates) * 7 / len(service.collection_days)


def _area_m2(sites: Sequence[Site]) -> float:
    """Return the area of the ellipse that is spread like the sites."""
    lon_lat = np.radians([(site.lon, site.lat) for site in sites])
    x = lon_lat[:, 0] * math.cos(float(lon_lat[:, 1].mean()))
    spread = np.cov(np.stack([x, lon_lat[:, 1]]), bias=True) * EARTH_RADIUS_M**2
    return 4 * math.pi * math.sqrt(max(float(np.linalg.det(spread)), 0.0))
