from datetime import timedelta

import httpx
import pytest

from tests.fixtures.api import MORNING, PLAN, PlannedDay

pytestmark = pytest.mark.db
GEOJSON = {"Accept": "application/geo+json"}


def test_a_container_shows_its_reading_and_what_is_believed(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """A dispatcher sees where a container stands, what was measured and how risky it is."""
    name = planned_day.measure(0.8, 10)

    found = next(c for c in api.get("/v1/containers").json()["items"] if c["id"] == name)

    site = planned_day.region.site_by_id[found["site"]]
    assert (found["site_name"], found["lon"], found["lat"]) == (site.name, site.lon, site.lat)
    assert found["reading"] == {"time": "2026-11-23T04:30:10Z", "fill": 0.8}
    assert found["belief"]["fill"] == 0.5
    assert 0 <= found["belief"]["overflow_risk"] <= 1


def test_a_container_shows_its_history_in_short(api: httpx.Client, planned_day: PlannedDay) -> None:
    """A planner sees a year of one container by day or hour; longer spans and strangers not."""
    name = planned_day.measure(0.8, 10)
    planned_day.measure(0.6, 20)
    path = f"/v1/containers/{name}/levels"
    span = {"since": "2025-12-01T00:00:00Z", "until": "2026-11-24T00:00:00Z"}

    days = api.get(path, params=span).json()
    hours = api.get(path, params={**span, "every": "hour"}).json()

    assert days["start"] == ["2026-11-23T00:00:00Z"]
    assert hours["start"] == ["2026-11-23T04:00:00Z"]
    for found in (days, hours):
        figures = [found[name] for name in ("readings", "fill_min", "fill_avg", "fill_max")]
        assert figures == [[2], [0.6], [0.7], [0.8]]
    too_long = {**span, "since": "2024-01-01T00:00:00Z"}
    assert api.get(path, params=too_long).status_code == 422
    assert api.get("/v1/containers/nobody/levels", params=span).status_code == 404


def test_a_belief_ends_when_the_container_is_emptied(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """What was computed before an emptying says nothing about the time after it."""
    name = planned_day.region.containers[0].id
    planned_day.report("lift", 60, stop=1, container=name, kg=90.0)

    found = api.get("/v1/containers", params={"limit": 1}).json()["items"][0]

    assert found["id"] == name
    assert found["emptied_at"] == "2026-11-23T04:31:00Z"
    assert found["belief"] is None


def test_pages_hold_every_container_once(still_api: httpx.Client, still_day: PlannedDay) -> None:
    """Following `next` to the end gives the whole list without repetition."""
    seen: list[str] = []
    query = {"limit": "7"}
    while True:
        page = still_api.get("/v1/containers", params=query).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == sorted(container.id for container in still_day.region.containers)


def test_geojson_gives_the_whole_layer_of_containers(
    still_api: httpx.Client, still_day: PlannedDay
) -> None:
    """A map asks once and gets all containers as points, longitude first."""
    answer = still_api.get("/v1/containers", headers=GEOJSON)

    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert len(features) == len(still_day.region.containers)
    site = still_day.region.site_by_id[features[0]["properties"]["site"]]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [site.lon, site.lat]}


def test_a_vehicle_shows_its_newest_position_and_its_published_tour(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """A position that arrives late does not move a truck back; a draft is nobody's tour yet."""
    planned_day.drive(8.52, 52.02, 60)
    planned_day.drive(8.51, 52.01, 30)

    def truck() -> dict[str, object]:
        items = api.get("/v1/vehicles").json()["items"]
        return next(item for item in items if item["id"] == planned_day.vehicle)

    before = truck()
    planned_day.publish()

    assert before["tour"] is None
    assert before["position"] == {
        "time": "2026-11-23T04:31:00Z",
        "lon": 8.52,
        "lat": 52.02,
        "speed_mps": 8.0,
        "heading_deg": 90.0,
    }
    assert truck()["tour"] == planned_day.tour
    layer = api.get("/v1/vehicles", headers=GEOJSON).json()
    assert [feature["id"] for feature in layer["features"]] == [planned_day.vehicle]


def test_a_plan_tells_its_tours_costs_and_what_it_leaves_out(
    still_api: httpx.Client, still_day: PlannedDay
) -> None:
    """Every site that is left out comes with its name and the reason."""
    plan = still_api.get(f"/v1/plans/{PLAN}").json()

    assert (plan["state"], plan["cost_eur"], plan["provider"]) == ("draft", 160.0, "osrm")
    assert [tour["id"] for tour in plan["tour_list"]] == [still_day.tour]
    left_out = still_day.region.sites[3]
    assert plan["unserved_list"] == [
        {
            "site": left_out.id,
            "name": left_out.name,
            "reason": "not-worth-it",
            "extra_eur": 12.5,
            "containers": [],
        }
    ]


def test_a_plan_without_an_explanation_says_so(still_api: httpx.Client) -> None:
    """Nothing is known of plans from before; a plan that does not exist is not found."""
    before = still_api.get(f"/v1/plans/{PLAN}/explanation", params={"site": "s001"})
    assert (before.status_code, before.json()["sites"]) == (200, [])
    unknown = still_api.get("/v1/plans/no-such-plan/explanation")
    assert (unknown.status_code, unknown.json()["status"]) == (404, 404)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 1),
        ({"day": "2026-11-23"}, 1),
        ({"day": "2026-11-24"}, 0),
        ({"state": "published"}, 0),
        ({"service": "glass", "state": "draft"}, 1),
    ],
)
def test_plans_are_found_by_day_service_and_state(
    still_api: httpx.Client, query: dict[str, str], found: int
) -> None:
    """The list holds just the plans that were asked for."""
    assert len(still_api.get("/v1/plans", params=query).json()["items"]) == found


