"""What all replications of a study share: the region as the scenario has it, and its roads."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from config.errors import FileFormatError, RoadsError
from config.region import Container, Region, Service
from config.region_folder import load_region
from optimizer.daily import SlicedTravel
from optimizer.road_times import Matrix, Places, ProviderInfo, Route, Snapped, TravelTimes
from simulator import chance
from simulator.studies.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Base:
    """A region, one of its services, and the travel times between all its places.

    It holds data only, so that it can be handed to other processes; the road engine stays
    behind.
    """

    region: Region
    service: Service
    places: Places
    snapped: Snapped
    matrix_of_all: Matrix
    info: ProviderInfo

    @classmethod
    def of(cls, region: Region, service: Service, travel: TravelTimes) -> Self:
        """Ask the road engine once for everything."""
        doors = [(d.lon, d.lat, False) for d in region.depots]
        doors += [(f.lon, f.lat, False) for f in region.facilities]
        distinct = list(dict.fromkeys(doors + [(s.lon, s.lat, s.curb) for s in region.sites]))
        places = Places.of([spot[:2] for spot in distinct], [spot[2] for spot in distinct])
        return cls(region, service, places, travel.snap(places), travel.matrix(places), travel.info)

    def travel(self) -> TravelTimes:
        """Return travel times that answer for all places of the region."""
        return SlicedTravel(_Known(self), self.places)


class _Known:
    """Travel times between exactly the places of a base."""

    def __init__(self, base: Base) -> None:
        self._base = base

    @property
    def info(self) -> ProviderInfo:
        return self._base.info

    def snap(self, places: Places) -> Snapped:
        return self._base.snapped

    def matrix(self, places: Places) -> Matrix:
        return self._base.matrix_of_all

    def route(self, places: Places) -> Route:
        raise RoadsError("a study keeps travel times, no geometry; plan the day for that")


def region_of(scenario: Scenario) -> tuple[Region, Service]:
    """Return the scenario's region, reduced and changed as it says, and its service.

    Raises:
        RegionError: there is no such region, or it has mistakes.
        FileFormatError: the scenario asks for what the region does not have.
    """
    region = load_region(scenario.region)
    service = _service(scenario, region)
    containers = _drawn(scenario, region, service)
    kept = {container.site for container in containers}
    region = _with(
        region,
        services=(service,),
        fractions=tuple(
            fraction.model_copy(
                update={"fill_per_day": fraction.fill_per_day * scenario.world.fill_factor}
            )
            for fraction in region.fractions
            if fraction.id in service.fractions
        ),
        vehicles=_vehicles(scenario, region, service),
        containers=containers,
        sites=tuple(site for site in region.sites if site.id in kept),
    )
    return region, service


def _with(region: Region, **changes: Any) -> Region:
    return Region(
        **{**{name: getattr(region, name) for name in type(region).model_fields}, **changes}
    )


def _service(scenario: Scenario, region: Region) -> Service:
    wanted = scenario.service or region.services[0].id
    found = next((service for service in region.services if service.id == wanted), None)
    if found is None:
        known = ", ".join(service.id for service in region.services)
        raise FileFormatError(f"service: region {region.id} has no {wanted!r}, only: {known}")
    price = scenario.world.overflow_eur_per_day
    return found.model_copy(update={"overflow_eur_per_day": price}) if price else found


def _vehicles(scenario: Scenario, region: Region, service: Service) -> tuple[Any, ...]:
    able = [vehicle for vehicle in region.vehicles if service.id in vehicle.services]
    wanted = scenario.vehicles
    if wanted is None:
        return tuple(able)
    known = {vehicle.id: vehicle for vehicle in able}
    if missing := [name for name in wanted if name not in known]:
        raise FileFormatError(
            f"vehicles: region {region.id} has no {missing[0]!r} for {service.id}"
        )
    return tuple(known[name] for name in wanted)


def _drawn(scenario: Scenario, region: Region, service: Service) -> tuple[Container, ...]:
    """Return so many containers on whole sites; the draw is the same for all seeds.

    Raises:
        FileFormatError: the scenario asks for more than there are.
    """
    able = [c for c in region.containers if c.fraction in service.fractions]
    wanted = len(able) if scenario.containers is None else scenario.containers
    if wanted > len(able):
        raise FileFormatError(
            f"containers: the scenario asks for {wanted}, but region "
            f"{region.id} has {len(able)} for {service.id}"
        )
    if wanted == len(able):
        return tuple(able)
    sites = list(dict.fromkeys(container.site for container in able))
    order = np.argsort(chance.uniform(0, "sites", chance.keys(sites)))
    rank = {sites[place]: number for number, place in enumerate(order.tolist())}
    chosen = sorted(able, key=lambda container: rank[container.site])[: scenario.containers]
    kept = {container.id for container in chosen}
    return tuple(container for container in able if container.id in kept)
