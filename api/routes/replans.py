"""Changes of a published plan during its day: report what happened, look at the answer, decide."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from api import schemas, views
from api.auth import Principal
from api.context import Asker, Connection, Context, Parts
from api.problems import (
    BAD_REQUEST,
    CONFLICT,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    HttpProblem,
    declared,
)
from api.routes.plans import Key, PlanPath
from config.errors import PlanError, StalePlanError
from storage import audit, idempotency, plans, queue, replans
from storage.replans import ReplanRecord
from storage.tasks import REPLAN

router = APIRouter(tags=["replans"])
ReplanPath = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,128}$")]
TourPath = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,128}$")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=128, description="The ETag of the proposal you saw."),
]


@router.post(
    "/v1/plans/{plan}/events",
    status_code=202,
    responses=declared(BAD_REQUEST, NOT_FOUND, CONFLICT, INVALID),
)
def post_events(
    told: schemas.Events,
    response: Response,
    parts: Parts,
    connection: Connection,
    asker: Asker,
    plan: PlanPath,
    key: Key = None,
) -> schemas.Job:
    """Report what happened during a published plan's day; a worker answers with a proposal.

    Nothing changes before the proposal is accepted. `Location` is where to look for the job,
    which names the proposal when it is there.
    """
    record = plans.get(connection, plan)
    if record is None:
        raise HttpProblem(NOT_FOUND, "There is no such plan.")
    if record.state != "published":
        raise HttpProblem(CONFLICT, "Only a published plan can be changed during its day.")
    _require_known(parts, told)
    job = _order(connection, parts, asker, plan, told, key)
    response.headers["Location"] = f"/v1/jobs/{job}"
    response.headers["Retry-After"] = "1"
    return schemas.Job(id=job, state="waiting")


def _require_known(parts: Context, told: schemas.Events) -> None:
    """Refuse events about what the region does not have, before anybody works on them."""
    region = parts.region
    known = {
        "vehicle": {one.id for one in region.vehicles},
        "facility": {one.id for one in region.facilities},
        "site": region.site_by_id.keys(),
        "fraction": {one.id for one in region.fractions},
    }
    for number, event in enumerate(told.events):
        for name, ids in known.items():
            value = getattr(event, name, None)
            if value is not None and value not in ids:
                raise HttpProblem(INVALID, f"Event {number + 1}: this region has no such {name}.")


def _order(
    connection: Connection,
    parts: Context,
    asker: Principal,
    plan: str,
    told: schemas.Events,
    key: str | None,
) -> int:
    now = parts.clock.now()
    events = [one.model_dump(mode="json", exclude_none=True) for one in told.events]

    def defer() -> int:
        lock = f"replan/{plan}"
        job = queue.defer(connection, REPLAN, lock=lock, priority=10, plan=plan, events=events)
        detail = {"events": [one["type"] for one in events]}
        audit.record(connection, asker.name, "report-event", f"plan/{plan}", at=now, detail=detail)
        return job

    if key is None:
        return defer()
    body = f"{plan} {told.model_dump_json()}"
    job = idempotency.once(connection, asker.name, key, body, defer, at=now)
    if job is None:
        raise HttpProblem(INVALID, "This Idempotency-Key was used for another order.")
    return job


@router.get("/v1/plans/{plan}/replans", responses=declared(NOT_FOUND, INVALID))
def get_replans(connection: Connection, plan: PlanPath) -> list[schemas.Replan]:
    """A plan's proposals, newest first."""
    if plans.get(connection, plan) is None:
        raise HttpProblem(NOT_FOUND, "There is no such plan.")
    return [views.replan(record) for record in replans.of_plan(connection, plan)]


@router.get("/v1/replans/{replan}", responses=declared(NOT_FOUND, INVALID))
def get_replan(response: Response, connection: Connection, replan: ReplanPath) -> schemas.Replan:
    """A proposal: the tours that change, what changes in them, and what it costs."""
    record = _known(connection, replan)
    response.headers["ETag"] = _tag(record)
    return views.replan(record)


