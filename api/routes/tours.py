"""Tours, stop by stop."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api import geojson, schemas, views
from api.context import Connection, Parts
from api.problems import INVALID, NOT_ACCEPTABLE, NOT_FOUND, HttpProblem, declared
from optimizer import polyline
from storage import console, plans

router = APIRouter(tags=["tours"])
TourId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,128}$")]


@router.get(
    "/v1/tours/{tour}",
    response_model=schemas.Tour,
    responses={
        304: {"description": "It is as you know it."},
        **declared(NOT_FOUND, INVALID, NOT_ACCEPTABLE),
        **geojson.DECLARED,
    },
)
def get_tour(request: Request, parts: Parts, connection: Connection, tour: TourId) -> Response:
    """One vehicle's day; `Accept: application/geo+json` gives it with its way along the roads.

    The ETag starts with the tour's revision and changes with every report of the truck.
    """
    record = plans.get_tour(connection, tour)
    state = console.tour(connection, tour)
    if record is None or state is None:
        raise HttpProblem(NOT_FOUND, "There is no such tour.")
    plan = plans.get(connection, record.plan)
    depot = next(
        (views.place(item) for item in parts.region.depots if plan and item.id == plan.depot), None
    )
    told = views.tour(record, state, console.reported_stops(connection, tour), depot)
    geo = geojson.wanted(request)
    tag = f'"{record.revision}.{_digest(told, geo)}"'
    headers = {"ETag": tag, "Vary": "Accept"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if geo:
        return geojson.respond(_layer(told, record.geometry), headers)
    return Response(told.model_dump_json(), headers=headers, media_type="application/json")


def _digest(told: schemas.Tour, geo: bool) -> str:
    return hashlib.sha256(f"{geo}{told.model_dump_json()}".encode()).hexdigest()[:12]


def _layer(tour: schemas.Tour, geometry: str) -> dict[str, Any]:
    """Return the way as one line and each stop as a point."""
    facts = tour.model_dump(mode="json", exclude={"stop_list"})
    features = (
        [geojson.line(tour.id, polyline.decode(geometry).tolist(), facts)] if geometry else []
    )
    features += [
        geojson.point(
            f"{tour.id}/{stop.number}",
            stop.lon,
            stop.lat,
            stop.model_dump(mode="json", exclude={"lon", "lat"}),
        )
        for stop in tour.stop_list
    ]
    return geojson.collection(features, attribution=tour.attribution)
