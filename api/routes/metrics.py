"""Figures for Prometheus."""

from fastapi import APIRouter, Request, Response

from api.context import Connection, Parts
from api.metrics import Metrics

router = APIRouter(tags=["health"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request, parts: Parts, connection: Connection) -> Response:
    """Requests, jobs, dead letters and silence, as Prometheus text; no device, no place."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.tell(connection, parts.clock.now()), media_type=TEXT)
