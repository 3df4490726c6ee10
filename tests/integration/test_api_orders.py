from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from storage import audit, outbox, plans, queue
from tests.fixtures.api import MORNING, PLAN, PlannedDay, plan_of

pytestmark = pytest.mark.db
ORDER = {"day": "2026-11-24", "service": "glass"}


def test_a_plan_is_ordered_and_made_elsewhere(api: httpx.Client, planned_day: PlannedDay) -> None:
    """202 with where to look; the job waits in the queue under the name the worker knows."""
    answer = api.post("/v1/plans", json=ORDER)

    assert answer.status_code == 202
    job = api.get(answer.headers["location"]).json()
    assert job == {"id": answer.json()["id"], "state": "waiting", "plan": None, "replan": None}
    with planned_day.database.connect() as connection:
        waiting = queue.job(connection, job["id"])
    assert waiting is not None
    assert (waiting.task, waiting.args) == ("plan_day", ORDER)


def test_a_job_leads_to_its_plan(api: httpx.Client, planned_day: PlannedDay) -> None:
    """Whoever ordered a plan finds it when the job is done."""
    job = api.post("/v1/plans", json=ORDER).json()["id"]

    def work(running: queue.RunningJob, day: str, service: str) -> None:
        with planned_day.database.connect() as connection:
            plans.save(connection, plan_of(planned_day.region, "made"), running.fence)

    queue.run_worker(planned_day.database, {"plan_day": work}, until_empty=True)

    done = api.get(f"/v1/jobs/{job}").json()
    assert done == {"id": job, "state": "succeeded", "plan": "made", "replan": None}


def test_the_same_key_gives_the_same_job_however_many_ask_at_once(api: httpx.Client) -> None:
    """A client that never saw the answer may ask again without planning twice."""

    def ask(_: int) -> int:
        answer = api.post("/v1/plans", json=ORDER, headers={"Idempotency-Key": "monday"})
        assert answer.status_code == 202
        return int(answer.json()["id"])

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(12)))) == 1


def test_a_key_is_good_for_one_order_only(api: httpx.Client) -> None:
    """The same key for something else is a mistake, not a repetition."""
    keyed = {"Idempotency-Key": "monday"}
    first = api.post("/v1/plans", json=ORDER, headers=keyed)
    second = api.post("/v1/plans", json={**ORDER, "day": "2026-11-25"}, headers=keyed)
    assert (first.status_code, second.status_code) == (202, 422)


def test_only_a_service_of_the_region_is_planned(api: httpx.Client) -> None:
    """A service that does not exist is refused at once, not by the worker."""
    assert api.post("/v1/plans", json={**ORDER, "service": "coal"}).status_code == 422


def test_publishing_sends_every_truck_its_tour_once(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """A second click changes nothing: no second revision, no second message."""
    answers = [api.post(f"/v1/plans/{PLAN}/publish") for _ in range(2)]

    assert [answer.json()["state"] for answer in answers] == ["published"] * 2
    assert [answer.json()["tour_list"][0]["revision"] for answer in answers] == [1, 1]
    with planned_day.database.connect() as connection:
        sent = outbox.after(connection, 0, kind=outbox.Kind.TOUR)
        known = {entry.action: entry.object for entry in audit.entries(connection)}
    assert sorted(row.key for row in sent) == sorted(v.id for v in planned_day.region.vehicles)
    assert known == {"publish-plan": f"plan/{PLAN}"}


def test_a_superseded_plan_cannot_come_back(api: httpx.Client, planned_day: PlannedDay) -> None:
    """The trucks drive the newer one; the dispatcher is told to plan again."""
    with planned_day.database.connect() as connection:
        plans.save(connection, plan_of(planned_day.region, "newer"))
    api.post(f"/v1/plans/{PLAN}/publish")
    api.post("/v1/plans/newer/publish")

    answer = api.post(f"/v1/plans/{PLAN}/publish")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:binround:problem:conflict"


def test_an_accepted_tour_shows_the_crews_answer(
    api: httpx.Client, planned_day: PlannedDay
) -> None:
    """Planned, sent, accepted: the dispatcher sees how far a tour has got."""

    def state() -> str:
        tour = api.get(f"/v1/tours/{planned_day.tour}").json()
        return str(tour["progress"]["state"])

    states = [state()]
    planned_day.publish()
    states.append(state())
    with planned_day.database.connect() as connection:
        plans.acknowledge(connection, planned_day.tour, 1, accepted=True, at=MORNING)
    states.append(state())
    assert states == ["planned", "sent", "accepted"]
