"""What changes, as it changes."""

from typing import Annotated

from fastapi import APIRouter, Header, Response
from starlette.concurrency import run_in_threadpool

from api import schemas
from api.context import Parts
from api.live import LiveResponse
from api.picture import clock_state
from api.problems import INVALID, declared

router = APIRouter(tags=["live"])


@router.get("/v1/clock")
def get_clock(parts: Parts) -> schemas.Clock:
    """The system's time; a simulated day may pass faster than real time."""
    return clock_state(parts.clock)


@router.get(
    "/v1/live",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **declared(INVALID),
    },
)
async def get_live(
    parts: Parts,
    last: Annotated[int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63)] = None,
) -> Response:
    """Server-sent events: `clock`, `positions`, `containers`, `tour`, `plan` and `reset`.

    `positions` is a GeoJSON layer of all vehicles, at most once a second; `containers` has the
    changed `items`; `tour` is a tour in figures; `plan` names a plan that was stored or changed
    its state. After `reset` load everything again. `Last-Event-ID` tells what was missed.
    """
    queue = parts.hub.subscribe()
    try:
        first = await run_in_threadpool(parts.hub.catch_up, parts.pool, last)
    except BaseException:
        parts.hub.unsubscribe(queue)
        raise
    return LiveResponse(parts.hub, queue, first)
