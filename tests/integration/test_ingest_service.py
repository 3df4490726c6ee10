"""The ingester between a real broker and a real database."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from config.errors import DatabaseError
from ingest.messages import Kind, TourDown, down_topic, up_topic
from simulator.unit import Resend, Unit
from storage import assets, outbox, plans
from storage.database import Database
from tests.fixtures.broker import Member
from tests.fixtures.served import NOON, Served

pytestmark = pytest.mark.db


def eventually(holds: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def rows(served: Served, query: LiteralString) -> list[tuple[object, ...]]:
    """Read from the database."""
    with served.database.connect() as connection:
        return connection.execute(query).fetchall()


def unit(served: Served, name: str = "truck-1", **options: object) -> Unit:
    """Return a truck's unit that sends again soon."""
    options.setdefault("resend", Resend(first_s=0.5, cap_s=2.0))
    clock, login = served.clock, served.login(name)
    return Unit(name, served.region.id, served.town.url, login, clock, **options)  # type: ignore[arg-type]


def tour_plan(served: Served, plan_id: str = "p1") -> plans.PlanRecord:
    """Return a plan in which truck-1 drives one stop and truck-2 stays at home."""
    vehicle, site = served.region.vehicles[0], served.region.sites[0]
    stop = plans.StopRecord(
        number=1,
        kind="visit",
        place=site.id,
        name=site.name,
        lon=site.lon,
        lat=site.lat,
        arrival=NOON,
        departure=NOON + timedelta(minutes=5),
        service_s=300,
    )
    tour = plans.TourRecord(
        id=f"{plan_id}-{vehicle.id}",
        vehicle=vehicle.id,
        start=NOON,
        end=NOON + timedelta(hours=1),
        km=1,
        hours=1,
        kg=1,
        trips=1,
        stops=(stop,),
    )
    return plans.PlanRecord(
        id=plan_id,
        region=served.region.id,
        service=vehicle.services[0],
        depot=vehicle.depot,
        day=NOON.date(),
        created_at=NOON,
        engine="test",
        seed=1,
        estimate=False,
        tours=(tour,),
    )


def publish(served: Served, plan: plans.PlanRecord) -> list[str]:
    """Save a plan and publish it."""
    with served.database.connect(autocommit=True) as connection:
        plans.save(connection, plan)
        return plans.publish(connection, plan.id, at=NOON)


def test_a_unit_is_told_once_its_record_is_stored(served: Served) -> None:
    """After `down/ack` the record is in the database, with the unit's own clock and number."""
    with served.ingester(), unit(served) as truck:
        key = truck.record(Kind.POSITION, NOON, lon=8.5, lat=52.0)
        assert truck.wait_stored(10)
        assert rows(served, "SELECT time, seq, boot, vehicle, lon, lat FROM position") == [
            (NOON, key.seq, key.boot, "truck-1", 8.5, 52.0)
        ]


def test_nothing_is_acknowledged_before_the_commit(served: Served) -> None:
    """While the database cannot commit, the unit keeps its record; afterwards it is stored once."""
    with served.ingester() as counters, unit(served) as truck:
        with served.database.connect() as blocker:
            blocker.execute("LOCK TABLE position IN ACCESS EXCLUSIVE MODE")
            truck.record(Kind.POSITION, NOON, lon=8.5, lat=52.0)
            assert not truck.wait_stored(1.5)
            assert counters.stored == 0
            blocker.rollback()
        assert truck.wait_stored(15)
    assert rows(served, "SELECT count(*) FROM position") == [(1,)]


