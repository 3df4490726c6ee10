"""The order in which records arrive does not matter: the database ends in the same state."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.messages import Event, Kind, Level, Message, Position, Status, TourAck, up_topic
from storage import plans
from tests.fixtures.bench import REGION, WriterBench
from tests.fixtures.database import DatabaseServer
from tests.fixtures.served import NOON

pytestmark = pytest.mark.db

SENSOR, CONTAINER = REGION.containers[0].sensor or "", REGION.containers[0].id
SERIES = ("level", "position", "event", "status")
STATE = (*SERIES, *(f"last_{name}" for name in SERIES), "emptying", "tour")
TOUR = "p1-truck-1"


class Said(NamedTuple):
    """A message of a device."""

    device: str
    kind: Kind
    message: Message


class Bench(WriterBench):
    """The region with one published tour, and a writer into it."""

    def empty(self) -> None:
        """Forget all telemetry and plans."""
        self.connection.execute(
            f"TRUNCATE {', '.join(STATE)}, plan, dispatch, outbox, dead_letter CASCADE"
        )
        plan = plans.PlanRecord(
            id="p1",
            region=REGION.id,
            service=REGION.vehicles[0].services[0],
            depot=REGION.vehicles[0].depot,
            day=NOON.date(),
            created_at=NOON,
            engine="test",
            seed=1,
            estimate=False,
            tours=(
                plans.TourRecord(
                    id=TOUR,
                    vehicle="truck-1",
                    start=NOON,
                    end=NOON,
                    km=0,
                    hours=0,
                    kg=0,
                    trips=0,
                    stops=(),
                ),
            ),
        )
        plans.save(self.connection, plan)
        plans.publish(self.connection, "p1", at=NOON)

    def play(self, batches: Iterable[list[Said]]) -> dict[str, list[Any]]:
        """Let batches arrive and return everything that the database then knows."""
        self.empty()
        for batch in batches:
            self.write(
                (up_topic(REGION.id, device, kind), message.model_dump_json().encode())
                for device, kind, message in batch
            )
        return {table: self.read(table) for table in STATE}

    def read(self, table: str) -> list[Any]:
        """Return a table's rows in a fixed order."""
        rows = self.connection.execute(
            psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(table))
        )
        return sorted(rows.fetchall(), key=repr)


@pytest.fixture(scope="module")
def bench(database_server: DatabaseServer, database_template: str) -> Iterator[Bench]:
    """One database for all examples; each of them empties it first."""
    database = database_server.clone(database_template)
    made = Bench(database)
    yield made
    made.close()
    database_server.drop(database)


# Few instants and numbers, so that ties, repeats and impossible clocks are common.
names = st.fixed_dictionaries(
    {
        "time": st.sampled_from([0, 1, 2, 60, 86_400, -86_400, 10**8, -(10**9)]).map(
            lambda second: NOON + timedelta(seconds=second)
        ),
        "seq": st.integers(0, 5),
        "boot": st.integers(0, 1),
    }
)
units = st.sampled_from(["truck-1", "truck-2"])


def _said(device: str, kind: Kind, model: type[Message], name: dict[str, Any], value: int) -> Said:
    """Return a message whose content follows from its name: one name, one content."""
    fill = (name["seq"] + name["time"].second) / 100
    content: dict[str, Any] = {
        Kind.LEVEL: {"fill": fill},
        Kind.POSITION: {"lon": 8 + fill, "lat": 52.0},
        Kind.EVENT: {"kind": "lift", "container": CONTAINER},
        Kind.STATUS: {"battery_v": 12 + fill},
        Kind.TOUR_ACK: {"tour": TOUR, "revision": 1 + value},
    }[kind]
    return Said(device, kind, model(**name, **content))


records = st.one_of(
    st.builds(_said, st.just(SENSOR), st.just(Kind.LEVEL), st.just(Level), names, st.just(0)),
    st.builds(_said, units, st.just(Kind.POSITION), st.just(Position), names, st.just(0)),
    st.builds(_said, units, st.just(Kind.EVENT), st.just(Event), names, st.just(0)),
    st.builds(_said, units, st.just(Kind.STATUS), st.just(Status), names, st.just(0)),
    st.builds(_said, units, st.just(Kind.TOUR_ACK), st.just(TourAck), names, st.integers(0, 1)),
)


def name_of(said: Said) -> tuple[Any, ...]:
    """Return what names a record."""
    return said.device, said.kind, said.message.time, said.message.seq


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Said], list[list[Said]]]:
    """Records as they were made, and as they arrived: shuffled, repeated, in batches."""
    made = draw(st.lists(records, min_size=1, max_size=14, unique_by=name_of))
    repeats = draw(st.lists(st.sampled_from(made), max_size=10))
    came = draw(st.permutations([*made, *repeats]))
    cuts = sorted(draw(st.lists(st.integers(0, len(came)), max_size=4)))
    edges = [0, *cuts, len(came)]
    batches = [list(came[start:end]) for start, end in pairwise(edges)]
    return sorted(made, key=name_of), batches


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=arrivals())
def test_duplicates_and_late_data_end_in_the_same_state(
    bench: Bench, story: tuple[list[Said], list[list[Said]]]
) -> None:
    """Shuffled, repeated and split anyhow, records leave what they leave one by one in order."""
    made, batches = story
    in_order = bench.play([said] for said in made)
    assert bench.play(batches) == in_order
    assert bench.read("dead_letter") == []
    kept = [said for said in made if said.kind is not Kind.TOUR_ACK]
    assert sum(len(in_order[table]) for table in SERIES) == len(kept)


def test_every_arrival_is_acknowledged_repeats_too(bench: Bench) -> None:
    """A unit that missed an acknowledgement gets it when it sends the record again."""
    record = _said("truck-1", Kind.STATUS, Status, {"time": NOON, "seq": 4, "boot": 1}, 0)
    bench.told.clear()
    before = bench.source.acknowledged
    bench.play([[record], [record, record]])
    assert bench.source.acknowledged == before + 3
    topic = "binround/v1/example/devices/truck-1/down/ack"
    assert bench.told == [(topic, '{"boot":1,"ranges":[[4,4]]}')] * 2
    assert bench.counters.duplicates >= 1


def test_a_batch_is_told_in_one_message_per_unit(bench: Bench) -> None:
    """Ranges keep acknowledgements small: 500 records, two gaps, one message."""
    bench.told.clear()
    seqs = [*range(200), *range(210, 300), *range(305, 500)]
    bench.play(
        [
            [
                _said("truck-1", Kind.STATUS, Status, {"time": NOON, "seq": seq, "boot": 0}, 0)
                for seq in seqs
            ]
        ]
    )
    assert [payload for _, payload in bench.told] == [
        '{"boot":0,"ranges":[[0,199],[210,299],[305,499]]}'
    ]
