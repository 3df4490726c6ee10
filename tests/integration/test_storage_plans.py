from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from config.errors import DatabaseError, StaleResultError
from ingest.messages import TourDown
from storage import assets, audit, beliefs, outbox, plans, queue, studies
from storage.database import Database
from storage.plans import PlanRecord, StopRecord, TourRecord, UnservedRecord
from tests.integration.storage_region import small_region

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = date(2026, 11, 24)


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    """A connection to a database that holds the small region."""
    with database.connect(autocommit=True) as connection:
        assets.load_region(connection, small_region(), at=NOW)
        yield connection


def _stop(number: int, **changes: object) -> StopRecord:
    at = NOW + timedelta(days=1, minutes=10 * number)
    stop = StopRecord(
        number=number,
        kind="visit",
        place="square",
        name="Square",
        lon=8.51,
        lat=52.01,
        arrival=at,
        departure=at + timedelta(minutes=3),
        service_s=180,
        containers=("bin-1", "bin-2"),
        kg=400,
        litres=1000,
        why="overflows before the next visit",
        eur=12.5,
    )
    return replace(stop, **changes)  # type: ignore[arg-type]


def _plan(name: str = "p1", vehicle: str = "truck-1", created: datetime = NOW) -> PlanRecord:
    tour = TourRecord(
        id=f"{name}-{vehicle}",
        plan=name,
        vehicle=vehicle,
        start=NOW + timedelta(days=1),
        end=NOW + timedelta(days=1, hours=5),
        km=42.5,
        hours=5,
        kg=400,
        trips=1,
        stops=(
            _stop(1),
            _stop(2, kind="break", place="ArbZG §4", lon=None, lat=None, containers=()),
            _stop(3, kind="unload", place="works", containers=()),
        ),
        geometry="_p~iF~ps|U",
        attribution="© OpenStreetMap contributors",
    )
    return PlanRecord(
        id=name,
        region="town",
        service="glass",
        depot="yard",
        day=DAY,
        created_at=created,
        engine="sisr",
        seed=7,
        estimate=False,
        cost={"km": 42.5, "hours": 300.0},
        provider={"name": "osrm"},
        tours=(tour,),
        unserved=(UnservedRecord(site="hill", reason="not-worth-it", containers=("bin-9",)),),
    )


def test_a_plan_comes_back_as_it_was_saved(connection: psycopg.Connection) -> None:
    """Every field of plan, tours, stops and unserved sites."""
    plans.save(connection, _plan())
    assert plans.get(connection, "p1") == _plan()
    assert plans.get_tour(connection, "p1-truck-1") == _plan().tours[0]
    assert plans.get(connection, "p2") is None
    assert plans.get_tour(connection, "p2-truck-1") is None


def test_a_plan_is_saved_whole_or_not_at_all(connection: psycopg.Connection) -> None:
    """A tour for an unknown vehicle leaves no plan and no news behind."""
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        plans.save(connection, _plan(vehicle="ghost"))
    assert plans.list_plans(connection) == []
    assert outbox.after(connection, 0) == []
    plans.save(connection, _plan())
    with pytest.raises(DatabaseError, match="a plan 'p1' already"):
        plans.save(connection, _plan())


def test_publishing_sends_every_truck_its_tour(connection: psycopg.Connection) -> None:
    """One row a vehicle of the depot, as the contract has it; without a tour, an empty one."""
    plans.save(connection, _plan())
    assert plans.publish(connection, "p1", at=NOW) == ["truck-1", "truck-2"]
    sent = {
        news.key: TourDown.model_validate(news.payload)
        for news in outbox.after(connection, 0, kind=outbox.Kind.TOUR)
    }
    assert [stop.id for stop in sent["truck-1"].stops] == ["square", "ArbZG §4", "works"]
    assert (sent["truck-1"].revision, sent["truck-1"].tour) == (1, "p1-truck-1")
    assert sent["truck-2"].stops == ()
    stored = plans.get(connection, "p1")
    assert stored is not None
    assert (stored.state, stored.published_at, stored.tours[0].revision) == ("published", NOW, 1)
    assert [news.kind for news in outbox.after(connection, 0)] == ["plan", "tour", "tour", "plan"]


def test_the_newest_published_plan_counts(connection: psycopg.Connection) -> None:
    """It supersedes the one before, and its revisions are greater for every truck."""
    plans.save(connection, _plan())
    plans.publish(connection, "p1", at=NOW)
    plans.save(connection, _plan("p2", "truck-2"))
    plans.publish(connection, "p2", at=NOW)
    counting = plans.published(connection, DAY, "glass", "yard")
    assert counting is not None
    assert counting.id == "p2"
    newest = {news.key: news.payload for news in outbox.newest_tours(connection)}
    assert {vehicle: tour["revision"] for vehicle, tour in newest.items()} == {
        "truck-1": 2,
        "truck-2": 2,
    }
    assert newest["truck-1"]["stops"] == []
    with pytest.raises(DatabaseError, match="superseded"):
        plans.publish(connection, "p1", at=NOW)
    with pytest.raises(DatabaseError, match="does not exist"):
        plans.publish(connection, "p9", at=NOW)