def test_a_bad_message_is_put_aside_and_its_neighbours_land(served: Served) -> None:
    """Each dead letter holds the bytes as they came and a true reason; the rest is stored."""
    truck, gateway = served.town.client("truck-1"), served.town.client("example-gateway")
    region, sensor = served.region.id, served.region.containers[0].sensor or ""
    level = {"time": NOON.isoformat(), "seq": 1, "fill": 0.5}
    lift = {"time": NOON.isoformat(), "seq": 2, "kind": "lift"}
    nul = {**lift, "kind": "tour-start", "reason": "a\0b"}
    bad = [
        (truck, "truck-1", Kind.POSITION, b"\xff\x00", "position: Invalid JSON"),
        (truck, "truck-1", Kind.EVENT, json.dumps(lift).encode(), "lift without container"),
        (truck, "truck-1", Kind.EVENT, json.dumps(nul).encode(), "reason: String should match"),
        (truck, "truck-1", Kind.LEVEL, json.dumps(level).encode(), "a unit sends no level"),
        (gateway, sensor, Kind.LEVEL, b'{"seq":1}', "level: time: Field required"),
    ]
    with served.ingester() as counters:
        for seq, (client, device, kind, payload, _) in enumerate(bad):
            client.publish(up_topic(region, device, kind), payload)
            gateway.publish(up_topic(region, sensor, Kind.LEVEL), json.dumps({**level, "seq": seq}))
        eventually(lambda: counters.stored == 5 and counters.dead_letters == 5)
    letters = rows(served, "SELECT payload, reason FROM dead_letter ORDER BY id")
    reason_of = {payload: str(reason) for payload, reason in letters}  # devices in any order
    assert reason_of.keys() == {payload for *_, payload, _ in bad}
    assert [want in reason_of[payload] for *_, payload, want in bad] == [True] * 5
    assert rows(served, "SELECT count(*) FROM level") == [(5,)]


def test_a_unit_is_told_about_a_record_that_became_a_dead_letter(served: Served) -> None:
    """A record that can never be stored is not sent for ever: the server has put it aside."""
    truck = served.town.client("truck-1")
    region = served.region.id
    assert truck.subscribe(down_topic(region, "truck-1", "ack"))
    with served.ingester():
        message = {"time": NOON.isoformat(), "seq": 7, "boot": 3, "lon": 400, "lat": 0}
        truck.publish(up_topic(region, "truck-1", Kind.POSITION), json.dumps(message))
        said = truck.wait(1)
    assert json.loads(said[0].payload) == {"boot": 3, "ranges": [[7, 7]]}
    assert not said[0].retain


def test_a_tour_goes_down_retained_and_its_answer_comes_back(served: Served) -> None:
    """Published: sent with its revision; taken: noted. A unit that comes later gets it too."""
    with served.ingester() as counters:
        assert publish(served, tour_plan(served)) == ["truck-1", "truck-2"]
        eventually(lambda: counters.tours_sent == 2)
        with unit(served) as truck:
            tour = truck.wait_tour(lambda _: True, 10)
            assert tour is not None
            assert (tour.tour, tour.revision, len(tour.stops)) == ("p1-truck-1", 1, 1)
            assert truck.wait_stored(10)
    query = "SELECT acknowledged_revision, accepted FROM tour"
    assert rows(served, query) == [(1, True)]


def test_tours_published_while_the_ingester_was_away_are_sent_at_its_start(served: Served) -> None:
    """The outbox remembers; of several revisions the truck gets the newest."""
    publish(served, tour_plan(served, "p1"))
    publish(served, tour_plan(served, "p2"))
    truck = served.town.client("truck-1")
    assert truck.subscribe(down_topic(served.region.id, "truck-1", "tour"))
    with served.ingester():
        tours = [TourDown.model_validate_json(m.payload) for m in truck.wait(1)]
    assert [(tour.plan, tour.revision) for tour in tours] == [("p2", 2)]


def test_a_broker_that_forgot_everything_gets_all_tours_again(served: Served) -> None:
    """Retained tours live in the database; a new, empty broker at the same place is filled."""
    with served.ingester() as counters:
        publish(served, tour_plan(served))
        eventually(lambda: counters.tours_sent == 2)
        served.town.broker.stop()
        store = served.settings.data_dir / "broker" / "store"
        store.rename(store.with_name("lost"))
        with served.town.broker:
            eventually(lambda: counters.tours_sent == 4, 20)


def test_a_unit_answers_for_its_own_vehicle_only(served: Served) -> None:
    """What truck-2 says about truck-1's tour changes nothing."""
    with served.ingester() as counters, unit(served, "truck-2") as stranger:
        publish(served, tour_plan(served))
        stranger.record(Kind.TOUR_ACK, NOON, tour="p1-truck-1", revision=1, accepted=False)
        assert stranger.wait_stored(10)
        assert counters.tour_answers >= 1
    assert rows(served, "SELECT accepted FROM tour") == [(None,)]


