"""Every error is a problem document (RFC 9457) with a stable type; none echoes what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from config.errors import BinroundError, DatabaseError, DeviceConflictError, DeviceError
from config.region import ID_PATTERN

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: the last part of its type, its status and its title."""

    slug: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URI that names this kind for ever."""
        return f"urn:binround:problem:{self.slug}"


BAD_REQUEST = Kind("bad-request", 400, "The request cannot be understood")
UNAUTHENTICATED = Kind("unauthenticated", 401, "A valid access token is needed")
FORBIDDEN = Kind("forbidden", 403, "Your role does not allow this")
NOT_FOUND = Kind("not-found", 404, "There is nothing at this address")
METHOD = Kind("method-not-allowed", 405, "This address does not take this method")
NOT_ACCEPTABLE = Kind("not-acceptable", 406, "None of the accepted formats is offered")
CONFLICT = Kind("conflict", 409, "This contradicts the present state")
PRECONDITION = Kind("precondition-failed", 412, "It has changed since you looked at it")
TOO_LARGE = Kind("too-large", 413, "The request body is too large")
MISDIRECTED = Kind("misdirected", 421, "This server does not answer for that host name")
INVALID = Kind("invalid", 422, "Some values are not valid")
INTERNAL = Kind("internal", 500, "Something went wrong on our side")
UNAVAILABLE = Kind("unavailable", 503, "A part we need is not available; try again soon")
KINDS = (
    *(BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD, NOT_ACCEPTABLE, CONFLICT),
    *(PRECONDITION, TOO_LARGE, MISDIRECTED, INVALID, INTERNAL, UNAVAILABLE),
)
_BY_STATUS = {kind.status: kind for kind in KINDS}


class InvalidValue(BaseModel):
    """One value that is not valid."""

    pointer: str = Field(description="Where: JSON pointer into the body, or query/… or path/…")
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Stable name of the kind of problem.")
    title: str
    status: int
    detail: str | None = None
    errors: list[InvalidValue] | None = None


class HttpProblem(HTTPException):
    """Ends a request with a problem document."""

    def __init__(
        self, kind: Kind, detail: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(kind.status, detail or kind.title, dict(headers or {}))
        self.kind = kind
        self.text = detail


def respond(
    kind: Kind,
    detail: str | None = None,
    errors: list[InvalidValue] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the response that carries a problem."""
    problem = Problem(
        type=kind.type, title=kind.title, status=kind.status, detail=detail, errors=errors
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), kind.status, dict(headers or {}), MEDIA_TYPE
    )


def declared(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems that a route may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {kind.status: {"description": kind.title, "content": content} for kind in kinds}


def _on_http(request: Request, error: HTTPException) -> JSONResponse:
    if isinstance(error, HttpProblem):
        return respond(error.kind, error.text, headers=error.headers)
    kind = _BY_STATUS.get(error.status_code, BAD_REQUEST)
    headers = dict(error.headers or {})
    if kind is METHOD:
        headers["Allow"] = ", ".join(sorted(_allowed(request)))
    return respond(kind, headers=headers)


def _allowed(request: Request) -> set[str]:
    """Return the methods of all routes at the path; the router itself names one route's only."""
    operations: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    found = (
        methods
        for path, methods in operations.items()
        if compile_path(path)[0].match(request.url.path)
    )
    return {method.upper() for methods in found for method in methods} or {"GET", "HEAD"}


def _on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    return respond(INVALID, errors=[_invalid_value(item) for item in error.errors()])


def _invalid_value(item: Mapping[str, Any]) -> InvalidValue:
    place, *rest = item["loc"]
    if item["type"] in {"extra_forbidden", "json_invalid"}:
        rest = rest[:-1]  # the last part is the sender's own
    start = "" if place == "body" else f"{place}"
    return InvalidValue(pointer="/".join([start, *map(str, rest)]), detail=_said(item))


def _said(item: Mapping[str, Any]) -> str:
    """Say what is wrong with a value; where pydantic speaks of its own matters, in our words."""
    if item["loc"] == ("body",):
        return "Send a JSON object, with Content-Type: application/json"
    if item["type"] == "string_pattern_mismatch" and item["ctx"]["pattern"] == ID_PATTERN:
        return "Use 1 to 32 of a-z, 0-9 and -"
    return str(item["msg"])


def _on_device(request: Request, error: DeviceError) -> JSONResponse:
    kind = CONFLICT if isinstance(error, DeviceConflictError) else INVALID
    place = "path" if error.field in request.path_params else ""
    told = error.told[:1].upper() + error.told[1:]
    pointed = InvalidValue(pointer=f"{place}/{error.field}", detail=told)
    return respond(kind, f"{told}.", [pointed])


def _on_unavailable(request: Request, error: Exception) -> JSONResponse:
    return respond(UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_S)})


def _on_internal(request: Request, error: Exception) -> JSONResponse:
    return respond(INTERNAL)


def install(app: FastAPI) -> None:
    """Let the app answer every error with a problem document."""
    handlers: dict[type[Exception], Any] = {
        HTTPException: _on_http,
        RequestValidationError: _on_invalid,
        DeviceError: _on_device,
        DatabaseError: _on_unavailable,
        PoolTimeout: _on_unavailable,
        psycopg.OperationalError: _on_unavailable,  # includes a cancelled, too slow statement
        BinroundError: _on_internal,
        Exception: _on_internal,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)