def test_a_tour_lists_its_stops_in_order_with_what_was_reported(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """Stops that the truck has done or failed are told apart from those to come."""
    planned_day.publish()
    planned_day.report("tour-start", 3600)
    planned_day.report("stop-done", 3600 + 30 * 60, stop=1)
    planned_day.report("stop-failed", 3600 + 55 * 60, stop=2, reason="blocked")

    tour = api.get(f"/v1/tours/{planned_day.tour}").json()

    stops = [(stop["number"], stop["kind"], stop["state"]) for stop in tour["stop_list"]]
    assert stops == [
        (1, "visit", "done"),
        (2, "visit", "failed"),
        (3, "visit", "open"),
        (4, "unload", "open"),
    ]
    progress = tour["progress"]
    assert (progress["state"], progress["stops_done"], progress["stops_failed"]) == (
        "driving",
        1,
        1,
    )
    planned_end = MORNING + timedelta(hours=3)  # it left stop 2 five minutes late
    assert progress["eta"] == (planned_end + timedelta(minutes=5)).isoformat().replace(
        "+00:00", "Z"
    )


def test_a_tour_as_geojson_follows_the_roads(
    still_api: httpx.Client, still_day: PlannedDay
) -> None:
    """The same address gives the way as a line and the stops as points, with the attribution."""
    layer = still_api.get(f"/v1/tours/{still_day.tour}", headers=GEOJSON).json()

    line, *points = layer["features"]
    assert line["geometry"]["type"] == "LineString"
    assert [tuple(point) for point in line["geometry"]["coordinates"]] == still_day.way
    assert [point["properties"]["number"] for point in points] == [1, 2, 3, 4]
    assert layer["attribution"] == "© OpenStreetMap contributors"


def test_an_etag_spares_what_is_known_and_changes_with_the_truck(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """304 while nothing has happened; a new tag, with the revision in front, when it has."""
    address = f"/v1/tours/{planned_day.tour}"
    draft = api.get(address).headers["etag"]
    again = api.get(address, headers={"If-None-Match": draft})
    planned_day.publish()
    published = api.get(address, headers={"If-None-Match": draft})
    planned_day.report("stop-done", 5400, stop=1)
    moved = api.get(address, headers={"If-None-Match": published.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert draft.startswith('"0.')
    assert published.headers["etag"].startswith('"1.')
    assert moved.status_code == 200


@pytest.mark.parametrize(
    ("accept", "type_"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/geo+json, */*;q=0.1", "application/geo+json"),
        ("application/json;q=0.5, application/geo+json", "application/geo+json"),
        ("text/html, application/*;q=0.8", "application/json"),
    ],
)
def test_the_accept_header_chooses_the_format(
    still_api: httpx.Client, still_day: PlannedDay, accept: str, type_: str
) -> None:
    """GeoJSON is given to whoever prefers it, JSON to everybody else."""
    answer = still_api.get(f"/v1/tours/{still_day.tour}", headers={"Accept": accept})
    assert answer.headers["content-type"] == type_


def test_the_region_names_its_places_and_bounds(
    still_api: httpx.Client, still_day: PlannedDay
) -> None:
    """The map knows where to look and what to call things in both languages."""
    region = still_api.get("/v1/region").json()

    west, south, east, north = region["bounds"]
    for site in still_day.region.sites:
        assert west <= site.lon <= east
        assert south <= site.lat <= north
    assert [depot["id"] for depot in region["depots"]] == ["depot"]
    assert all(item["name_de"] and item["name_en"] for item in region["services"])


def test_the_clock_is_the_systems_not_the_machines(still_api: httpx.Client) -> None:
    """A client that shows times shows those of the day that is played."""
    assert still_api.get("/v1/clock").json() == {
        "now": "2026-11-23T04:30:00Z",
        "speed": 1.0,
        "simulated": False,
    }


@pytest.mark.parametrize("path", ["/v1/containers", "/v1/vehicles"])
@pytest.mark.parametrize("accept", ["application/json", "application/geo+json"])
def test_lists_say_whom_to_thank(still_api: httpx.Client, path: str, accept: str) -> None:
    """Data from OpenStreetMap carries its credit wherever it leaves the system."""
    answer = still_api.get(path, headers={"Accept": accept}).json()
    assert "attribution" in answer


@pytest.mark.parametrize(
    ("day", "said"),
    [("2026-12-25", "next collection day is"), ("2020-01-07", "is over"), ("2026-11-29", "next")],
)
def test_what_cannot_be_planned_is_refused_at_once(
    still_api: httpx.Client, day: str, said: str
) -> None:
    """A holiday, a day that is over and a Sunday get a reason, not a job that fails."""
    answer = still_api.post("/v1/plans", json={"day": day, "service": "glass"})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
