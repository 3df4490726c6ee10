"""The device registry over HTTP: credentials once, true answers, revocation in force."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.app import create_app
from storage import assets, audit
from storage.logins import LOGINS, keep_logins
from tests.fixtures.api import PlannedDay, running
from tests.fixtures.broker import NO_NAMES, Heard, connect
from tests.fixtures.served import Served

pytestmark = pytest.mark.db
YARD = {"name": "yard-gateway", "kind": "gateway"}
IN_FORCE_S = 60.0


def pages(api: httpx.Client, **query: str) -> list[dict[str, object]]:
    """Return all devices, page by page."""
    found: list[dict[str, object]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("/v1/devices", params={**query, **cursor}).raise_for_status().json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def acts(day: PlannedDay) -> list[tuple[str, str, str]]:
    """Return who did what with which device, oldest first."""
    with day.database.connect() as connection:
        entries = audit.entries(connection)
    return [(entry.who, entry.action, entry.object) for entry in reversed(entries)]


def pointed(answer: httpx.Response) -> list[str]:
    """Return what a problem points at."""
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


def watched(day: PlannedDay) -> tuple[str, str]:
    """Return a container and its sensor."""
    return next((c.id, c.sensor) for c in day.region.containers if c.sensor)


def test_a_device_is_added_and_its_secret_is_shown_once(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """201 with where it is; no cache may keep the secret, and no later answer has it."""
    answer = api.post("/v1/devices", json=YARD)

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    secrets = made.pop("credentials")
    assert secrets["user"] == "yard-gateway"
    place = answer.headers["location"]
    assert place == "/v1/devices/yard-gateway"
    assert api.get(place).json() == made
    assert made["state"] == "active"
    for text in (api.get(place).text, api.get("/v1/devices?limit=200").text):
        assert secrets["password"] not in text
        assert secrets["client_id"] not in text
    assert acts(planned_day) == [("local", "add-device", "device/yard-gateway")]


def test_asking_again_is_a_conflict_that_says_what_to_do(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """A secret cannot be shown twice, so a repetition is refused and changes nothing."""
    first = api.post("/v1/devices", json=YARD).json()
    again = api.post("/v1/devices", json=YARD)
    assert again.status_code == 409
    assert pointed(again) == ["/name"]
    assert "rotate" in again.json()["detail"]
    assert api.get("/v1/devices/yard-gateway").json()["provisioned_at"] == first["provisioned_at"]
    assert len(acts(planned_day)) == 1


def test_pages_hold_every_device_once(api: httpx.Client, planned_day: PlannedDay) -> None:
    """Following `next` to the end gives the whole registry without repetition."""
    with planned_day.database.connect() as connection:
        known = sorted(assets.devices(connection))
    assert [device["name"] for device in pages(api, limit="7")] == known


def test_the_list_is_filtered_by_kind_and_state(api: httpx.Client, planned_day: PlannedDay) -> None:
    """Filters hold together, and across pages."""
    trucks = sorted(vehicle.id for vehicle in planned_day.region.vehicles)
    assert [d["name"] for d in pages(api, kind="unit", limit="1")] == trucks
    api.post(f"/v1/devices/{trucks[0]}/revoke")
    assert [d["name"] for d in pages(api, kind="unit", state="active")] == trucks[1:]
    assert [d["name"] for d in pages(api, state="revoked")] == trucks[:1]
    assert pages(api, kind="sensor", state="revoked") == []


def test_a_sensor_behind_a_gateway_has_no_credentials(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """Its gateway speaks for it: none are shown, and there is nothing to rotate."""
    container, sensor = watched(planned_day)
    gateway = assets.gateway_name(planned_day.region.id)
    api.post(f"/v1/devices/{sensor}/revoke")
    spare = {"name": "spare-1", "kind": "sensor", "container": container, "gateway": gateway}
    made = api.post("/v1/devices", json=spare).json()
    assert made["credentials"] is None
    assert (made["container"], made["gateway"]) == (container, gateway)
    refused = api.post("/v1/devices/spare-1/rotate")
    assert refused.status_code == 409
    assert gateway in refused.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        *(({"name": name}, ["/name"]) for name in NO_NAMES),
        ({"name": "binround-server"}, ["/name"]),
        ({"kind": "toaster"}, ["/kind"]),
        ({"kind": None, "name": 7}, ["/name", "/kind"]),
        ({"kind": "unit"}, ["/name"]),
        ({"kind": "sensor"}, ["/container"]),
        ({"kind": "sensor", "container": "nowhere"}, ["/container"]),
        ({"container": "c-1"}, ["/container"]),
        ({"gateway": "example-gateway"}, ["/gateway"]),
    ],
)
def test_a_value_that_cannot_be_is_pointed_at(
    still_api: httpx.Client,
    still_day: PlannedDay,
    changes: dict[str, object],
    pointers: list[str],
) -> None:
    """Names that a broker could misread, and places that do not exist, change nothing."""
    answer = still_api.post("/v1/devices", json={**YARD, **changes})
    assert answer.status_code == 422
    assert pointed(answer) == pointers
    assert acts(still_day) == []


def test_a_body_that_is_no_json_is_told_what_to_send(still_api: httpx.Client) -> None:
    """Many a tool sends a form unless it is told otherwise."""
    for answer in (
        still_api.post("/v1/devices", content='{"name": "a"}'),
        still_api.post("/v1/devices", data={"name": "a"}),
        still_api.post("/v1/devices", json=None),
        still_api.post("/v1/devices", json=["a"]),
    ):
        assert answer.status_code == 422
        assert "Content-Type: application/json" in answer.json()["errors"][0]["detail"]


def test_a_wrong_name_is_told_what_a_name_may_hold(still_api: httpx.Client) -> None:
    """In words, not as a pattern."""
    answer = still_api.post("/v1/devices", json={**YARD, "name": "a/+"})
    assert answer.json()["errors"][0]["detail"] == "Use 1 to 32 of a-z, 0-9 and -"


def test_a_gateway_has_to_be_there(api: httpx.Client, planned_day: PlannedDay) -> None:
    """A sensor cannot be attached to nobody."""
    container, sensor = watched(planned_day)
    api.post(f"/v1/devices/{sensor}/revoke")
    spare = {"name": "spare-1", "kind": "sensor", "container": container, "gateway": "nobody"}
    assert pointed(api.post("/v1/devices", json=spare)) == ["/gateway"]


def test_two_who_ask_at_once_do_not_give_a_container_two_sensors(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """One gets it, all others are told that it has one."""
    container, sensor = watched(planned_day)
    api.post(f"/v1/devices/{sensor}/revoke")

    def ask(number: int) -> int:
        spare = {"name": f"spare-{number}", "kind": "sensor", "container": container}
        return api.post("/v1/devices", json=spare).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, range(6))) == [201, *[409] * 5]


def test_rotating_gives_new_credentials_each_time(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """Shown once, like the first ones, and written down with who did it."""
    first = api.post("/v1/devices", json=YARD).json()["credentials"]
    answers = [api.post("/v1/devices/yard-gateway/rotate") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    shown = [first, *(answer.json()["credentials"] for answer in answers)]
    assert len({each["password"] for each in shown}) == 3
    assert len({each["client_id"] for each in shown}) == 3
    assert acts(planned_day)[1:] == [("local", "rotate-device", "device/yard-gateway")] * 2


def test_revoking_again_changes_nothing(api: httpx.Client, planned_day: PlannedDay) -> None:
    """The first time counts; a revoked device cannot be rotated, only taken back."""
    truck = planned_day.vehicle
    first, second = (api.post(f"/v1/devices/{truck}/revoke") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["state"] == "revoked"
    assert acts(planned_day) == [("local", "revoke-device", f"device/{truck}")]
    assert api.post(f"/v1/devices/{truck}/rotate").status_code == 409
    back = api.post("/v1/devices", json={"name": truck, "kind": "unit"})
    assert back.status_code == 201
    assert (back.json()["state"], back.json()["vehicle"]) == ("active", truck)


@pytest.mark.parametrize("act", ["", "/rotate", "/revoke"])
def test_a_device_that_is_not_there(
    still_api: httpx.Client, still_day: PlannedDay, act: str
) -> None:
    """404 for a name nobody has, 422 for what is no name."""
    ask = still_api.post if act else still_api.get
    assert ask(f"/v1/devices/nobody{act}").status_code == 404
    assert pointed(ask(f"/v1/devices/No%20body{act}")) == ["path/device"]
    assert acts(still_day) == []


def test_the_file_of_logins_follows(api: httpx.Client, planned_day: PlannedDay) -> None:
    """A login that `setup` keeps is renewed, struck out, and right when the device is back."""
    truck, path = planned_day.vehicle, planned_day.settings.data_dir / LOGINS

    def kept() -> dict[str, dict[str, str]]:
        return keep_logins(planned_day.database, planned_day.region, path, planned_day.clock)

    kept()
    made = api.post(f"/v1/devices/{truck}/rotate").json()["credentials"]
    eventually(lambda: kept()[truck] == made, 5)
    api.post(f"/v1/devices/{truck}/revoke")
    eventually(lambda: made["password"] not in path.read_text(), 5)
    back = api.post("/v1/devices", json={"name": truck, "kind": "unit"}).json()["credentials"]
    eventually(lambda: back["password"] in path.read_text(), 5)
    assert kept()[truck] == back


@pytest.fixture
def registry(served: Served) -> Iterator[httpx.Client]:
    """A client of the API beside an ingester that has a broker of its own."""
    served.use_own_broker()
    app = create_app(served.settings, served.clock, served.database, served.region)
    with (
        served.ingester(),
        running(app) as address,
        httpx.Client(base_url=address, timeout=10) as client,
    ):
        yield client


def log_in(served: Served, credentials: dict[str, str]) -> Heard:
    """Connect with what the API has shown."""
    return connect(
        served.own_broker_port(),
        credentials["user"],
        credentials["password"],
        credentials["client_id"],
    )


def eventually(holds: Callable[[], object], timeout_s: float) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def test_what_the_api_grants_and_takes_is_in_force_within_a_minute(
    served: Served, registry: httpx.Client
) -> None:
    """A new device gets in; once revoked it is cut, does not come back, and others stay."""
    made = registry.post("/v1/devices", json=YARD).json()["credentials"]
    other = registry.post("/v1/devices/truck-2/rotate").json()["credentials"]
    clients: list[Heard] = []

    def gets_in(credentials: dict[str, str]) -> bool:
        clients.append(log_in(served, credentials))
        if clients[-1].refused:
            clients[-1].client.loop_stop()
        return not clients[-1].refused

    try:
        eventually(lambda: gets_in(made), IN_FORCE_S)
        yard = clients[-1]
        eventually(lambda: gets_in(other), IN_FORCE_S)
        truck, cut = clients[-1], list[object]()
        truck.client.on_disconnect = lambda *args: cut.append(args)
        registry.post("/v1/devices/yard-gateway/revoke").raise_for_status()
        eventually(lambda: "Not authorized" in yard.refused, IN_FORCE_S)
        assert not gets_in(made)
        assert truck.client.is_connected()
        assert cut == []
    finally:
        for each in clients:
            each.client.disconnect()
            each.client.loop_stop()
