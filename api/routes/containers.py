"""Containers with what we know and believe about them."""

from fastapi import APIRouter, Request, Response

from api import geojson, schemas, views
from api.context import Connection, Parts
from api.pages import Cursor, Limit, decode, page
from api.problems import INVALID, NOT_ACCEPTABLE, declared
from storage import console

router = APIRouter(tags=["containers"])


@router.get(
    "/v1/containers",
    response_model=schemas.Page[schemas.Container],
    responses={**declared(INVALID, NOT_ACCEPTABLE), **geojson.DECLARED},
)
def get_containers(
    request: Request,
    parts: Parts,
    connection: Connection,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.Page[schemas.Container] | Response:
    """Containers with their last reading and the present belief.

    JSON comes in pages; `Accept: application/geo+json` gives all of them as one map layer.
    """
    if geojson.wanted(request):
        everything = map(views.container, console.containers(connection, parts.region.id))
        return geojson.respond(
            geojson.collection(
                (
                    geojson.point(item.id, item.lon, item.lat, item.model_dump(mode="json"))
                    for item in everything
                ),
                attribution=parts.region.attribution,
            )
        )
    after = decode(cursor, 1)
    states = console.containers(
        connection, parts.region.id, after=after[0] if after else None, limit=limit + 1
    )
    found = [views.container(state) for state in states]
    return page(found, limit, lambda item: [item.id], parts.region.attribution)
