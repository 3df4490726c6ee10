"""Vehicles and where they are."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime

from api import geojson, schemas, views
from api.context import Asker, Connection, Parts
from api.pages import Cursor, Limit, decode, page
from api.problems import INVALID, NOT_ACCEPTABLE, NOT_FOUND, HttpProblem, declared
from config.region import ID_PATTERN
from storage import console, privacy
from storage.rows import PositionRow

router = APIRouter(tags=["vehicles"])
LONGEST_LOOK = timedelta(days=1)
VehicleId = Annotated[str, Path(pattern=ID_PATTERN)]


@router.get(
    "/v1/vehicles",
    response_model=schemas.Page[schemas.Vehicle],
    responses={**declared(INVALID, NOT_ACCEPTABLE), **geojson.DECLARED},
)
def get_vehicles(
    request: Request,
    parts: Parts,
    connection: Connection,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.Page[schemas.Vehicle] | Response:
    """Trucks with their newest position and their published tour of today.

    `Accept: application/geo+json` gives the positions of all of them as one map layer.
    """
    today = parts.today()
    if geojson.wanted(request):
        found = console.vehicles(connection, parts.region.id, today)
        layer = geojson.positions(map(views.vehicle, found))
        return geojson.respond({**layer, "attribution": parts.region.attribution})
    after = decode(cursor, 1)
    states = console.vehicles(
        connection, parts.region.id, today, after=after[0] if after else None, limit=limit + 1
    )
    shown = [views.vehicle(state) for state in states]
    return page(shown, limit, lambda item: [item.id], parts.region.attribution)


@router.get(
    "/v1/vehicles/{vehicle}/positions",
    responses=declared(NOT_FOUND, INVALID),
)
def get_positions(
    parts: Parts,
    connection: Connection,
    asker: Asker,
    vehicle: VehicleId,
    since: Annotated[AwareDatetime, Query(description="Begin of the span.")],
    until: Annotated[AwareDatetime, Query(description="Its end, at most a day later.")],
    limit: Limit = 200,
    cursor: Cursor = None,
) -> schemas.Page[schemas.Position]:
    """Where a truck was, by its own clock. Each look is written into the audit."""
    if all(known.id != vehicle for known in parts.region.vehicles):
        raise HttpProblem(NOT_FOUND, "There is no such vehicle.")
    if not timedelta(0) < until - since <= LONGEST_LOOK:
        raise HttpProblem(INVALID, "`until` has to be after `since`, by a day at most.")
    found = privacy.positions(
        connection,
        vehicle,
        since,
        until,
        who=asker.name,
        at=parts.clock.now(),
        after=_after(cursor),
        limit=limit + 1,
    )
    shown = page(found, limit, lambda row: [row.time.isoformat(), str(row.seq)])
    return schemas.Page(items=[_position(row) for row in shown.items], next=shown.next)


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    key = decode(cursor, 2)
    if key is None:
        return None
    try:
        after = datetime.fromisoformat(key[0]), int(key[1])
    except ValueError:
        after = None
    if after is None or after[0].tzinfo is None or not 0 <= after[1] < 2**63:
        raise HttpProblem(INVALID, "This cursor is not from a page of this list.")
    return after


def _position(row: PositionRow) -> schemas.Position:
    return schemas.Position(
        time=row.time,
        lon=row.lon,
        lat=row.lat,
        speed_mps=row.speed_mps,
        heading_deg=row.heading_deg,
    )
