"""The region and its roads."""

import gzip
import hashlib
import json
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from api import geojson, schemas, views
from api.context import Context, Parts
from api.problems import NOT_FOUND, HttpProblem, declared
from config.files import road_layer

router = APIRouter(tags=["region"])


@router.get("/v1/region")
def get_region(parts: Parts) -> schemas.Region:
    """What the operator declares: names, places, and whom to thank for the map."""
    return views.region(parts.region, _attribution(parts))


@router.get(
    "/v1/roads.geojson",
    response_class=Response,
    responses={**declared(NOT_FOUND), **geojson.DECLARED},
)
def get_roads(request: Request, parts: Parts) -> Response:
    """The region's roads as lines with `class` and `name`, the ground of the map."""
    path = road_layer(parts.settings.data_dir, parts.region.id)
    if not path.is_file():
        raise HttpProblem(NOT_FOUND, "The road network is still being prepared.")
    content, etag, _ = _read(path, path.stat().st_mtime_ns)
    headers = {"ETag": etag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type=geojson.MEDIA_TYPE)
    return Response(gzip.decompress(content), headers=headers, media_type=geojson.MEDIA_TYPE)


def _attribution(parts: Context) -> str:
    """Name everybody whose data is on the map: the region's facts and the road network."""
    path = road_layer(parts.settings.data_dir, parts.region.id)
    roads = _read(path, path.stat().st_mtime_ns)[2] if path.is_file() else ""
    return " · ".join(dict.fromkeys(name for name in (parts.region.attribution, roads) if name))


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> tuple[bytes, str, str]:
    """Return the file's content, its ETag and its attribution; read again when it changes."""
    content = path.read_bytes()
    attribution = json.loads(gzip.decompress(content)).get("attribution", "")
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"', attribution
