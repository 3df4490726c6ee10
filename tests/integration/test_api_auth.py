import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from api.auth import PERMISSIONS, IdentityProvider, Role
from tests.fixtures.api import PlannedDay, running

pytestmark = pytest.mark.db
KEY = ECKey.generate_key("P-256", {"kid": "one"})
Token = Callable[..., str]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real web server that publishes our public key as an OpenID provider does."""
    folder = tmp_path_factory.mktemp("issuer")
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        (folder / ".well-known").mkdir()
        (folder / ".well-known" / "openid-configuration").write_text(
            json.dumps({"issuer": address, "jwks_uri": f"{address}/keys.json"})
        )
        _publish(folder, KEY)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield address
        server.shutdown()
        thread.join()


def _publish(folder: Path, *keys: ECKey) -> None:
    (folder / "keys.json").write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)))


@pytest.fixture(scope="module")
def token(issuer: str) -> Token:
    """Makes tokens; what is given replaces what a good one says."""

    def make(key: Any = KEY, algorithm: str = "ES256", **changes: Any) -> str:
        claims = {
            "iss": issuer,
            "aud": "binround",
            "sub": "somebody",
            "exp": int(time.time()) + 300,
            "roles": ["viewer"],
            **changes,
        }
        header = {"alg": algorithm, "kid": "one"}
        return jwt.encode(
            header,
            {name: value for name, value in claims.items() if value is not None},
            key,
            algorithms=[algorithm],
        )

    return make


@pytest.fixture(scope="module")
def guarded(still_day: PlannedDay, issuer: str) -> Iterator[httpx.Client]:
    """A client of an API that asks for tokens."""
    app = still_day.app(verifier=IdentityProvider(issuer, "binround"))
    with running(app) as address, httpx.Client(base_url=address, timeout=10) as client:
        yield client


def _get(client: httpx.Client, token: str) -> httpx.Response:
    return client.get("/v1/plans", headers={"Authorization": f"Bearer {token}"})


def test_a_good_token_opens_the_door(guarded: httpx.Client, token: Token) -> None:
    """Signed by the provider, for us, and not expired."""
    assert _get(guarded, token()).status_code == 200


def test_keycloaks_way_to_write_roles_is_understood(guarded: httpx.Client, token: Token) -> None:
    """`realm_access.roles` counts when there is no `roles`."""
    text = token(roles=None, realm_access={"roles": ["viewer", "offline_access"]})
    assert _get(guarded, text).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_000_000_000},
        {"exp": None},
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"sub": None},
        {"key": ECKey.generate_key("P-256", {"kid": "one"})},
        {"key": RSAKey.generate_key(2048, {"kid": "one"}), "algorithm": "RS256"},
    ],
    ids=lambda changes: "-".join(f"{name}" for name in changes),
)
def test_any_flaw_closes_it(guarded: httpx.Client, token: Token, changes: dict[str, Any]) -> None:
    """Expired, for others, from others, or signed with another key: 401, and no hint why."""
    answer = _get(guarded, token(**changes))
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:binround:problem:unauthenticated"
    assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic YTpi",
        "Bearer",
        "Bearer x.y.z",
        # {"alg":"none"}, with claims that would be fine
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
    ],
)
def test_without_a_token_there_is_nothing(guarded: httpx.Client, header: str) -> None:
    """No token, another scheme, rubbish, or `alg: none`."""
    assert guarded.get("/v1/plans", headers={"Authorization": header}).status_code == 401


def test_health_needs_no_token(guarded: httpx.Client) -> None:
    """A supervisor has none."""
    assert guarded.get("/livez").status_code == 200
    assert guarded.get("/readyz").status_code == 200


@pytest.mark.parametrize("role", [None, *Role, "emperor"])
def test_each_role_may_do_what_the_table_says(
    guarded: httpx.Client, token: Token, role: str | None
) -> None:
    """Every route, every role: allowed just where the table says so."""
    headers = {"Authorization": f"Bearer {token(roles=[role] if role else [])}"}
    for (method, path), allowed in PERMISSIONS.items():
        if path == "/v1/live":
            continue  # it does not end
        address = (
            path.replace("{job}", "4711")
            .replace("{plan}", "p")
            .replace("{tour}", "t")
            .replace("{vehicle}", "v")
            .replace("{device}", "d")
        )
        status = guarded.request(method, address, headers=headers, json={}).status_code
        assert (status != 403) is (role in allowed), (method, path, role, status)


def test_no_route_is_missing_from_the_table(still_day: PlannedDay) -> None:
    """Who adds a route has to say who may use it."""
    described = still_day.app().openapi()["paths"]
    routes = {
        (method.upper(), path)
        for path, methods in described.items()
        for method in methods
        if path not in ("/livez", "/readyz")
    }
    assert routes == set(PERMISSIONS)


def test_a_provider_that_is_away_is_not_the_clients_fault(
    still_day: PlannedDay, token: Token
) -> None:
    """503, not 401: the token may be good."""
    app = still_day.app(verifier=IdentityProvider("http://127.0.0.1:9", "binround"))
    with running(app) as address, httpx.Client(base_url=address) as client:
        assert _get(client, token()).status_code == 503


def test_new_keys_of_the_provider_are_fetched(
    still_day: PlannedDay, tmp_path: Path, issuer: str, token: Token
) -> None:
    """A provider changes its keys from time to time; nobody restarts us for it."""
    new = ECKey.generate_key("P-256", {"kid": "one"})
    answers = iter([KEY, new])

    def publish(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/keys":
            return httpx.Response(200, json=KeySet([next(answers)]).as_dict(private=False))
        return httpx.Response(200, json={"jwks_uri": f"{issuer}/keys"})

    client = httpx.Client(transport=httpx.MockTransport(publish))
    provider = IdentityProvider(issuer, "binround", client, refresh_pause_s=0)
    assert provider(token()).name == "somebody"
    assert provider(token(key=new)).name == "somebody"
