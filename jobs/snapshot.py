"""Takes the snapshot of a day from storage: what has been seen of a depot's containers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray

from config.errors import PlanError
from config.region import Container, Depot, Region, Service, seconds_of_day
from optimizer.daily import DaySnapshot, containers_of, instant
from optimizer.fill.evidence import Emptyings, Readings
from storage import telemetry

HISTORY = timedelta(days=90)  # what a container's rate is learnt from


def take_snapshot(
    connection: psycopg.Connection,
    region: Region,
    service: Service,
    depot: Depot,
    day: date,
    now: datetime,
) -> DaySnapshot:
    """Return everything a day's plan depends on.

    A day that has begun is planned as of now; one that has passed as of its beginning, with
    what was known then.

    Args:
        connection: to the storage.
        region: the facts.
        service: one of the region's.
        depot: one of the region's.
        day: to plan.
        now: the instant, by the caller's clock.
    """
    over = instant(region, day, seconds_of_day(service.latest))
    begins = instant(region, day, seconds_of_day(service.earliest))
    decided_at = begins if now >= over else now
    containers = containers_of(region, service, depot)
    since, until = decided_at - HISTORY, decided_at + timedelta(microseconds=1)
    return DaySnapshot(
        region=region,
        service=service,
        depot=depot,
        day=day,
        decided_at=decided_at,
        readings=_readings(telemetry.fill_history(connection, since, until), containers),
        emptyings=_emptyings(telemetry.liftings(connection, since, until), region, containers),
        vehicles=tuple(
            vehicle
            for vehicle in region.vehicles
            if vehicle.depot == depot.id and service.id in vehicle.services
        ),
    )


def coming_day(region: Region, service: Service, now: datetime) -> date:
    """Return the first collection day that is not over yet."""
    today = now.astimezone(region.time_zone).date()
    over = instant(region, today, seconds_of_day(service.latest))
    if now < over and region.is_collection_day(service, today):
        return today
    return region.next_collection_day(service, today)


def service_of(region: Region, name: str | None) -> Service:
    """Return a service by its id; without one the region's only service.

    Raises:
        PlanError: there is no such service, or several to choose from.
    """
    return _one("service", {one.id: one for one in region.services}, name, region)


def depot_of(region: Region, service: Service, name: str | None) -> Depot:
    """Return a depot by its id; without one the only depot with vehicles for a service.

    Raises:
        PlanError: there is no such depot, or several to choose from.
    """
    depots = {one.id: one for one in region.depots}
    if name is None:
        homes = {one.depot for one in region.vehicles if service.id in one.services}
        depots = {one: depot for one, depot in depots.items() if one in homes}
        if not depots:
            raise PlanError(
                f"region {region.id} has no vehicle for {service.id}; add one to vehicles.toml"
            )
    return _one("depot", depots, name, region)


def _one[T](kind: str, known: Mapping[str, T], name: str | None, region: Region) -> T:
    names = ", ".join(known)
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None:
        raise PlanError(
            f"region {region.id} has several {kind}s; choose one with --{kind}: {names}"
        )
    if name not in known:
        raise PlanError(f"region {region.id} has no {kind} {name!r}; it has {names}")
    return known[name]


def _rows(
    names: NDArray[np.str_], containers: Sequence[Container]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the row of each name among the containers, and which of them are there at all."""
    if not len(names) or not containers:
        return np.zeros(0, np.intp), np.zeros(len(names), bool)
    ids = np.array([container.id for container in containers])
    order = np.argsort(ids)
    at = np.minimum(np.searchsorted(ids[order], names), len(ids) - 1)
    rows = order[at]
    known = ids[rows] == names
    return rows[known], np.asarray(known)


def _seconds(instants: NDArray[np.datetime64]) -> NDArray[np.float64]:
    return instants.astype("datetime64[us]").astype(np.int64) / 1e6


def _readings(history: telemetry.FillHistory, containers: Sequence[Container]) -> Readings:
    rows, known = _rows(history.container, containers)
    return Readings(rows, _seconds(history.time[known]), history.fill[known])


def _emptyings(
    lifted: telemetry.Liftings, region: Region, containers: Sequence[Container]
) -> Emptyings:
    """A lift's weight tells the level that was found."""
    rows, known = _rows(lifted.container, containers)
    full_kg = np.array(
        [
            one.volume_l / 1000 * region.fraction_by_id[one.fraction].container_kg_per_m3
            for one in containers
        ]
    )
    return Emptyings(rows, _seconds(lifted.time[known]), lifted.kg[known] / full_kg[rows])
