"""What has to hold between the facts of a region; each fact is well formed by itself."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from config.earth import M_PER_DEGREE
from config.region import (
    WEEKDAYS,
    Depot,
    Facility,
    Fraction,
    RegionHead,
    Roads,
    Service,
    Vehicle,
    seconds_of_day,
)
from config.region_access import check_access
from config.region_containers import SITE_FIELDS, ContainerRow
from config.region_source import Declared, FactList, Mistakes, suggestion

FARTHEST_M = 100_000.0  # from the centre; farther away is a slip of the keyboard

Lists = Mapping[str, FactList]
Rows = Sequence[Declared[ContainerRow]]


def check_together(
    head: Declared[RegionHead] | None, lists: Lists, rows: Rows, mistakes: Mistakes
) -> None:
    """Note everything that does not fit together."""
    _unique(lists, rows, mistakes)
    _references(lists, rows, mistakes)
    _same_site(rows, mistakes)
    if head is not None:
        _near_the_centre(head, [*lists["depots"], *lists["facilities"], *rows], mistakes)
    if all(facts.complete for facts in lists.values()):
        for service in lists["services"]:
            _has_vehicles(service, lists, mistakes)
            _has_facilities(service, lists, mistakes)
        for vehicle in lists["vehicles"]:
            _one_compartment_each(vehicle, mistakes)
            _can_do_its_services(vehicle, lists, mistakes)
        _collected_once(lists, mistakes)
        _useful_facilities(lists, mistakes)
        _fits_a_truck(lists, rows, mistakes)
        check_access(lists, rows, mistakes)


def _unique(lists: Lists, rows: Rows, mistakes: Mistakes) -> None:
    for facts in lists.values():
        no_repeat(((fact.value.id, fact) for fact in facts), "id", mistakes)
    no_repeat(((row.value.id, row) for row in rows), "id", mistakes)
    # A tour visits sites and facilities, and MQTT knows sensors and vehicles, each by one name.
    facilities = {fact.value.id for fact in lists["facilities"]}
    vehicles = {fact.value.id for fact in lists["vehicles"]}
    for row in rows:
        if row.value.site in facilities:
            mistakes.about(row, "site", f"{row.value.site!r} is the id of a facility")
        if row.value.sensor in vehicles:
            mistakes.about(row, "sensor", f"{row.value.sensor!r} is the id of a vehicle")
    sensors = ((row.value.sensor, row) for row in rows if row.value.sensor is not None)
    no_repeat(sensors, "sensor", mistakes)


def no_repeat(
    named: Iterable[tuple[str | None, Declared[Any]]], field: str, mistakes: Mistakes
) -> None:
    """Note names that were already taken."""
    first: dict[str | None, Declared[Any]] = {}
    for name, fact in named:
        if name in first:
            other = first[name]
            line = other.source.line((*other.path, field))
            mistakes.about(fact, field, f"{name!r} is already used in line {line}")
        first.setdefault(name, fact)


def _references(lists: Lists, rows: Rows, mistakes: Mistakes) -> None:
    for fact, path, name, kind in _references_in(lists, rows):
        if not lists[kind].may_hold(name):
            hint = suggestion(name, lists[kind].ids)
            mistakes.about(fact, path, f"no {name!r} among the {kind}{hint}")


def _references_in(
    lists: Lists, rows: Rows
) -> Iterator[tuple[Declared[Any], tuple[str | int, ...], str, str]]:
    """Yield (fact, field, the id it names, the list that has to hold that id)."""
    for fact in lists["services"]:
        yield from ((fact, ("fractions", i), f, "fractions") for i, f in _each(fact, "fractions"))
    for fact in lists["facilities"]:
        yield from ((fact, ("accepts", i), f, "fractions") for i, f in _each(fact, "accepts"))
    for fact in lists["vehicles"]:
        yield fact, ("depot",), fact.value.depot, "depots"
        yield from ((fact, ("services", i), s, "services") for i, s in _each(fact, "services"))
        for index, compartment in enumerate(fact.value.compartments):
            for i, fraction in enumerate(compartment.fractions):
                yield fact, ("compartments", index, "fractions", i), fraction, "fractions"
    yield from ((row, ("fraction",), row.value.fraction, "fractions") for row in rows)


def _each(fact: Declared[Any], field: str) -> Iterable[tuple[int, str]]:
    return enumerate(getattr(fact.value, field))


def _same_site(rows: Rows, mistakes: Mistakes) -> None:
    """The rows of a site have to describe the same place."""
    first: dict[str, Declared[ContainerRow]] = {}
    for row in rows:
        other = first.setdefault(row.value.site, row)
        for field in ("site_name", *SITE_FIELDS, "site_synthetic"):
            if getattr(row.value, field) != getattr(other.value, field):
                line = other.source.line((field,))
                message = f"differs from line {line}, which describes the same site"
                mistakes.about(row, field, message)


def _near_the_centre(
    head: Declared[RegionHead], places: Sequence[Declared[Any]], mistakes: Mistakes
) -> None:
    roads = head.value.roads
    far = [place for place in places if _distance_m(roads, place.value) > FARTHEST_M]
    if places and len(far) == len(places):
        limit = f"{FARTHEST_M / 1000:.0f} km"
        message = f"no place of the region is within {limit} of the centre; lon and lat swapped?"
        mistakes.about(head, ("roads", "centre_lon"), message)
        return
    for place in far:
        lon, lat = place.value.lon, place.value.lat
        if _distance_m(roads, place.value, swapped=True) <= FARTHEST_M:
            message = f"{lon}, {lat}: lon and lat are swapped"
        else:
            message = (
                f"{lon}, {lat}: {_distance_m(roads, place.value) / 1000:.0f} km from the centre"
            )
        mistakes.about(place, "lon", message)


def _distance_m(
    centre: Roads, place: Depot | Facility | ContainerRow, *, swapped: bool = False
) -> float:
    lon, lat = (place.lat, place.lon) if swapped else (place.lon, place.lat)
    east = (lon - centre.centre_lon) * math.cos(math.radians(centre.centre_lat))
    return math.hypot(east, lat - centre.centre_lat) * M_PER_DEGREE


def _collected_once(lists: Lists, mistakes: Mistakes) -> None:
    counts = Counter(f for service in lists["services"] for f in service.value.fractions)
    for fraction in lists["fractions"]:
        if counts[fraction.value.id] != 1:
            what = "more than once" if counts[fraction.value.id] else "by no service"
            mistakes.about(fraction, "id", f"{fraction.value.id!r} is collected {what}")


def _has_vehicles(service: Declared[Service], lists: Lists, mistakes: Mistakes) -> None:
    """Each depot with trucks of a service has to be able to carry all of its fractions."""
    fleet = [fact.value for fact in lists["vehicles"] if service.value.id in fact.value.services]
    if not fleet:
        mistakes.about(service, "id", f"no vehicle does service {service.value.id!r}")
    for depot in sorted({vehicle.depot for vehicle in fleet}):
        carried = {
            f for v in fleet if v.depot == depot for c in v.compartments for f in c.fractions
        }
        for index, fraction in enumerate(service.value.fractions):
            if fraction not in carried:
                message = f"no vehicle of depot {depot!r} has a compartment for {fraction!r}"
                mistakes.about(service, ("fractions", index), message)


def _one_compartment_each(vehicle: Declared[Vehicle], mistakes: Mistakes) -> None:
    seen: set[str] = set()
    for index, compartment in enumerate(vehicle.value.compartments):
        for fraction in compartment.fractions:
            if fraction in seen:
                path = ("compartments", index, "fractions")
                mistakes.about(vehicle, path, f"{fraction!r} has two compartments in this vehicle")
            seen.add(fraction)


def _can_do_its_services(vehicle: Declared[Vehicle], lists: Lists, mistakes: Mistakes) -> None:
    """A vehicle has room for, and is out during the hours of, each of its services."""
    services: dict[str, Service] = {fact.value.id: fact.value for fact in lists["services"]}
    carried = {f for part in vehicle.value.compartments for f in part.fractions}
    for index, name in enumerate(vehicle.value.services):
        service = services.get(name)
        if service and not carried & set(service.fractions):
            message = f"no compartment takes anything of {name!r}"
            mistakes.about(vehicle, ("services", index), message)
        if service and not (
            vehicle.value.shift_start < service.latest
            and service.earliest < vehicle.value.shift_end
        ):
            hours = f"{service.earliest:%H:%M} to {service.latest:%H:%M}"
            mistakes.about(vehicle, "shift_start", f"outside the hours of {name!r}, {hours}")


def _has_facilities(service: Declared[Service], lists: Lists, mistakes: Mistakes) -> None:
    """On each of a service's days there has to be an open facility for each fraction."""
    for index, fraction in enumerate(service.value.fractions):
        open_days = {
            day
            for fact in lists["facilities"]
            if fraction in fact.value.accepts
            for hours in fact.value.hours
            for day in hours.days
        }
        closed = [d for d in WEEKDAYS if d in service.value.collection_days and d not in open_days]
        if closed:
            when = f" on {', '.join(closed)}" if open_days else ""
            mistakes.about(service, ("fractions", index), f"no facility takes {fraction!r}{when}")