def test_a_database_that_is_away_costs_nothing_but_time(served: Served) -> None:
    """Connections cut and refused for a while: everything lands once it is back."""
    name = psycopg.conninfo.conninfo_to_dict(served.database.dsn)["dbname"]
    other = psycopg.conninfo.make_conninfo(served.database.dsn, dbname="postgres")
    with served.ingester() as counters, unit(served) as truck:
        truck.record(Kind.STATUS, NOON)
        assert truck.wait_stored(10)
        with psycopg.connect(other, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            for second in range(50):
                truck.record(Kind.STATUS, NOON + timedelta(seconds=second + 1))
            eventually(lambda: counters.database_retries >= 3)
            assert truck.counts.pending == 50
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert truck.wait_stored(20)
    assert rows(served, "SELECT count(*), count(DISTINCT seq) FROM status") == [(51, 51)]


def test_told_to_stop_it_finishes_what_it_has(served: Served) -> None:
    """Everything that was taken from the broker is stored and acknowledged before it ends."""
    with served.ingester() as counters:
        gateway = served.town.client("example-gateway")
        sensor = served.region.containers[0].sensor or ""
        topic = up_topic(served.region.id, sensor, Kind.LEVEL)
        for seq in range(300):
            message = {"time": NOON.isoformat(), "seq": seq, "fill": 0.5}
            gateway.client.publish(topic, json.dumps(message), qos=1)
        eventually(lambda: counters.received > 0)
    stored = counters.stored
    assert counters.received == stored + counters.duplicates
    with served.ingester() as rest:
        eventually(lambda: stored + rest.stored == 300)


def test_its_own_broker_lets_a_new_device_in_without_a_restart(served: Served) -> None:
    """A truck that gets its credentials while everything runs can send at once."""
    served.settings = served.settings.model_copy(
        update={"broker_url": "", "data_dir": served.settings.data_dir / "own"}
    )
    with served.database.connect(autocommit=True) as connection:
        connection.execute("UPDATE device SET secret_hash = NULL WHERE name = 'truck-2'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.broker.region.LOOK_S", 0.2)
        with served.ingester():
            port = int((served.settings.data_dir / "broker" / "port").read_text())
            served.town.broker.port, kept = port, served.town.broker.port
            with served.database.connect(autocommit=True) as connection:
                made = assets.provision(connection, "truck-2", at=NOON)
            served.credentials["truck-2"] = made
            with unit(served, "truck-2") as truck:
                truck.record(Kind.STATUS, NOON)
                assert truck.wait_stored(15)
            served.town.broker.port = kept


def test_a_device_whose_clock_is_wrong_is_kept_and_marked(served: Served) -> None:
    """Its instant stays as told, but it never counts as the newest."""
    with served.ingester() as counters, unit(served, resend=Resend()) as truck:
        truck.record(Kind.POSITION, NOON, lon=8.5, lat=52.0)
        truck.record(Kind.POSITION, NOON + timedelta(days=400), lon=8.6, lat=52.1)
        truck.record(Kind.POSITION, NOON.replace(year=1970), lon=8.7, lat=52.2)
        assert truck.wait_stored(10)
        assert counters.clock_suspect == 2
    assert rows(served, "SELECT clock_suspect FROM position ORDER BY time") == [
        (True,),
        (False,),
        (True,),
    ]
    assert rows(served, "SELECT time, lon FROM last_position") == [(NOON, 8.5)]


@pytest.mark.slow
def test_the_command_says_in_one_line_what_is_missing(served: Served) -> None:
    """No broker: exit code 1 and one line that says what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "ingest"],
        env={**served.environment, "BINROUND_BROKER_URL": "mqtt://127.0.0.1:1"},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("binround: ")]
    assert len(said) == 1
    assert "no broker at mqtt://127.0.0.1:1" in said[0]
    assert "Traceback" not in done.stderr


def test_an_old_schema_is_refused(served: Served, empty_database: Database) -> None:
    """It does not start on a database that lacks migrations."""
    served = replace(served, database=empty_database)
    with pytest.raises(DatabaseError, match="binround db migrate"), served.ingester():
        pass


def test_members_of_another_region_are_not_served(served: Served) -> None:
    """A message under another region's name is put aside even if the broker lets it through."""
    served.town.members["stranger"] = Member("stranger")
    server = served.town.client("server")
    with served.ingester() as counters:
        topic = up_topic(served.region.id, "stranger", Kind.STATUS)
        server.publish(topic, json.dumps({"time": NOON.isoformat(), "seq": 1}))
        eventually(lambda: counters.dead_letters == 1)
    reason = "device: stranger is not in the registry"
    assert rows(served, "SELECT reason FROM dead_letter") == [(reason,)]
    with served.database.connect() as connection:
        assert outbox.newest(connection) >= 1
