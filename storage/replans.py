"""Proposals to change a published plan: kept, and accepted or refused as a whole."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from config.errors import PlanError, StalePlanError
from storage import outbox, plans
from storage.plan_records import PlanRecord, StopRecord, TourRecord
from storage.queue import Fence, require_held
from storage.sql import queries

_SQL = queries("replans")
ReplanState = Literal["open", "accepted", "refused"]


class Report(NamedTuple):
    """Something a truck said of a stop of its tour."""

    tour: str
    kind: str
    stop: int | None
    time: datetime


@dataclass(frozen=True, kw_only=True)
class Basis:
    """A tour as it was when a proposal was made from it.

    Attributes:
        tour: its id; the vehicle may have had none, then its revision is 0.
        locked: numbers of the stops that were locked.
        over: numbers of the stops that were over, or that the truck was at or driving to.
    """

    tour: str
    vehicle: str
    revision: int
    locked: tuple[int, ...] = ()
    over: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Undone:
    """A site that nobody would serve any more, and why."""

    site: str
    reason: str
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReplanRecord:
    """A proposal.

    Attributes:
        events: as they were reported, JSON values.
        basis: of all tours that were looked at.
        tours: those that change, whole, as they would be.
        told: what people are told of it, JSON values.
    """

    id: str
    plan: str
    events: Sequence[Mapping[str, Any]]
    basis: tuple[Basis, ...]
    tours: tuple[TourRecord, ...]
    undone: tuple[Undone, ...]
    told: Mapping[str, Any]
    created_at: datetime
    state: ReplanState = "open"
    decided_at: datetime | None = field(default=None)


def save(connection: psycopg.Connection, record: ReplanRecord, fence: Fence | None = None) -> None:
    """Store an open proposal.

    Raises:
        StaleResultError: the job was taken over by another worker meanwhile.
    """
    with connection.transaction():
        if fence:
            require_held(connection, fence)
        connection.execute(
            _SQL["insert"],
            (
                record.id,
                record.plan,
                _json(list(record.events)),
                _json([asdict(one) for one in record.basis]),
                _json([asdict(tour) for tour in record.tours]),
                _json([asdict(one) for one in record.undone]),
                _json(record.told),
                record.created_at,
                fence.job_id if fence else None,
                fence.attempt if fence else None,
            ),
        )


def get(connection: psycopg.Connection, name: str) -> ReplanRecord | None:
    """Return a proposal, or None."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["get"], [name]).fetchone()
    return _record(row) if row else None


def of_plan(connection: psycopg.Connection, plan: str) -> list[ReplanRecord]:
    """Return a plan's proposals, newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_record(row) for row in cursor.execute(_SQL["list"], [plan])]


def of_job(connection: psycopg.Connection, job_id: int) -> str | None:
    """Return the id of the proposal that a job has made, or None."""
    row = connection.execute(_SQL["of_job"], [job_id]).fetchone()
    return str(row[0]) if row else None


def accepted_events(connection: psycopg.Connection, plan: str) -> list[Mapping[str, Any]]:
    """Return the events of a plan's accepted proposals, in the order of their acceptance."""
    rows = connection.execute(_SQL["accepted_events"], [plan])
    return [event for (events,) in rows for event in events]


def reports(connection: psycopg.Connection, plan: str) -> list[Report]:
    """Return what the trucks of a plan said of their tours, oldest first."""
    return [Report._make(row) for row in connection.execute(_SQL["reports"], [plan])]


def highest_numbers(connection: psycopg.Connection, plan: str) -> dict[str, int]:
    """Return the highest stop number that each tour of a plan has ever given."""
    return dict(connection.execute(_SQL["highest"], [plan]).fetchall())


def lock_stop(connection: psycopg.Connection, tour: str, number: int, *, locked: bool) -> bool:
    """Say that a stop has to stay where it is, or need not any more; whether there is one."""
    with connection.transaction():
        connection.execute(_SQL["hold_tour"], [tour])
        about = {"tour": tour, "number": number, "locked": locked}
        return bool(connection.execute(_SQL["set_locked"], about).rowcount)


def refuse(connection: psycopg.Connection, name: str, *, at: datetime) -> None:
    """Refuse a proposal; nothing else changes.

    Raises:
        PlanError: it is decided already.
    """
    with connection.transaction():
        _require_open(connection, name)
        connection.execute(_SQL["decide"], ["refused", at, name])


