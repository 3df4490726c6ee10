"""Puts the API together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.utils import get_openapi

from api import console, problems
from api.auth import IdentityProvider, Verifier, authorize
from api.context import Context
from api.guard import LoopbackOnly, SecurityHeaders, SizeLimit
from api.live import LiveHub
from api.metrics import CountRequests, Metrics
from api.routes import (
    containers,
    devices,
    health,
    jobs,
    live,
    metrics,
    plans,
    region,
    replans,
    tours,
    vehicles,
)
from api.schemas import FeatureCollection
from config.clock import Clock
from config.region import Region
from config.settings import Settings
from storage.database import Database

MAX_BODY_BYTES = 1_000_000
_POOL = 8
_RESOURCES = (
    *(region, containers, vehicles, plans, replans, tours, jobs),
    *(devices, live, metrics),
)


def create_app(
    settings: Settings,
    clock: Clock,
    database: Database,
    facts: Region,
    *,
    verifier: Verifier | None = None,
    static: Path = console.STATIC,
) -> FastAPI:
    """Return the API of one region.

    Args:
        settings: where data lies, and the identity provider if there is one.
        clock: the system's time.
        database: migrated, with the region loaded.
        facts: the region.
        verifier: tells who a token belongs to, instead of the settings' identity provider.
        static: where the built console lies.
    """
    if verifier is None and settings.oidc_issuer:
        verifier = IdentityProvider(settings.oidc_issuer, settings.oidc_audience)
    hub = LiveHub(database, facts, clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with database.pool(_POOL) as pool:
            app.state.context = Context(settings, clock, database, pool, facts, hub)
            hub.start()
            yield
            hub.close()
            hub.join()

    app = FastAPI(
        title="binround",
        version=version("binround"),
        summary="Waste-collection logistics: fill levels in, optimised tours out.",
        description="Units: seconds, metres, kilograms, litres, euro; WGS84; instants in UTC.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.verifier = verifier
    app.state.hub = hub
    app.state.metrics = Metrics()
    problems.install(app)
    _add_routes(app)
    console.install(app, static)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(SizeLimit, limit=MAX_BODY_BYTES)
    if verifier is None:
        app.add_middleware(LoopbackOnly)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    _describe(app)
    return app


def _add_routes(app: FastAPI) -> None:
    kinds = (problems.METHOD, problems.TOO_LARGE, problems.INTERNAL, problems.UNAVAILABLE)
    identified = (problems.UNAUTHENTICATED, problems.FORBIDDEN, problems.MISDIRECTED)
    guarded = APIRouter(
        dependencies=[Depends(authorize)],
        responses=problems.declared(*kinds, *identified),
        max_body_size=MAX_BODY_BYTES,  # the app's own limit would answer in plain text
    )
    for resource in _RESOURCES:
        guarded.include_router(resource.router)
    app.include_router(guarded)
    app.include_router(health.router, responses=problems.declared(*kinds))


def _describe(app: FastAPI) -> None:
    """Let OpenAPI know the models that are not said as plain JSON."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
            schemas = described["components"]["schemas"]
            for model in (problems.Problem, FeatureCollection):
                found = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(found.pop("$defs", {}))
                schemas[model.__name__] = found
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            described["components"]["schemas"] = dict(sorted(schemas.items()))
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
