"""Plans: saved whole or not at all, published to the trucks, acknowledged by them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from config.errors import DatabaseError
from storage import outbox
from storage.plan_records import PlanRecord as PlanRecord
from storage.plan_records import PlanSummary as PlanSummary
from storage.plan_records import State as State
from storage.plan_records import StopRecord as StopRecord
from storage.plan_records import TourRecord as TourRecord
from storage.plan_records import UnservedRecord as UnservedRecord
from storage.queue import Fence, require_held
from storage.sql import queries

_SQL = queries("plans")
LOCK_PLAN_DAY = _SQL["lock_plan_day"]


def save(connection: psycopg.Connection, plan: PlanRecord, fence: Fence | None = None) -> None:
    """Store a draft, whole or not at all.

    Args:
        connection: the save is one transaction on it.
        plan: a plan with a new id.
        fence: the job that computed it; None for a plan made outside the queue.

    Raises:
        StaleResultError: the job was taken over by another worker meanwhile.
        DatabaseError: there is a plan with this id.
    """
    try:
        with connection.transaction():
            if fence:
                require_held(connection, fence)
            connection.execute(_SQL["insert_plan"], _plan_row(plan, fence))
            with connection.cursor() as cursor:
                cursor.executemany(_SQL["insert_tour"], [tour_row(plan.id, t) for t in plan.tours])
                cursor.executemany(
                    _SQL["insert_stop"], [row for tour in plan.tours for row in stop_rows(tour)]
                )
                cursor.executemany(
                    _SQL["insert_unserved"],
                    [
                        (plan.id, item.site, list(item.containers), item.reason, item.extra_eur)
                        for item in plan.unserved
                    ],
                )
            news = {"state": "draft", "day": plan.day.isoformat(), "service": plan.service}
            outbox.append(connection, outbox.Kind.PLAN, plan.id, news, at=plan.created_at)
    except psycopg.errors.UniqueViolation:
        raise DatabaseError(f"there is a plan {plan.id!r} already; give it a new id") from None


def publish(connection: psycopg.Connection, plan_id: str, *, at: datetime) -> list[str]:
    """Make a plan the one that counts and send it to the trucks.

    The plan it replaces is superseded. Every vehicle of the depot and service gets one outbox
    row with a revision above all it was sent for that day; without a tour, an empty one.

    Returns:
        The vehicles.

    Raises:
        DatabaseError: there is no such plan, or it was superseded.
    """
    with connection.transaction():
        connection.execute(_SQL["lock_plan_day"], [plan_id])
        plan = get(connection, plan_id)
        if plan is None or plan.state == "superseded":
            state = "was superseded" if plan else "does not exist"
            raise DatabaseError(f"plan {plan_id!r} {state}; plan the day again")
        connection.execute(_SQL["supersede"], [plan.day, plan.service, plan.depot, plan.id])
        connection.execute(_SQL["set_published"], [at, plan.id])
        vehicles = [
            row[0]
            for row in connection.execute(
                _SQL["vehicles_of"],
                {"depot": plan.depot, "service": plan.service, "plan": plan.id},
            )
        ]
        by_vehicle = {tour.vehicle: tour for tour in plan.tours}
        for vehicle in vehicles:
            send(connection, plan, vehicle, by_vehicle.get(vehicle), at)
        news = {"state": "published", "day": plan.day.isoformat(), "service": plan.service}
        outbox.append(connection, outbox.Kind.PLAN, plan.id, news, at=at)
    return vehicles


def send(
    connection: psycopg.Connection,
    plan: PlanRecord,
    vehicle: str,
    tour: TourRecord | None,
    at: datetime,
) -> None:
    """Send a vehicle its tour with the next revision of its day; without one, an empty tour."""
    name = tour.id if tour else f"{plan.id}-{vehicle}"
    row = connection.execute(
        _SQL["next_revision"], [vehicle, plan.day, plan.service, name]
    ).fetchone()
    revision = int(row[0]) if row else 1
    if tour:
        connection.execute(_SQL["set_revision"], [revision, tour.id])
    payload = _message(plan, vehicle, name, revision, tour, at)
    outbox.append(connection, outbox.Kind.TOUR, vehicle, payload, at=at)


def _message(
    plan: PlanRecord,
    vehicle: str,
    name: str,
    revision: int,
    tour: TourRecord | None,
    at: datetime,
) -> dict[str, Any]:
    """Return a tour as the published contract has it (`ingest.messages.TourDown`)."""
    return {
        "tour": name,
        "revision": revision,
        "plan": plan.id,
        "vehicle": vehicle,
        "day": plan.day.isoformat(),
        "start": (tour.start if tour else at).isoformat(),
        "end": (tour.end if tour else at).isoformat(),
        "stops": [_stop_message(stop) for stop in (tour.stops if tour else ())],
        "geometry": tour.geometry if tour else "",
        "attribution": tour.attribution if tour else "",
    }


def _stop_message(stop: StopRecord) -> dict[str, Any]:
    return {
        "number": stop.number,
        "kind": stop.kind,
        "id": stop.place,
        "name": stop.name,
        "lon": stop.lon,
        "lat": stop.lat,
        "arrival": stop.arrival.isoformat(),
        "service_s": stop.service_s,
        "containers": list(stop.containers),
    }


def acknowledge(
    connection: psycopg.Connection,
    tour: str,
    revision: int,
    *,
    accepted: bool,
    reason: str | None = None,
    at: datetime,
    vehicle: str | None = None,
) -> bool:
    """Note that a unit took or refused a revision of its tour.

    Args:
        connection: the note is one transaction on it.
        tour: the tour's id.
        revision: the one that the unit speaks of.
        accepted: whether it takes it.
        reason: why not.
        at: when it said so.
        vehicle: whose unit answers; it cannot answer for another vehicle's tour.

    Returns:
        Whether it was news: an older revision, a repetition or an unknown tour changes nothing.
    """
    with connection.transaction():
        arguments = {"tour": tour, "revision": revision, "accepted": accepted}
        details = {"reason": reason, "at": at, "vehicle": vehicle}
        done = connection.execute(_SQL["acknowledge"], {**arguments, **details})
        if done.rowcount:
            outbox.append(connection, outbox.Kind.ACK, tour, arguments, at=at)
    return bool(done.rowcount)


def get(connection: psycopg.Connection, plan_id: str) -> PlanRecord | None:
    """Return a plan with its tours and stops, or None."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["plan"], [plan_id]).fetchone()
        if row is None:
            return None
        tours = cursor.execute(_SQL["tours_of_plan"], [plan_id]).fetchall()
        stops = cursor.execute(_SQL["stops_of_plan"], [plan_id]).fetchall()
        unserved = cursor.execute(_SQL["unserved"], [plan_id]).fetchall()
    return PlanRecord(
        **row,
        tours=tuple(_tour(tour, stops) for tour in tours),
        unserved=tuple(
            UnservedRecord(**{**item, "containers": tuple(item["containers"])}) for item in unserved
        ),
    )


