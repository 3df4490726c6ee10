"""Which vehicles get to a site and can empty its containers."""

from collections.abc import Iterable, Mapping, Sequence

from config.region import Container, Service, Site, Vehicle
from config.region_containers import ContainerRow
from config.region_source import Declared, FactList, Mistakes

LIMITS = {"max_width_m": "width_m", "max_height_m": "height_m", "max_gross_kg": "gross_kg"}
"""A site's limits, and what of a vehicle each of them limits."""


def can_serve(vehicle: Vehicle, site: Site, containers: Iterable[Container]) -> bool:
    """Whether a vehicle gets to a site and can lift its containers; carrying is another matter."""
    return (
        all(_within(vehicle, site, limit) for limit in LIMITS)
        and (site.curb or not vehicle.side_loader)
        and (vehicle.crane or not any(container.crane for container in containers))
    )


def _within(vehicle: Vehicle, site: Site, limit: str) -> bool:
    most, measure = getattr(site, limit), getattr(vehicle, LIMITS[limit])
    return most is None or (measure is not None and measure <= most)


def check_access(
    lists: Mapping[str, FactList], rows: Sequence[Declared[ContainerRow]], mistakes: Mistakes
) -> None:
    """Note containers that no vehicle of their service can serve."""
    fleets: dict[str, list[Vehicle]] = {}
    services: list[Service] = [fact.value for fact in lists["services"]]
    for service in services:
        fleet = [f.value for f in lists["vehicles"] if service.id in f.value.services]
        fleets |= dict.fromkeys(service.fractions, fleet)
    for row in rows:
        fleet = fleets.get(row.value.fraction, [])
        site, container = row.value.to_site(), row.value.to_container()
        if fleet and not any(can_serve(vehicle, site, [container]) for vehicle in fleet):
            field, why = _obstacle(fleet, site)
            mistakes.about(row, field, f"no vehicle of its service {why}")


def _obstacle(fleet: Sequence[Vehicle], site: Site) -> tuple[str, str]:
    """Return the field that keeps all vehicles away, and what they lack."""
    for limit, measure in LIMITS.items():
        if not any(_within(vehicle, site, limit) for vehicle in fleet):
            return limit, f"has a {measure} of at most {getattr(site, limit):g}"
    if not site.curb and all(vehicle.side_loader for vehicle in fleet):
        return "curb", "serves the left-hand side: they are side loaders, and curb is false"
    if not any(vehicle.crane for vehicle in fleet):
        return "crane", "has a crane"
    return "site", "fits all of its limits at once"