def accept(connection: psycopg.Connection, name: str, *, at: datetime) -> list[str]:
    """Change all tours of a proposal and send them to their trucks, or change none.

    Returns:
        The vehicles that are sent a new revision.

    Raises:
        PlanError: it is decided already.
        StalePlanError: a tour that it was made from has a new revision, another lock, or a stop
            that it gives away was served meanwhile; or the plan was replaced.
    """
    with connection.transaction():
        _require_open(connection, name)
        record = get(connection, name)
        if record is None:
            raise PlanError(f"there is no proposal {name!r}")
        connection.execute(plans.LOCK_PLAN_DAY, [record.plan])
        revisions: dict[str, int] = dict(
            connection.execute(_SQL["hold_tours"], [record.plan]).fetchall()
        )
        plan = plans.get(connection, record.plan)
        if plan is None or plan.state != "published":
            raise StalePlanError(f"plan {record.plan} does not count any more; plan the day anew")
        _require_unchanged(connection, record, revisions)
        for tour in record.tours:
            _write(connection, plan, tour, known=tour.id in revisions)
        _note_unserved(connection, record)
        vehicles = [tour.vehicle for tour in record.tours]
        for tour in record.tours:
            plans.send(connection, plan, tour.vehicle, tour, at)
        connection.execute(_SQL["decide"], ["accepted", at, name])
        news = {"state": "published", "day": plan.day.isoformat(), "service": plan.service}
        outbox.append(connection, outbox.Kind.PLAN, plan.id, news, at=at)
    return vehicles


def _require_open(connection: psycopg.Connection, name: str) -> None:
    row = connection.execute(_SQL["hold"], [name]).fetchone()
    if row is None:
        raise PlanError(f"there is no proposal {name!r}")
    if row[0] != "open":
        raise PlanError(f"proposal {name} is {row[0]} already")


def _require_unchanged(
    connection: psycopg.Connection, record: ReplanRecord, revisions: Mapping[str, int]
) -> None:
    locked: dict[str, set[int]] = {}
    for tour, number in connection.execute(_SQL["locked_stops"], [record.plan]):
        locked.setdefault(tour, set()).add(number)
    for one in record.basis:
        if revisions.get(one.tour, 0) != one.revision:
            raise StalePlanError(
                f"the tour of {one.vehicle} has changed since this proposal; ask for a new one"
            )
        if locked.get(one.tour, set()) != set(one.locked):
            raise StalePlanError(
                f"stops of {one.vehicle} were locked or unlocked since; ask for a new proposal"
            )
    kept = {tour.id: {stop.number for stop in tour.stops} for tour in record.tours}
    over = {one.tour: set(one.over) for one in record.basis}
    for report in reports(connection, record.plan):
        known = kept.get(report.tour, set()) | over.get(report.tour, set())
        if report.tour in kept and report.stop is not None and report.stop not in known:
            raise StalePlanError(
                f"stop {report.stop} of tour {report.tour} was reported meanwhile; "
                "ask for a new proposal"
            )


def _write(
    connection: psycopg.Connection, plan: PlanRecord, tour: TourRecord, *, known: bool
) -> None:
    if known:
        about = asdict(replace(tour, stops=())) | {
            "highest": max((stop.number for stop in tour.stops), default=0)
        }
        connection.execute(_SQL["update_tour"], about)
        connection.execute(_SQL["clear_stops"], [tour.id])
    else:
        connection.execute(_SQL["insert_tour"], plans.tour_row(plan.id, tour))
    with connection.cursor() as cursor:
        cursor.executemany(_SQL["insert_stop"], plans.stop_rows(tour))


def _note_unserved(connection: psycopg.Connection, record: ReplanRecord) -> None:
    served = [stop.place for tour in record.tours for stop in tour.stops if stop.kind == "visit"]
    connection.execute(_SQL["now_served"], [record.plan, served])
    for one in record.undone:
        connection.execute(
            _SQL["now_unserved"], [record.plan, one.site, list(one.containers), one.reason]
        )


def _json(value: Any) -> Jsonb:
    return Jsonb(value, dumps=lambda told: json.dumps(told, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _record(row: Mapping[str, Any]) -> ReplanRecord:
    return ReplanRecord(
        **{
            **row,
            "basis": tuple(_basis(one) for one in row["basis"]),
            "tours": tuple(_tour(one) for one in row["tours"]),
            "undone": tuple(
                Undone(**{**one, "containers": tuple(one["containers"])}) for one in row["undone"]
            ),
        }
    )


def _basis(one: Mapping[str, Any]) -> Basis:
    return Basis(**{**one, "locked": tuple(one["locked"]), "over": tuple(one["over"])})


def _tour(one: Mapping[str, Any]) -> TourRecord:
    when = _instants(one, ("start", "end", "acknowledged_at"))
    return TourRecord(**{**one, **when, "stops": tuple(_stop(stop) for stop in one["stops"])})


def _stop(one: Mapping[str, Any]) -> StopRecord:
    when = _instants(one, ("arrival", "departure"))
    return StopRecord(**{**one, **when, "containers": tuple(one["containers"])})


def _instants(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, datetime | None]:
    return {name: datetime.fromisoformat(row[name]) if row[name] else None for name in names}
