"""What a dispatcher looks at: the present state of containers, vehicles and tours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from storage.sql import queries

_SQL = queries("console")


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container with what was read, what is believed, and when it was emptied last.

    The belief's fields are None where nothing was computed yet; `fill`, `fill_sd` and
    `rate_per_day` are shares of the volume.
    """

    id: str
    site: str
    site_name: str
    lon: float
    lat: float
    fraction: str
    volume_l: float
    synthetic: bool
    sensor: bool
    read_at: datetime | None
    read_fill: float | None
    emptied_at: datetime | None
    fill: float | None
    fill_sd: float | None
    rate_per_day: float | None
    overflow_risk: float | None
    prize_eur: float | None
    computed_at: datetime | None


@dataclass(frozen=True, slots=True)
class VehicleState:
    """A vehicle, its newest position (`time` is None where it never said), and its tour."""

    id: str
    name: str
    depot: str
    services: Sequence[str]
    time: datetime | None
    lon: float | None
    lat: float | None
    speed_mps: float | None
    heading_deg: float | None
    tour: str | None


@dataclass(frozen=True, slots=True)
class TourState:
    """A tour in figures, with what its truck has reported.

    Attributes:
        visits: planned stops at sites.
        started_at: its first event.
        last_stop: the stop it left last, at `last_at`; `last_planned` is when it should have.
    """

    id: str
    plan: str
    vehicle: str
    revision: int
    start: datetime
    end: datetime
    km: float
    hours: float
    kg: float
    trips: int
    acknowledged_revision: int | None
    accepted: bool | None
    visits: int
    stops_done: int
    stops_failed: int
    lifts: int
    kg_unloaded: float
    started_at: datetime | None
    ended_at: datetime | None
    last_stop: int | None
    last_at: datetime | None
    last_planned: datetime | None


def containers(
    connection: psycopg.Connection,
    region: str,
    *,
    after: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[ContainerState]:
    """Return active containers by id.

    Args:
        connection: only read from.
        region: whose containers.
        after: only ids behind this one.
        since: only what was read, emptied or computed anew at or after this instant.
        limit: at most so many; None means all.
    """
    arguments = {"region": region, "after": after, "since": since, "limit": limit}
    with connection.cursor(row_factory=class_row(ContainerState)) as cursor:
        return cursor.execute(_SQL["containers"], arguments).fetchall()


def vehicles(
    connection: psycopg.Connection,
    region: str,
    day: date,
    *,
    after: str | None = None,
    limit: int | None = None,
) -> list[VehicleState]:
    """Return active vehicles by id, each with its published tour of the day."""
    arguments = {"region": region, "day": day, "after": after, "limit": limit}
    with connection.cursor(row_factory=class_row(VehicleState)) as cursor:
        return cursor.execute(_SQL["vehicles"], arguments).fetchall()


def tours_of_day(connection: psycopg.Connection, day: date) -> list[TourState]:
    """Return the tours of a day's drafts and published plans."""
    return _tours(connection, day=day)


def tours_of_plan(connection: psycopg.Connection, plan: str) -> list[TourState]:
    """Return the tours of a plan."""
    return _tours(connection, plan=plan)


def tour(connection: psycopg.Connection, tour_id: str) -> TourState | None:
    """Return a tour, or None."""
    return next(iter(_tours(connection, tour=tour_id)), None)


def _tours(
    connection: psycopg.Connection,
    *,
    day: date | None = None,
    plan: str | None = None,
    tour: str | None = None,
) -> list[TourState]:
    with connection.cursor(row_factory=class_row(TourState)) as cursor:
        arguments = {"day": day, "plan": plan, "tour": tour}
        return cursor.execute(_SQL["tours"], arguments).fetchall()


def reported_stops(connection: psycopg.Connection, tour_id: str) -> dict[int, bool]:
    """Return the stops that a truck has reported, and whether they were done (not failed)."""
    return dict(connection.execute(_SQL["reported_stops"], [tour_id]).fetchall())


def plan_of_job(connection: psycopg.Connection, job_id: int) -> str | None:
    """Return the id of the plan that a job has made, or None."""
    row = connection.execute(_SQL["plan_of_job"], [job_id]).fetchone()
    return str(row[0]) if row else None


def limit_statements(connection: psycopg.Connection) -> None:
    """End statements of this connection that run longer than five seconds."""
    connection.execute(_SQL["limit_statements"])
