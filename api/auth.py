"""Who may do what: bearer tokens of an identity provider, and a table of roles.

Without an identity provider the API listens on loopback only (see `api.guard`) and whoever
sits at this machine acts as its administrator.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import httpx
from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.problems import FORBIDDEN, UNAUTHENTICATED, UNAVAILABLE, HttpProblem

_ALGORITHMS = ["RS256", "ES256"]
_LEEWAY_S = 60
_KEYS_LIVE_S = 600.0
_REFRESH_PAUSE_S = 30.0


class Role(StrEnum):
    """What somebody does at the operator."""

    VIEWER = "viewer"
    DISPATCHER = "dispatcher"
    PLANNER = "planner"
    ADMIN = "admin"


_ALL = frozenset(Role)
_ADMIN = frozenset({Role.ADMIN})
_STEER = frozenset({Role.DISPATCHER, Role.ADMIN})
_PLAN = frozenset({Role.DISPATCHER, Role.PLANNER, Role.ADMIN})

PERMISSIONS: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/metrics"): _ALL,
    ("GET", "/v1/clock"): _ALL,
    ("GET", "/v1/containers"): _ALL,
    ("GET", "/v1/containers/{container}/levels"): _ALL,
    ("GET", "/v1/devices"): _ADMIN,
    ("POST", "/v1/devices"): _ADMIN,
    ("GET", "/v1/devices/{device}"): _ADMIN,
    ("POST", "/v1/devices/{device}/revoke"): _ADMIN,
    ("POST", "/v1/devices/{device}/rotate"): _ADMIN,
    ("GET", "/v1/jobs/{job}"): _ALL,
    ("GET", "/v1/live"): _ALL,
    ("GET", "/v1/plans"): _ALL,
    ("POST", "/v1/plans"): _PLAN,
    ("GET", "/v1/plans/{plan}"): _ALL,
    ("GET", "/v1/plans/{plan}/explanation"): _ALL,
    ("POST", "/v1/plans/{plan}/events"): _STEER,
    ("POST", "/v1/plans/{plan}/publish"): _STEER,
    ("GET", "/v1/plans/{plan}/replans"): _ALL,
    ("GET", "/v1/region"): _ALL,
    ("GET", "/v1/replans/{replan}"): _ALL,
    ("POST", "/v1/replans/{replan}/accept"): _STEER,
    ("POST", "/v1/replans/{replan}/refuse"): _STEER,
    ("GET", "/v1/roads.geojson"): _ALL,
    ("GET", "/v1/tours/{tour}"): _ALL,
    ("PUT", "/v1/tours/{tour}/stops/{number}/lock"): _STEER,
    ("DELETE", "/v1/tours/{tour}/stops/{number}/lock"): _STEER,
    ("GET", "/v1/vehicles"): _ALL,
    ("GET", "/v1/vehicles/{vehicle}/positions"): _STEER,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    name: str
    roles: frozenset[Role]


LOCAL = Principal("local", _ALL)


class Verifier(Protocol):
    """Tells who a bearer token belongs to."""

    def __call__(self, token: str) -> Principal:
        """Return who it is.

        Raises:
            HttpProblem: the token is not valid, or the provider cannot be reached.
        """
        ...


class IdentityProvider:
    """An OpenID Connect issuer; its keys are fetched when needed and kept for ten minutes."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        client: httpx.Client | None = None,
        *,
        refresh_pause_s: float = _REFRESH_PAUSE_S,
    ) -> None:
        self._refresh_pause_s = refresh_pause_s
        self._issuer = issuer.rstrip("/")
        self._claims = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "values": [self._issuer, f"{self._issuer}/"]},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._client = client or httpx.Client(timeout=5)
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched = -_KEYS_LIVE_S

    def __call__(self, token: str) -> Principal:
        """Return who a token belongs to, after checking signature, issuer, audience and time."""
        keys = self._current_keys(_KEYS_LIVE_S)
        try:
            claims = self._decode(token, keys)
        except (JoseError, ValueError):
            newer = self._current_keys(
                self._refresh_pause_s
            )  # the provider may have changed its keys
            if newer is keys:
                raise _not_valid() from None
            try:
                claims = self._decode(token, newer)
            except (JoseError, ValueError):
                raise _not_valid() from None
        return Principal(str(claims["sub"]), _roles(claims))

    def _decode(self, token: str, keys: KeySet) -> dict[str, Any]:
        claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
        self._claims.validate(claims)
        return claims

    def _current_keys(self, live_s: float) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() - self._fetched > live_s:
                self._keys = self._fetch()
                self._fetched = time.monotonic()
            return self._keys

    def _fetch(self) -> KeySet:
        try:
            found = self._client.get(f"{self._issuer}/.well-known/openid-configuration")
            keys = self._client.get(found.raise_for_status().json()["jwks_uri"])
            return KeySet.import_key_set(keys.raise_for_status().json())
        except (httpx.HTTPError, JoseError, KeyError, ValueError):
            raise HttpProblem(
                UNAVAILABLE, "The identity provider cannot be reached.", {"Retry-After": "5"}
            ) from None


def _roles(claims: Mapping[str, Any]) -> frozenset[Role]:
    """Read the roles from `roles`, or from `realm_access.roles` as Keycloak writes them."""
    named = claims.get("roles")
    if named is None and isinstance(claims.get("realm_access"), Mapping):
        named = claims["realm_access"].get("roles")
    known = set(Role)
    return frozenset(Role(name) for name in named or () if name in known)


def _not_valid() -> HttpProblem:
    return HttpProblem(
        UNAUTHENTICATED,
        "The access token is not valid.",
        {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )


def authorize(request: Request) -> Principal:
    """Find out who asks and refuse what the table does not allow; a dependency of all routes."""
    verifier: Verifier | None = request.app.state.verifier
    principal = LOCAL if verifier is None else verifier(_bearer(request))
    allowed = PERMISSIONS.get((request.method, request.scope["route"].path), frozenset())
    if not principal.roles & allowed:
        raise HttpProblem(FORBIDDEN)
    return principal


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HttpProblem(UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
    return token.strip()
