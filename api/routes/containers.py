"""Containers with what we know and believe about them."""

from datetime import UTC, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime

from api import geojson, schemas, views
from api.context import Connection, Parts
from api.pages import Cursor, Limit, decode, page
from api.problems import INVALID, NOT_ACCEPTABLE, NOT_FOUND, HttpProblem, declared
from config.region import ID_PATTERN
from storage import console, history
from storage.history import Every

router = APIRouter(tags=["containers"])
LONGEST = timedelta(days=366)
ContainerId = Annotated[str, Path(pattern=ID_PATTERN)]


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


@router.get(
    "/v1/containers/{container}/levels",
    responses=declared(NOT_FOUND, INVALID),
)
def get_levels(
    parts: Parts,
    connection: Connection,
    container: ContainerId,
    since: Annotated[AwareDatetime, Query(description="Begin of the span.")],
    until: Annotated[AwareDatetime, Query(description="Its end, at most 366 days later.")],
    every: Annotated[Every, Query(description="The step.")] = Every.DAY,
) -> schemas.Levels:
    """A container's fill levels by hour or by day, over a year at most; hours for two years."""
    if all(known.id != container for known in parts.region.containers):
        raise HttpProblem(NOT_FOUND, "There is no such container.")
    if not timedelta(0) < until - since <= LONGEST:
        raise HttpProblem(INVALID, "`until` has to be after `since`, by 366 days at most.")
    found = history.levels(connection, container, since, until, every)
    return schemas.Levels(
        container=container,
        every=every,
        start=[start.replace(tzinfo=UTC) for start in found.start.tolist()],
        readings=found.readings.tolist(),
        fill_min=found.fill_min.round(4).tolist(),
        fill_avg=found.fill_avg.round(4).tolist(),
        fill_max=found.fill_max.round(4).tolist(),
    )
