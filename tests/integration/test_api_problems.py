import json
from collections.abc import Callable

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.app import MAX_BODY_BYTES
from tests.fixtures.api import PlannedDay, running
from tests.fixtures.database import DatabaseServer

pytestmark = pytest.mark.db
ECHO = "zzz-echo-zzz"
Ask = Callable[[httpx.Client], httpx.Response]

PROBLEMS: dict[str, tuple[Ask, int, str]] = {
    "unknown address": (lambda c: c.get(f"/v1/{ECHO}"), 404, "not-found"),
    "unknown plan": (lambda c: c.get(f"/v1/plans/{ECHO}"), 404, "not-found"),
    "unknown tour": (lambda c: c.get(f"/v1/tours/{ECHO}"), 404, "not-found"),
    "unknown job": (lambda c: c.get("/v1/jobs/4711"), 404, "not-found"),
    "no roads yet": (lambda c: c.get("/v1/roads.geojson"), 404, "not-found"),
    "wrong method": (lambda c: c.delete("/v1/plans"), 405, "method-not-allowed"),
    "wrong format": (
        lambda c: c.get("/v1/containers", headers={"Accept": "image/png"}),
        406,
        "not-acceptable",
    ),
    "too large": (
        lambda c: c.post("/v1/plans", content=b"x" * (MAX_BODY_BYTES + 1)),
        413,
        "too-large",
    ),
    "too large, bit by bit": (
        lambda c: c.post(
            "/v1/plans",
            content=(b"x" * 100_000 for _ in range(11)),
            headers={"Content-Type": "application/json"},
        ),
        413,
        "too-large",
    ),
    "limit too high": (lambda c: c.get("/v1/containers?limit=201"), 422, "invalid"),
    "not an id": (lambda c: c.get(f"/v1/plans/{ECHO}%00"), 422, "invalid"),
    "not a day": (lambda c: c.get(f"/v1/plans?day={ECHO}"), 422, "invalid"),
    "foreign cursor": (lambda c: c.get(f"/v1/plans?cursor={ECHO}"), 422, "invalid"),
    "unknown field": (
        lambda c: c.post("/v1/plans", json={"day": "2026-11-23", "service": "glass", ECHO: 1}),
        422,
        "invalid",
    ),
    "wrong type": (
        lambda c: c.post("/v1/plans", json={"day": False, "service": ECHO.upper()}),
        422,
        "invalid",
    ),
    "not json": (
        lambda c: c.post("/v1/plans", content=ECHO, headers={"Content-Type": "application/json"}),
        422,
        "invalid",
    ),
    "nan": (
        lambda c: c.post(
            "/v1/plans",
            content='{"day": NaN, "service": 1e400}',
            headers={"Content-Type": "application/json"},
        ),
        422,
        "invalid",
    ),
    "foreign host": (
        lambda c: c.get("/v1/clock", headers={"Host": f"{ECHO}.example"}),
        421,
        "misdirected",
    ),
    "foreign page": (
        lambda c: c.post("/v1/plans", json={}, headers={"Origin": f"https://{ECHO}.example"}),
        403,
        "forbidden",
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_every_error_is_a_problem_that_echoes_nothing(still_api: httpx.Client, case: str) -> None:
    """RFC 9457, with a stable type; what the client sent does not come back."""
    ask, status, slug = PROBLEMS[case]

    answer = ask(still_api)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:binround:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert ECHO not in answer.text.lower()


def test_an_invalid_value_is_pointed_at(still_api: httpx.Client) -> None:
    """The client learns which values to correct."""
    answer = still_api.post("/v1/plans", json={"day": "2026-11-23", "service": "GLASS!"})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/service"]


def test_a_wrong_method_is_told_all_the_right_ones(still_api: httpx.Client) -> None:
    """`Allow` names every method of the address, not those of one handler."""
    assert still_api.delete("/v1/plans").headers["allow"] == "GET, POST"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_can_be_asked_for_its_head(still_api: httpx.Client, path: str) -> None:
    """Who watches the service with HEAD gets the page's answer without its body."""
    answer = still_api.head(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert not answer.content


def test_a_bug_is_a_problem_without_details(planned_day: PlannedDay) -> None:
    """Whatever happens inside, a client sees nothing of it."""
    app = planned_day.app()
    _break(app)
    with running(app) as address, httpx.Client(base_url=address) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:binround:problem:internal",
        "title": "Something went wrong on our side",
        "status": 500,
    }


def _break(app: FastAPI) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret")


def test_without_its_database_it_says_so_and_when_to_come_back(
    api: httpx.Client, planned_day: PlannedDay, database_server: DatabaseServer
) -> None:
    """503 with Retry-After, within seconds; the process itself lives on."""
    assert api.get("/readyz").status_code == 200
    database_server.drop(planned_day.database)

    answers = [api.get(path) for path in ("/v1/containers", "/readyz")]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["type"] == "urn:binround:problem:unavailable"
        assert answer.elapsed.total_seconds() < 4
    assert api.get("/livez").json() == {"status": "ok"}


def test_it_is_not_ready_before_the_schema_is_there(
    planned_day: PlannedDay, api: httpx.Client
) -> None:
    """An operator is told which command is missing."""
    with psycopg.connect(planned_day.database.dsn, autocommit=True) as connection:
        connection.execute("DELETE FROM migration WHERE name = '0004_idempotency'")
    answer = api.get("/readyz")
    assert answer.status_code == 503
    assert "binround db migrate" in answer.json()["detail"]


def test_every_answer_keeps_the_console_to_its_own_origin(still_api: httpx.Client) -> None:
    """No page, script, style or image may come from or go anywhere else."""
    for path in ("/", "/v1/clock", "/v1/nothing"):
        headers = still_api.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["connect-src"] == policy["script-src"] == "'self'"
        assert not any("http" in sources for sources in policy.values())
        assert headers["x-content-type-options"] == "nosniff"


def test_problems_are_json_that_everybody_can_read(still_api: httpx.Client) -> None:
    """No NaN slips into an answer, which would not be JSON."""
    text = still_api.post("/v1/plans", content='{"day": NaN}').text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