@router.post(
    "/v1/replans/{replan}/accept",
    responses=declared(NOT_FOUND, CONFLICT, PRECONDITION, INVALID),
)
def post_accept(
    response: Response,
    parts: Parts,
    connection: Connection,
    asker: Asker,
    replan: ReplanPath,
    seen: IfMatch = None,
) -> schemas.Replan:
    """Change all tours of a proposal and send them to their trucks, or change none.

    It is stale (412) when any tour that it was made from has another revision, a stop was locked
    or unlocked, or one that would go elsewhere was served meanwhile: ask for a new one then.
    """
    _require_seen(_known(connection, replan), seen)
    now = parts.clock.now()
    try:
        vehicles = replans.accept(connection, replan, at=now)
    except StalePlanError as error:
        raise HttpProblem(PRECONDITION, f"{error}.") from None
    except PlanError as error:
        raise HttpProblem(CONFLICT, f"{error}.") from None
    detail = {"vehicles": vehicles}
    audit.record(connection, asker.name, "accept-replan", f"replan/{replan}", at=now, detail=detail)
    return get_replan(response, connection, replan)


@router.post(
    "/v1/replans/{replan}/refuse",
    responses=declared(NOT_FOUND, CONFLICT, PRECONDITION, INVALID),
)
def post_refuse(
    response: Response,
    parts: Parts,
    connection: Connection,
    asker: Asker,
    replan: ReplanPath,
    seen: IfMatch = None,
) -> schemas.Replan:
    """Put a proposal aside; no tour changes."""
    _require_seen(_known(connection, replan), seen)
    now = parts.clock.now()
    try:
        replans.refuse(connection, replan, at=now)
    except PlanError as error:
        raise HttpProblem(CONFLICT, f"{error}.") from None
    audit.record(connection, asker.name, "refuse-replan", f"replan/{replan}", at=now)
    return get_replan(response, connection, replan)


Number = Annotated[int, Path(ge=1, le=100_000)]


@router.put(
    "/v1/tours/{tour}/stops/{number}/lock",
    status_code=204,
    responses=declared(NOT_FOUND, INVALID),
)
def put_lock(
    parts: Parts, connection: Connection, asker: Asker, tour: TourPath, number: Number
) -> None:
    """Let a stop stay in its tour and at its place whenever the day is planned again."""
    _lock(parts, connection, asker, tour, number, locked=True)


@router.delete(
    "/v1/tours/{tour}/stops/{number}/lock",
    status_code=204,
    responses=declared(NOT_FOUND, INVALID),
)
def delete_lock(
    parts: Parts, connection: Connection, asker: Asker, tour: TourPath, number: Number
) -> None:
    """Let a stop be moved again."""
    _lock(parts, connection, asker, tour, number, locked=False)


def _lock(
    parts: Context,
    connection: Connection,
    asker: Principal,
    tour: str,
    number: int,
    *,
    locked: bool,
) -> None:
    if not replans.lock_stop(connection, tour, number, locked=locked):
        raise HttpProblem(NOT_FOUND, "There is no such visit.")
    action = "lock-stop" if locked else "unlock-stop"
    audit.record(connection, asker.name, action, f"tour/{tour}/{number}", at=parts.clock.now())


def _known(connection: Connection, name: str) -> ReplanRecord:
    record = replans.get(connection, name)
    if record is None:
        raise HttpProblem(NOT_FOUND, "There is no such proposal.")
    return record


def _require_seen(record: ReplanRecord, seen: str | None) -> None:
    if seen is not None and seen.strip() not in ("*", _tag(record)):
        raise HttpProblem(PRECONDITION, headers={"ETag": _tag(record)})


def _tag(record: ReplanRecord) -> str:
    known = repr((record.id, record.state, record.basis))
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:12]}"'