def get_tour(connection: psycopg.Connection, tour_id: str) -> TourRecord | None:
    """Return a tour with its stops, or None."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["tour"], [tour_id]).fetchone()
        stops = cursor.execute(_SQL["stops_of_tour"], [tour_id]).fetchall()
    return _tour(row, stops) if row else None


def published(
    connection: psycopg.Connection, day: date, service: str, depot: str
) -> PlanRecord | None:
    """Return the plan that counts on a day, or None."""
    row = connection.execute(_SQL["published"], [day, service, depot]).fetchone()
    return get(connection, row[0]) if row else None


def list_plans(
    connection: psycopg.Connection,
    *,
    day: date | None = None,
    service: str | None = None,
    state: State | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[PlanSummary]:
    """Return plans, newest first; the last one's (created_at, id) is `before` of the next page."""
    arguments = {
        "day": day,
        "service": service,
        "state": state,
        "before_at": before[0] if before else None,
        "before_id": before[1] if before else None,
        "limit": limit,
    }
    with connection.cursor(row_factory=class_row(PlanSummary)) as cursor:
        return cursor.execute(_SQL["list_plans"], arguments).fetchall()


def _plan_row(plan: PlanRecord, fence: Fence | None) -> Sequence[Any]:
    return (
        plan.id,
        plan.region,
        plan.service,
        plan.depot,
        plan.day,
        Jsonb(dict(plan.cost)),
        Jsonb(dict(plan.provider)),
        plan.created_at,
        plan.engine,
        plan.seed,
        plan.estimate,
        fence.job_id if fence else None,
        fence.attempt if fence else None,
    )


def tour_row(plan: str, tour: TourRecord) -> Sequence[Any]:
    """Return a new tour as it is written."""
    return (
        tour.id,
        plan,
        tour.vehicle,
        tour.start,
        tour.end,
        tour.km,
        tour.hours,
        tour.kg,
        tour.trips,
        tour.geometry,
        tour.attribution,
        max((stop.number for stop in tour.stops), default=0),
    )


def stop_rows(tour: TourRecord) -> list[Sequence[Any]]:
    """Return a tour's stops as they are written, in their order."""
    return [_stop_row(tour, stop, place) for place, stop in enumerate(tour.stops, start=1)]


def _stop_row(tour: TourRecord, stop: StopRecord, position: int) -> Sequence[Any]:
    return (
        tour.id,
        stop.number,
        stop.kind,
        stop.place,
        stop.name,
        stop.lon,
        stop.lat,
        stop.arrival,
        stop.departure,
        stop.service_s,
        list(stop.containers),
        stop.kg,
        stop.litres,
        stop.why,
        stop.eur,
        stop.locked,
        position,
    )


def _tour(row: Mapping[str, Any], stops: Sequence[Mapping[str, Any]]) -> TourRecord:
    own = (dict(stop) for stop in stops if stop["tour"] == row["id"])
    return TourRecord(
        **row,
        stops=tuple(
            StopRecord(
                **{
                    **{name: value for name, value in stop.items() if name != "tour"},
                    "containers": tuple(stop["containers"]),
                }
            )
            for stop in own
        ),
    )