def test_an_acknowledgement_counts_once(connection: psycopg.Connection) -> None:
    """Repeated, of an older revision, of one never sent, of another's tour: no effect."""
    plans.save(connection, _plan())
    tour = "p1-truck-1"
    assert not plans.acknowledge(connection, tour, 1, accepted=True, at=NOW)
    plans.publish(connection, "p1", at=NOW)
    plans.publish(connection, "p1", at=NOW)
    assert not plans.acknowledge(connection, tour, 2, accepted=True, at=NOW, vehicle="truck-2")
    assert plans.acknowledge(connection, tour, 2, accepted=False, reason="flat tyre", at=NOW)
    assert not plans.acknowledge(connection, tour, 2, accepted=True, at=NOW)
    assert not plans.acknowledge(connection, tour, 1, accepted=True, at=NOW)
    assert not plans.acknowledge(connection, tour, 3, accepted=True, at=NOW)
    assert not plans.acknowledge(connection, "unknown", 1, accepted=True, at=NOW)
    stored = plans.get_tour(connection, tour)
    assert stored is not None
    assert (stored.acknowledged_revision, stored.accepted, stored.reason) == (
        2,
        False,
        "flat tyre",
    )
    (news,) = outbox.after(connection, 0, kind=outbox.Kind.ACK)
    assert news.key == tour


def test_plans_are_listed_by_pages(connection: psycopg.Connection) -> None:
    """Newest first; a page begins after the last plan of the one before."""
    for number in range(5):
        plans.save(connection, _plan(f"p{number}", created=NOW + timedelta(minutes=number // 2)))
    seen: list[str] = []
    before = None
    while page := plans.list_plans(connection, day=DAY, before=before, limit=2):
        seen += [plan.id for plan in page]
        before = (page[-1].created_at, page[-1].id)
    assert seen == ["p4", "p3", "p2", "p1", "p0"]
    (first,) = plans.list_plans(connection, limit=1)
    assert (first.tours, first.stops, first.km, first.unserved, first.eur) == (1, 1, 42.5, 1, 342.5)
    assert plans.list_plans(connection, state="published") == []
    assert plans.list_plans(connection, service="paper") == []


def test_a_late_result_is_refused(connection: psycopg.Connection, database: Database) -> None:
    """A plan is stored only while the attempt that computed it still holds its job."""
    number = queue.defer(database, "plan_day")
    hold = "UPDATE procrastinate_jobs SET status = 'doing', attempts = %s WHERE id = %s"
    connection.execute(hold, [1, number])
    with pytest.raises(StaleResultError, match="late result is refused"):
        plans.save(connection, _plan(), queue.Fence(number, 0))
    assert plans.list_plans(connection) == []
    plans.save(connection, _plan(), queue.Fence(number, 1))
    assert len(plans.list_plans(connection)) == 1


def test_the_newest_belief_is_kept(connection: psycopg.Connection) -> None:
    """A computation that began earlier never replaces a newer one."""
    new = beliefs.BeliefRow("bin-1", 0.6, 0.1, 0.05, 0.2, 12.0, NOW)
    old = new._replace(fill=0.1, computed_at=NOW - timedelta(hours=1))
    beliefs.save(connection, [new])
    beliefs.save(connection, [old, old._replace(container="bin-2")])
    assert beliefs.load(connection) == {"bin-1": new, "bin-2": old._replace(container="bin-2")}


def test_a_study_keeps_its_results(connection: psycopg.Connection) -> None:
    """From waiting over running to done, or failed with a message."""
    studies.add(connection, "s1", "town", "calendar or risk", {"weeks": 4}, at=NOW)
    studies.start(connection, "s1")
    running = studies.get(connection, "s1")
    assert running is not None
    assert (running.state, running.results) == ("running", None)
    studies.finish(connection, "s1", {"km": [1, 2]}, at=NOW)
    studies.add(connection, "s2", "town", "other", {}, at=NOW + timedelta(hours=1))
    studies.fail(connection, "s2", "no roads", at=NOW)
    newest, oldest = studies.list_studies(connection)
    assert (newest.state, newest.message) == ("failed", "no roads")
    assert (oldest.state, oldest.results) == ("done", {"km": [1, 2]})
    assert studies.get(connection, "s3") is None


def test_the_audit_stands_or_falls_with_the_act(connection: psycopg.Connection) -> None:
    """An entry is part of the transaction of what it tells."""
    with connection.transaction(force_rollback=True):
        audit.record(connection, "ada", "publish", "p1", at=NOW)
    audit.record(connection, "ada", "look", "positions/truck-1", at=NOW, detail={"why": "claim"})
    assert audit.entries(connection) == [
        audit.Entry(NOW, "ada", "look", "positions/truck-1", {"why": "claim"})
    ]
