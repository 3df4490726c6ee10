"""Plans: look at them, ask for one, publish one."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from api import schemas, views
from api.auth import Principal
from api.context import Asker, Connection, Context, Parts
from api.pages import Cursor, Limit, decode, page
from api.problems import BAD_REQUEST, CONFLICT, INVALID, NOT_FOUND, HttpProblem, declared
from storage import audit, basis, console, idempotency, plans, queue
from storage.tasks import PLAN_DAY

router = APIRouter(tags=["plans"])
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        description="Asking again with the same key gives the same job, for a day.",
    ),
]


@router.get("/v1/plans", responses=declared(INVALID))
def get_plans(
    connection: Connection,
    day: date | None = None,
    service: Annotated[schemas.Id | None, Query()] = None,
    state: schemas.PlanState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.Page[schemas.PlanSummary]:
    """Plans, newest first."""
    found = plans.list_plans(
        connection,
        day=day,
        service=service,
        state=state,
        before=_before(cursor),
        limit=limit + 1,
    )
    summaries = [views.plan_summary(record) for record in found]
    return page(summaries, limit, lambda item: [item.created_at.isoformat(), item.id])


def _before(cursor: str | None) -> tuple[datetime, str] | None:
    key = decode(cursor, 2)
    if key is None:
        return None
    try:
        instant = datetime.fromisoformat(key[0])
    except ValueError:
        raise HttpProblem(INVALID, "This cursor is not from a page of this list.") from None
    return instant, key[1]


@router.post("/v1/plans", status_code=202, responses=declared(BAD_REQUEST, INVALID))
def post_plan(
    order: schemas.PlanOrder,
    response: Response,
    parts: Parts,
    connection: Connection,
    asker: Asker,
    key: Key = None,
) -> schemas.Job:
    """Ask for a day's tours; a worker computes them. `Location` is where to look for the job."""
    _require_collection(parts, order)
    job = _order(connection, parts, asker, order, key)
    response.headers["Location"] = f"/v1/jobs/{job}"
    response.headers["Retry-After"] = "1"
    return schemas.Job(id=job, state="waiting")


def _require_collection(parts: Context, order: schemas.PlanOrder) -> None:
    """Refuse what no worker could plan, before it is ordered.

    Raises:
        HttpProblem: there is no such service, it does not run on that day, or the day is over.
    """
    region = parts.region
    service = next((one for one in region.services if one.id == order.service), None)
    if service is None:
        raise HttpProblem(INVALID, "This region has no such service.")
    if order.day < parts.today():
        raise HttpProblem(INVALID, "This day is over; plan today or a day to come.")
    if not region.is_collection_day(service, order.day):
        why = region.holidays.get(order.day, f"{service.name_en} is not collected on this weekday")
        coming = region.next_collection_day(service, order.day)
        raise HttpProblem(INVALID, f"{why}; the next collection day is {coming}.")


def _order(
    connection: Connection,
    parts: Context,
    asker: Principal,
    order: schemas.PlanOrder,
    key: str | None,
) -> int:
    now = parts.clock.now()

    def defer() -> int:
        day = order.day.isoformat()
        lock = f"plan/{parts.region.id}/{order.service}/{day}"
        job = queue.defer(connection, PLAN_DAY, lock=lock, day=day, service=order.service)
        audit.record(connection, asker.name, "order-plan", f"job/{job}", at=now)
        return job

    if key is None:
        return defer()
    body = order.model_dump_json()
    job = idempotency.once(connection, asker.name, key, body, defer, at=now)
    if job is None:
        raise HttpProblem(INVALID, "This Idempotency-Key was used for another order.")
    return job


PlanPath = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,96}$")]


@router.get("/v1/plans/{plan}", responses=declared(NOT_FOUND, INVALID))
def get_plan(parts: Parts, connection: Connection, plan: PlanPath) -> schemas.Plan:
    """A plan with its tours, and what it leaves out with the reason."""
    record = plans.get(connection, plan)
    if record is None:
        raise HttpProblem(NOT_FOUND, "There is no such plan.")
    return views.plan(record, console.tours_of_plan(connection, plan), parts.region)


@router.get("/v1/plans/{plan}/explanation", responses=declared(NOT_FOUND, INVALID))
def get_explanation(
    connection: Connection,
    plan: PlanPath,
    site: Annotated[schemas.Id | None, Query(description="Only this site.")] = None,
    vehicle: Annotated[schemas.Id | None, Query(description="Only this tour.")] = None,
) -> schemas.Explanation:
    """Why each site is visited, left out or waits, what that costs, and what would change it.

    Per tour the load of each trip and what is left of each rule. With `site` or `vehicle` the
    lists hold only what concerns that one. Of a plan that was not made here, or before
    explanations were kept, nothing is known: all lists are empty.
    """
    if plans.get(connection, plan) is None:
        raise HttpProblem(NOT_FOUND, "There is no such plan.")
    told = basis.explanation(connection, plan)
    if told is None:
        return schemas.Explanation(policy="", obstacles=[], tours=[], sites=[])
    if site or vehicle:
        told["sites"] = [one for one in told["sites"] if one["site"] == site]
        told["tours"] = [one for one in told["tours"] if one["vehicle"] == vehicle]
    return schemas.Explanation.model_validate(told)


@router.post("/v1/plans/{plan}/publish", responses=declared(NOT_FOUND, CONFLICT, INVALID))
def post_publish(
    parts: Parts, connection: Connection, asker: Asker, plan: PlanPath
) -> schemas.Plan:
    """Make a plan the one that counts, and send each truck its tour.

    Publishing it again changes nothing.
    """
    record = plans.get(connection, plan)
    if record is None:
        raise HttpProblem(NOT_FOUND, "There is no such plan.")
    if record.state == "superseded":
        raise HttpProblem(CONFLICT, "This plan was superseded; plan the day again.")
    if record.state == "draft":
        now = parts.clock.now()
        plans.publish(connection, plan, at=now)
        audit.record(connection, asker.name, "publish-plan", f"plan/{plan}", at=now)
    return get_plan(parts, connection, plan)