def _useful_facilities(lists: Lists, mistakes: Mistakes) -> None:
    collected = {f for service in lists["services"] for f in service.value.fractions}
    for facility in lists["facilities"]:
        _long_enough(facility, mistakes)
        if not collected & set(facility.value.accepts):
            mistakes.about(facility, "accepts", "nothing of it is collected by any service")


def _long_enough(facility: Declared[Facility], mistakes: Mistakes) -> None:
    """Unloading has to be over when a facility closes."""
    for index, hours in enumerate(facility.value.hours):
        if seconds_of_day(hours.closes) - seconds_of_day(hours.opens) < facility.value.unload_s:
            message = f"shorter than unload_s, {facility.value.unload_s} s"
            mistakes.about(facility, ("hours", index), message)


def _fits_a_truck(lists: Lists, rows: Rows, mistakes: Mistakes) -> None:
    """A full container has to fit into an empty truck."""
    fractions: dict[str, Fraction] = {fact.value.id: fact.value for fact in lists["fractions"]}
    rooms = {name: list(_rooms(fractions[name], lists["vehicles"])) for name in fractions}
    for row in rows:
        room = rooms.get(row.value.fraction)
        if room and row.value.volume_l > max(room):
            message = f"a full one does not fit into any truck (at most {max(room):.0f} l do)"
            mistakes.about(row, "volume_l", message)


def _rooms(fraction: Fraction, vehicles: Iterable[Declared[Vehicle]]) -> Iterator[float]:
    """Yield, for each compartment, the litres of full containers that an empty truck takes."""
    for vehicle in vehicles:
        for compartment in vehicle.value.compartments:
            if fraction.id in compartment.fractions:
                kg = min(compartment.capacity_kg, vehicle.value.payload_kg)
                kg = min(kg, compartment.capacity_l / 1000 * fraction.truck_kg_per_m3)
                yield kg / fraction.container_kg_per_m3 * 1000
