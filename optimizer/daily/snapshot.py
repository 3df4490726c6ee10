"""Everything that a day's plan depends on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import numpy as np

from config.region import Container, Depot, Region, Service, Site, Vehicle
from config.region_access import can_serve
from optimizer.fill.belief import Belief, Population
from optimizer.fill.evidence import Emptyings, Readings
from optimizer.fill.exposure import Exposure

MEMORY_DAYS = 120  # what a container does longer than this without news does not matter
HORIZON_DAYS = 30  # how far belief looks ahead


def instant(region: Region, day: date, second: float) -> datetime:
    """Return the instant, in UTC, of a second of the region's wall-clock day."""
    wall = datetime.combine(day, time()) + timedelta(seconds=second)
    return wall.replace(tzinfo=region.time_zone).astimezone(UTC)


def containers_of(region: Region, service: Service, depot: Depot) -> tuple[Container, ...]:
    """Return the containers that a depot collects for a service, in the region's order.

    Where several depots have vehicles for the service, each site belongs to the nearest of those
    that have one which gets to it and can lift all that stands there.
    """
    fractions = set(service.fractions)
    mine = [container for container in region.containers if container.fraction in fractions]
    active = {vehicle.depot for vehicle in region.vehicles if service.id in vehicle.services}
    depots = [other for other in region.depots if other.id in active or other.id == depot.id]
    if len(depots) == 1:
        return tuple(mine)
    fleets = {
        other.id: [v for v in region.vehicles if v.depot == other.id and service.id in v.services]
        for other in depots
    }
    standing: dict[str, list[Container]] = {}
    for container in mine:
        standing.setdefault(container.site, []).append(container)
    nearest: dict[str, str] = {}
    for name, containers in standing.items():
        site = region.site_by_id[name]
        able = [d for d in depots if any(can_serve(v, site, containers) for v in fleets[d.id])]
        nearest[name] = min(able or depots, key=lambda other: _apart(site, other)).id
    return tuple(container for container in mine if nearest[container.site] == depot.id)


def _apart(site: Site, depot: Depot) -> float:
    narrowing = float(np.cos(np.radians(site.lat)))
    return ((site.lon - depot.lon) * narrowing) ** 2 + (site.lat - depot.lat) ** 2


@dataclass(frozen=True, eq=False)
class DaySnapshot:
    """What is known when a day is planned.

    Attributes:
        day: the day to plan, in the region's zone.
        decided_at: the instant of the decision; nothing later is known.
        readings: indices are into `containers`; likewise in `emptyings`.
        vehicles: those that can be used on this day.
        closed: ids of facilities that are closed beyond their usual hours.
        belief: what was believed before the readings and emptyings; None starts from the
            fractions' priors.
    """

    region: Region
    service: Service
    depot: Depot
    day: date
    decided_at: datetime
    readings: Readings
    emptyings: Emptyings
    vehicles: tuple[Vehicle, ...]
    closed: frozenset[str] = frozenset()
    belief: Belief | None = None

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """The containers in question; see `containers_of`."""
        return containers_of(self.region, self.service, self.depot)

    @cached_property
    def population(self) -> Population:
        """What is known of the containers without having seen anything of them."""
        fractions = [self.region.fraction_by_id[name] for name in self.service.fractions]
        rows = {fraction.id: row for row, fraction in enumerate(fractions)}
        row = np.array([rows[container.fraction] for container in self.containers], np.intp)
        medians = np.log([fraction.fill_per_day for fraction in fractions])
        deviations = np.array([fraction.fill_per_day_log_sd for fraction in fractions])
        exposure = Exposure.of(
            fractions,
            self.region.zone,
            self.day - timedelta(days=MEMORY_DAYS),
            self.day + timedelta(days=HORIZON_DAYS),
        )
        return Population(row, medians[row], deviations[row] ** 2, exposure)
