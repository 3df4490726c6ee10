"""A month later nothing tells where somebody was: no table, no message, no topic, no file."""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config.clock import FixedClock
from ingest.broker.age import holdings, limit_age
from ingest.broker.embedded import embedded_address
from ingest.messages import Kind, TourDown, TourStop, down_topic, up_topic
from ingest.retained import retained_tours
from jobs import upkeep
from storage import backup, crew, outbox, privacy, retention
from tests.fixtures.served import NOON, Served

pytestmark = pytest.mark.db
MONTH_AGO = NOON - timedelta(days=30)
LON, NAME, GARBAGE = 8.7654321, "Erika Mustermann", "neither-json-nor-a-place"
MARKS = (str(LON), NAME, GARBAGE, GARBAGE.encode().hex())
SOON = timedelta(seconds=1)  # stands for the fourteen days, by the broker's own clock
# The parts of TimescaleDB, compressed or not, are read through its hypertables.
ALL_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema$)'
      AND c.relname !~ '^(_hyper_|_compressed_hypertable_|compress_hyper_)'
"""


def live(served: Served, backups: Path) -> None:
    """Let a truck drive, somebody look, and everything be kept that is kept, a month ago."""
    served.clock = FixedClock(MONTH_AGO)
    with served.ingester() as counters:
        truck = served.town.client("truck-1")
        say = up_topic(served.region.id, "truck-1", Kind.POSITION)
        truck.publish(say, position(MONTH_AGO, 1))
        truck.publish(say, position(datetime(1970, 1, 1, tzinfo=NOON.tzinfo), 2))
        truck.publish(up_topic(served.region.id, "truck-1", Kind.EVENT), event(3))
        truck.publish(up_topic(served.region.id, "truck-1", Kind.STATUS), status(4))
        truck.publish(say, GARBAGE)
        with served.database.connect() as connection:
            outbox.append(connection, outbox.Kind.TOUR, "truck-1", tour(), at=MONTH_AGO)
        wait_until(lambda: counters.tours_sent == 1 and counters.dead_letters == 1)
    truck.publish(say, position(MONTH_AGO, 5))  # nobody is there to take it
    look(served)
    backups.mkdir()
    backup.back_up(served.database, backups / "old", at=MONTH_AGO)


def look(served: Served) -> None:
    """Write down who drove, and let somebody look at that and at the positions."""
    now = {"who": "somebody", "at": MONTH_AGO}
    with served.database.connect() as connection:
        rules = retention.declared(connection)
        crew.assign(connection, "truck-1", MONTH_AGO.date(), [NAME], rules, **now)  # type: ignore[arg-type]
        assert crew.show(connection, None, None, **now)  # type: ignore[arg-type]
        span = (MONTH_AGO - timedelta(hours=1), MONTH_AGO + timedelta(hours=1))
        assert privacy.positions(connection, "truck-1", *span, **now)  # type: ignore[arg-type]


def position(at: datetime, seq: int) -> str:
    """Return a position at the marked place."""
    return f'{{"time": "{at.isoformat()}", "seq": {seq}, "boot": 0, "lon": {LON}, "lat": 52.0}}'


def event(seq: int) -> str:
    """Return an event at the marked place."""
    return position(MONTH_AGO, seq).replace("}", ', "kind": "stop-done", "stop": 1}')


def status(seq: int) -> str:
    """Return that a truck is there."""
    return f'{{"time": "{MONTH_AGO.isoformat()}", "seq": {seq}, "boot": 0}}'


def tour() -> dict[str, object]:
    """Return a tour that leads to the marked place."""
    stop = TourStop(number=1, kind="visit", id="s", name="S", lon=LON, lat=52.0,
                    arrival=MONTH_AGO, service_s=60)  # fmt: skip
    day = MONTH_AGO.date().isoformat()
    return TourDown(
        tour="t", revision=1, plan="p", vehicle="truck-1", day=day, start=MONTH_AGO, end=MONTH_AGO,
        stops=(stop,),
    ).model_dump(mode="json")  # fmt: skip


def wait_until(true: object) -> None:
    """Wait until something is true; fail when it does not become so."""
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.05)


def found(connection: psycopg.Connection) -> Iterator[tuple[str, str]]:
    """Yield every table, whatever its schema, that holds a mark, and the mark."""
    for schema, table in connection.execute(ALL_TABLES).fetchall():
        ask = sql.SQL("SELECT row::text FROM {} AS row").format(sql.Identifier(schema, table))
        text = "\n".join(row for (row,) in connection.execute(ask))
        yield from ((table, mark) for mark in MARKS if mark in text)


def waiting(served: Served) -> int:
    """Return how many messages the broker holds, retained ones included."""
    held = holdings(embedded_address(served.town.broker.folder), served.town.server_secret)
    return sum(one.messages for one in held)


def test_nothing_is_left_after_a_month(
    served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Upkeep, the ingester's start and the broker's own clock together leave nothing behind.

    What is new stays: it is not that everything would be deleted.
    """
    caplog.set_level(logging.DEBUG)
    backups = tmp_path / "backups"
    live(served, backups)
    with served.database.connect() as connection:
        tables, marks = map(set, zip(*found(connection), strict=True))
    assert {"last_event", "last_position", "dead_letter", "outbox", "assignment"} <= tables
    assert marks == {str(LON), NAME, GARBAGE.encode().hex()}
    assert waiting(served) == 2
    assert len(list(backups.iterdir())) == 1

    town = served.town
    limit_age(embedded_address(town.broker.folder), town.server_secret, SOON)
    wait_until(lambda: waiting(served) == 0)
    served.clock = FixedClock(NOON)
    yesterday = NOON - timedelta(days=1)
    with served.ingester() as counters:
        truck = town.client("truck-2")
        truck.publish(up_topic(served.region.id, "truck-2", Kind.POSITION), position(yesterday, 1))
        wait_until(lambda: counters.stored == 1)
        old_tour = down_topic(served.region.id, "truck-1", "tour")
        wait_until(lambda: old_tour not in topics(served))
    upkeep.run(served.database, served.region, NOON, backups)

    assert list(backups.iterdir()) == []
    with served.database.connect() as connection:
        kept = privacy.report(connection, retention.declared(connection), NOON)
        left = list(found(connection))
        assert {mark for _, mark in left} == {str(LON)}
        # Of yesterday: the position, the newest one, and five minutes in short.
        assert len(left) == 3
        assert count(connection, "position") == count(connection, "last_position") == 1
    assert [one.table for one in kept if one.oldest and one.oldest < NOON - days(one.days)] == []
    told = caplog.text + (town.broker.folder / "nats.log").read_text()
    assert [mark for mark in MARKS if mark in told] == []


def topics(served: Served) -> set[str]:
    """Return where the broker retains a tour."""
    login = served.town.server_login("test")
    return {each.topic for each in retained_tours(login, served.region.id)}


def count(connection: psycopg.Connection, table: str) -> int:
    """Return how many rows a table has."""
    ask = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    return int((connection.execute(ask).fetchone() or (0,))[0])


def days(number: int) -> timedelta:
    """Return a span of days."""
    return timedelta(days=number)
