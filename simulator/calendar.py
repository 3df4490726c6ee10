"""The collection before there was a plan: each site is emptied on fixed days, by rota."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from config.region import Region, Service
from simulator import chance

_LIFT_S = 180.0
_SPREAD_S = 6 * 3600.0


class Emptying(NamedTuple):
    """A container's emptying by the rota; `which` is its place in the region's containers."""

    time: float
    vehicle: str
    which: int


def rota(region: Region, seed: int, first: date, last: date) -> list[Emptying]:
    """Return the emptyings of a fixed calendar from `first` to `last`, in the order of time.

    Each site has its own day in the service's interval; where that is a weekend or a holiday,
    the next collection day takes over.
    """
    emptyings = list(_rota(region, seed, first, last))
    return sorted(emptyings)


def _rota(region: Region, seed: int, first: date, last: date) -> Iterator[Emptying]:
    sites = sorted({container.site for container in region.containers})
    drawn = dict(zip(sites, chance.uniform(seed, "rota", chance.keys(sites)), strict=True))
    order: dict[str, int] = {}
    for which, container in enumerate(region.containers):
        service = region.service_by_fraction.get(container.fraction)
        vehicles = [v.id for v in region.vehicles if service and service.id in v.services]
        if not service or not vehicles:
            continue
        share = float(drawn[container.site])
        place = order[container.site] = order.get(container.site, -1) + 1
        vehicle = vehicles[int(share * 7919 % len(vehicles))]
        for day in _days(region, service, share, first, last):
            opens = datetime.combine(day, service.earliest, region.time_zone).timestamp()
            within_s = share * 104729 % 1 * _SPREAD_S
            yield Emptying(opens + within_s + place * _LIFT_S, vehicle, which)


def _days(
    region: Region, service: Service, share: float, first: date, last: date
) -> Iterator[date]:
    interval = service.calendar_days
    start = first - timedelta(days=(first.toordinal() - int(share * interval)) % interval)
    for number in range((last - start).days // interval + 1):
        due = start + timedelta(days=number * interval)
        day = region.next_collection_day(service, due - timedelta(days=1))
        if first <= day <= last:
            yield day
