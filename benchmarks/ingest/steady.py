"""At a steady rate: how long until a message is committed, and what an outage costs in memory."""

import json
import threading
import time
from typing import NamedTuple

from benchmarks.ingest.stand import Stand, wait_until

LIMIT_S = 180.0
WARM_UP_S = 3.0
_LATENCIES = """
SELECT percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY
    extract(epoch FROM pg_xact_commit_timestamp(xmin) - time)::float8 * 1000)
FROM position WHERE received_at > %s
"""


class Latency(NamedTuple):
    """Milliseconds from the publisher's clock to the commit, both on this machine."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: float


class Outage(NamedTuple):
    """An outage of the database.

    Attributes:
        before_mb, most_mb: resident memory of the ingester.
        lost: messages that are in no table afterwards.
        caught_up_s: from the database's return to the last message.
    """

    before_mb: float
    most_mb: float
    lost: int
    caught_up_s: float


def latency(stand: Stand, rate_per_s: float, seconds: float) -> Latency:
    """Publish at a rate and ask the database when each row was committed."""
    before = stand.count("position")
    with stand.subject("cli.main", "ingest") as subject:
        _send(stand, rate_per_s, WARM_UP_S)
        cpu_s, began = subject.cpu_s(), _now(stand)
        count = _send(stand, rate_per_s, seconds)
        all_of_it = before + count + int(rate_per_s * WARM_UP_S)
        wait_until(lambda: stand.count("position") >= all_of_it, LIMIT_S)
        cpu_us = (subject.cpu_s() - cpu_s) / count * 1e6
    with stand.database.connect() as connection:
        row = connection.execute(_LATENCIES, [began]).fetchone()
    assert row is not None
    p50_ms, p99_ms, max_ms = row[0]
    return Latency(p50_ms, p99_ms, max_ms, cpu_us)


def outage(stand: Stand, rate_per_s: float, seconds: float) -> Outage:
    """Take the database away while messages go on coming, and watch the ingester's memory."""
    before, pause_s = stand.count("position"), 5.0
    with stand.subject("cli.main", "ingest") as subject:
        count = int(rate_per_s * (seconds + 2 * pause_s))
        publisher = stand.publisher(count, rate_per_s)
        time.sleep(pause_s)
        memory, over = [subject.memory_mb()], threading.Event()
        watch = threading.Thread(target=_watch, args=(subject.memory_mb, memory, over))
        watch.start()
        stand.server.stop()
        time.sleep(seconds)
        stand.server.start()
        back = time.time()
        publisher.communicate(timeout=LIMIT_S)
        wait_until(lambda: stand.count("position") >= before + count, LIMIT_S)
        caught_up_s = time.time() - back
        over.set()
        watch.join()
        lost = before + count - stand.count("position")
    return Outage(memory[0], max(memory), lost, caught_up_s)


def _send(stand: Stand, rate_per_s: float, seconds: float) -> int:
    count = int(rate_per_s * seconds)
    json.loads(stand.publisher(count, rate_per_s).communicate(timeout=LIMIT_S)[0])
    return count


def _now(stand: Stand) -> object:
    with stand.database.connect() as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def _watch(read: object, memory: list[float], over: threading.Event) -> None:
    assert callable(read)
    while not over.wait(0.2):
        memory.append(read())
