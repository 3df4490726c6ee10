"""GeoJSON by content type (RFC 7946): WGS84, longitude first, six decimals."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request, Response

from api import schemas
from api.problems import NOT_ACCEPTABLE, HttpProblem

MEDIA_TYPE = "application/geo+json"
_JSON = "application/json"
DECLARED: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/FeatureCollection"}}}}
}


def wanted(request: Request) -> bool:
    """Whether the client would rather have GeoJSON than plain JSON.

    Raises:
        HttpProblem: it takes neither.
    """
    accepted = _accepted(request.headers.get("accept", "*/*"))
    geo, plain = _quality(accepted, MEDIA_TYPE), _quality(accepted, _JSON)
    if not geo and not plain:
        raise HttpProblem(NOT_ACCEPTABLE, f"Ask for {_JSON} or {MEDIA_TYPE}.")
    return geo > plain


def _accepted(header: str) -> dict[str, float]:
    accepted: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (item.strip() for item in part.split(";"))
        quality = next((item[2:] for item in parameters if item.startswith("q=")), "1")
        try:
            accepted[name.lower()] = float(quality)
        except ValueError:
            accepted[name.lower()] = 0.0
    return accepted


def _quality(accepted: Mapping[str, float], media_type: str) -> float:
    """Return the quality of the most specific range that covers a type."""
    for covering in (media_type, "application/*", "*/*"):
        if covering in accepted:
            return accepted[covering]
    return 0.0


def point(
    id_: str, lon: float | None, lat: float | None, properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a feature at a point, or without a place."""
    placed = lon is not None and lat is not None
    geometry = {"type": "Point", "coordinates": [round(lon or 0, 6), round(lat or 0, 6)]}
    return {
        "type": "Feature",
        "id": id_,
        "geometry": geometry if placed else None,
        "properties": dict(properties),
    }


def line(
    id_: str, points: Iterable[tuple[float, float]], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a feature along a line."""
    geometry = {"type": "LineString", "coordinates": [list(point) for point in points]}
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": dict(properties)}


def collection(features: Iterable[Mapping[str, Any]], **members: Any) -> dict[str, Any]:
    """Return a layer; `members` are further facts about the whole of it."""
    return {"type": "FeatureCollection", "features": list(features), **members}


def respond(layer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a layer as a response."""
    content = json.dumps(layer, separators=(",", ":"), ensure_ascii=False)
    return Response(content, headers={"Vary": "Accept", **(headers or {})}, media_type=MEDIA_TYPE)


def positions(vehicles: Iterable[schemas.Vehicle]) -> dict[str, Any]:
    """Return where all vehicles are that have said so."""
    return collection(
        point(
            vehicle.id,
            vehicle.position.lon,
            vehicle.position.lat,
            {
                "tour": vehicle.tour,
                **vehicle.position.model_dump(mode="json", exclude={"lon", "lat"}),
            },
        )
        for vehicle in vehicles
        if vehicle.position
    )
