"""Finds what a plan names in a region: vehicles, sites, containers, facilities, coordinates."""

import math
from collections.abc import Sequence
from functools import cached_property

from config.earth import M_PER_DEGREE
from config.region import Container, Depot, Facility, Region, Service, Site
from optimizer.certify.given import Action, GivenStop, GivenTour
from optimizer.certify.stop import Stop

NEAR_M = 50.0  # coordinates without a name mean the site or facility within this distance


class Finder:
    """Finds what a plan names in a region."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.vehicles = {vehicle.id: vehicle for vehicle in region.vehicles}
        self.depots = {depot.id: depot for depot in region.depots}
        self._facilities = {facility.id: facility for facility in region.facilities}
        self._containers = {container.id: container for container in region.containers}
        self._at: dict[str, list[Container]] = {}
        for container in region.containers:
            self._at.setdefault(container.site, []).append(container)

    @cached_property
    def place_ids(self) -> list[str]:
        """Everything that a stop can name."""
        return [*self.region.site_by_id, *self._facilities, *self._containers, *self.depots]

    def services_of(self, tour: GivenTour) -> tuple[Service, ...]:
        """Return the services that a tour can be one of; all where nothing narrows it down."""
        vehicle = self.vehicles.get(tour.vehicle)
        mine = [one for one in self.region.services if not vehicle or one.id in vehicle.services]
        named = [one for one in self.region.services if one.id == tour.service]
        return tuple(named or mine)

    def stops(self, tour: GivenTour) -> tuple[Stop, ...]:
        """Find the stops of a tour."""
        fractions = {name for one in self.services_of(tour) for name in one.fractions}
        vehicle = self.vehicles.get(tour.vehicle)
        home = self.depots.get(vehicle.depot) if vehicle else None
        return tuple(self._stop(stop, fractions, home) for stop in tour.stops)

    def _stop(self, given: GivenStop, fractions: set[str], home: Depot | None) -> Stop:
        if given.action in (Action.BREAK, Action.REVERSE):
            return self._on_the_way(given, given.action)
        if given.action in (Action.START, Action.END):
            depot = self.depots.get(given.place or "", home)
            point = _point(given) or (depot and (depot.lon, depot.lat)) or None
            return Stop(given, given.action, depot.id if depot else given.action.value, point)
        place = given.place or self._near(given)
        facility, depot = self._facilities.get(place or ""), self.depots.get(place or "")
        if facility and given.action is not Action.COLLECT:
            at = _point(given) or (facility.lon, facility.lat)
            return Stop(given, given.action or Action.UNLOAD, facility.id, at, facility=facility)
        if depot and given.action is None:
            return Stop(given, Action.START, depot.id, (depot.lon, depot.lat))
        return self._collect(given, place, fractions)

    def _on_the_way(self, given: GivenStop, action: Action) -> Stop:
        """A break or a stretch in reverse; where it is at a place of the region, that is told."""
        container = self._containers.get(given.place or "")
        site = self.region.site_by_id.get(container.site if container else given.place or "")
        return Stop(given, action, given.place or action.value, _point(given), site)

    def _collect(self, given: GivenStop, place: str | None, fractions: set[str]) -> Stop:
        container = self._containers.get(place or "")
        site = self.region.site_by_id.get(container.site if container else place or "")
        name = place or "{:.5f}, {:.5f}".format(*(_point(given) or (math.nan, math.nan)))
        action = given.action or Action.COLLECT
        if site is None or action is Action.UNLOAD:
            return Stop(given, action, name, _point(given), unknown=(name,))
        here = self._at.get(site.id, [])
        known = {one.id: one for one in here}
        if given.containers:
            chosen = [known[one] for one in given.containers if one in known]
        elif container:
            chosen = [container]
        else:
            wanted = _wanted(given) or fractions
            chosen = [one for one in here if one.fraction in wanted]
        return Stop(
            given, action, name, _point(given) or (site.lon, site.lat), site,
            containers=tuple(chosen),
            unknown=tuple(f"{one} at {site.id}" for one in given.containers if one not in known),
        )  # fmt: skip

    def at(self, site: Site) -> Sequence[Container]:
        """Return the containers of a site."""
        return self._at.get(site.id, ())

    def _near(self, given: GivenStop) -> str | None:
        """Return the site or facility next to a stop's coordinates."""
        point = _point(given)
        if point is None:
            return None
        places: list[Site | Facility] = []
        if given.action is not Action.UNLOAD:
            places += self.region.sites
        if given.action is not Action.COLLECT:
            places += self.region.facilities
        nearest = min(places, key=lambda place: apart_m(point, (place.lon, place.lat)))
        return nearest.id if apart_m(point, (nearest.lon, nearest.lat)) <= NEAR_M else None


def apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the straight distance of two near points of longitude and latitude."""
    east = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return math.hypot(east, one[1] - other[1]) * M_PER_DEGREE


def _point(given: GivenStop) -> tuple[float, float] | None:
    if given.lon is None or given.lat is None:
        return None
    return given.lon, given.lat


def _wanted(given: GivenStop) -> set[str]:
    """Return the fractions that a plan says it collects at a stop."""
    if given.fraction:
        return {given.fraction}
    amounts = (*given.kg_by.items(), *given.litres_by.items())
    return {name for name, amount in amounts if amount > 0}
