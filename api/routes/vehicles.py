"""Vehicles and where they are."""

from fastapi import APIRouter, Request, Response

from api import geojson, schemas, views
from api.context import Connection, Parts
from api.pages import Cursor, Limit, decode, page
from api.problems import INVALID, NOT_ACCEPTABLE, declared
from storage import console

router = APIRouter(tags=["vehicles"])


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
        return geojson.respond(geojson.positions(map(views.vehicle, found)))
    after = decode(cursor, 1)
    states = console.vehicles(
        connection, parts.region.id, today, after=after[0] if after else None, limit=limit + 1
    )
    return page([views.vehicle(state) for state in states], limit, lambda item: [item.id])
