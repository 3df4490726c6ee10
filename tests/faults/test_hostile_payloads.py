"""Messages that mean harm: each is stored or put aside for a true reason; nobody else suffers."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import pytest

from ingest.messages import MAX_PAYLOAD_BYTES, Kind, up_topic
from storage.database import Database
from tests.fixtures.bench import REGION, WriterBench
from tests.fixtures.hostile import Hostile, hostile
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = [pytest.mark.db, pytest.mark.slow]

MANY, OVER_THE_BROKER = 10_000, 200
LOT = 40  # hostile messages in one batch, each between two good ones
SENSOR = REGION.containers[0].sensor or ""
NEIGHBOUR = up_topic(REGION.id, "truck-2", Kind.STATUS)


@pytest.fixture
def bench(database: Database) -> Iterator[WriterBench]:
    """A writer and its database."""
    made = WriterBench(database)
    yield made
    made.close()


def good(seq: int) -> bytes:
    """Return what a well-meaning neighbour says."""
    return json.dumps({"time": NOON.isoformat(), "seq": seq}).encode()


def count(database: Database, query: LiteralString) -> int:
    """Return a number from the database."""
    with database.connect() as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def rows(database: Database) -> int:
    """Return how many records are stored of those that are not the neighbour's."""
    return count(
        database,
        "SELECT (SELECT count(*) FROM level) + (SELECT count(*) FROM position) "
        "+ (SELECT count(*) FROM event) + (SELECT count(*) FROM status "
        "WHERE device_id <> (SELECT id FROM device WHERE name = 'truck-2'))",
    )


def neighbours(database: Database) -> int:
    """Return how many of the neighbour's records are stored."""
    return count(
        database,
        "SELECT count(DISTINCT seq) FROM status "
        "WHERE device_id = (SELECT id FROM device WHERE name = 'truck-2')",
    )


def judge(database: Database, sent: list[Hostile]) -> Counter[str]:
    """Make sure that each message is stored or has a true reason; returns what became of them."""
    with database.connect() as connection:
        query = "SELECT topic, payload, reason FROM dead_letter"
        letters = {(topic, load): why for topic, load, why in connection.execute(query)}
    became: Counter[str] = Counter()
    for each in sent:
        topic = each.topic.encode(errors="replace").decode().replace("\x00", "\ufffd")
        reason = letters.get((topic, each.payload[:MAX_PAYLOAD_BYTES]))
        if reason is None:
            assert not each.reason, f"{each.way} is stored, though it should be refused: {each}"
            became["stored"] += 1
        else:
            assert re.search(each.reason, reason), f"{each.way}: {reason}: {each.payload[:300]!r}"
            became["dead letters"] += 1
    assert rows(database) == became["stored"]
    return became


def test_ten_thousand_hostile_messages(database: Database, bench: WriterBench) -> None:
    """Through the real writer into a real database, each between good neighbours."""
    sent = list(hostile(REGION.id, SENSOR, MANY))
    told = 0
    for start in range(0, len(sent), LOT):
        batch = [(NEIGHBOUR, good(told))]
        told += 1
        for each in sent[start : start + LOT]:
            batch += [(each.topic, each.payload), (NEIGHBOUR, good(told))]
            told += 1
        bench.write(batch)
    became = judge(database, sent)
    print(f"\nhostile: sent {len(sent)}, {dict(became)}, good neighbours {told}")
    assert bench.source.acknowledged == len(sent) + told
    assert neighbours(database) == told
    assert became["stored"] > 0


def test_two_hundred_hostile_messages_over_the_broker(served: Served, tmp_path: Path) -> None:
    """The process stays up, and every neighbour lands."""
    sensor = served.region.containers[0].sensor or ""
    fits = (
        each
        for each in hostile(served.region.id, sensor, 2 * OVER_THE_BROKER, seed=2)
        if len(each.payload) <= MAX_PAYLOAD_BYTES and re.fullmatch(r"[ -~]+/up/[a-z-]+", each.topic)
    )
    sent = [each for each, _ in zip(fits, range(OVER_THE_BROKER), strict=False)]
    with IngestProcess(served, tmp_path) as ingest:
        server, truck = served.town.client("server"), served.town.client("truck-2")
        for seq, each in enumerate(sent):
            server.publish(each.topic, each.payload)
            truck.publish(NEIGHBOUR, good(seq))
        eventually(lambda: neighbours(served.database) == len(sent))
        eventually(lambda: ingest.metric("received_total") >= 2 * len(sent))
        became = judge(served.database, sent)
        assert ingest.alive
    print(f"\nhostile over the broker: sent {len(sent)}, {dict(became)}")
    assert len(sent) == OVER_THE_BROKER
