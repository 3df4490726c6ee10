"""From the broker to the database under full load, beside a bare client and a peer.

Publisher, broker, database and subject share the machine, as they would in a town hall. Each
round measures every subject once, so that a noisy minute hits all of them alike.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks.ingest.peer import TABLE
from benchmarks.ingest.stand import Stand, Subject, wait_until

LIMIT_S = 180.0


class Run(NamedTuple):
    """One subject in one round.

    Attributes:
        rate_per_s: messages from the first one published to the last one dealt with.
        cpu_us: processor time of the subject for a message.
    """

    rate_per_s: float
    cpu_us: float


Measure = Callable[[Stand, int], Run]


def bare(stand: Stand, count: int) -> Run:
    """Measure paho alone: it acknowledges and stores nothing."""
    with stand.subject("benchmarks.ingest.bare", stand.broker.url, stand.topics) as subject:
        return _run(stand, subject, count, lambda: int(subject.ask()))


def ours(stand: Stand, count: int) -> Run:
    """Measure `binround ingest`."""
    before = stand.count("position")
    with stand.subject("cli.main", "ingest") as subject:
        return _run(stand, subject, count, lambda: stand.count("position") - before)


def two_of_ours(stand: Stand, count: int) -> Run:
    """Measure `binround ingest --instances 2`."""
    before = stand.count("position")
    with stand.subject("cli.main", "ingest", "--instances", "2") as subject:
        return _run(stand, subject, count, lambda: stand.count("position") - before)


def peer(stand: Stand, count: int) -> Run:
    """Measure mq-bridge with ON CONFLICT DO NOTHING."""
    with stand.database.connect(autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS peer_position")
        connection.execute(TABLE)
    with stand.subject("benchmarks.ingest.peer", str(stand.broker.port), stand.topics) as subject:
        return _run(stand, subject, count, lambda: stand.count("peer_position"))


SUBJECTS: Mapping[str, Measure] = {
    "paho, bare": bare,
    "binround ingest": ours,
    "binround ingest, 2 instances": two_of_ours,
    "mq-bridge, de-duplicating": peer,
}


def compare(stand: Stand, count: int, rounds: int) -> dict[str, list[Run]]:
    """Measure every subject in every round."""
    runs: dict[str, list[Run]] = {name: [] for name in SUBJECTS}
    for number in range(rounds):
        for name, measure in SUBJECTS.items():
            run = measure(stand, count)
            runs[name].append(run)
            print(f"round {number + 1}, {name}: {run.rate_per_s:,.0f}/s, {run.cpu_us:.1f} us")
    return runs


def backlog(stand: Stand, count: int, instances: int) -> Run:
    """Measure how ingesters work off what waited for them at the broker.

    What their start costs is measured by a start with nothing to do, which also makes sure that
    the broker keeps messages for them.
    """
    command = ("cli.main", "ingest", "--instances", str(instances))
    with stand.subject(*command) as idle:
        start_s = idle.cpu_s()
    before = stand.count("position")
    stand.publisher(count).communicate(timeout=LIMIT_S)
    with stand.subject(*command) as subject:
        began = time.time()
        wait_until(lambda: stand.count("position") - before >= count, LIMIT_S)
        ended = time.time()
        return Run(count / (ended - began), (subject.cpu_s() - start_s) / count * 1e6)


def _run(stand: Stand, subject: Subject, count: int, done: Callable[[], int]) -> Run:
    cpu_s, publisher = subject.cpu_s(), stand.publisher(count)
    told = json.loads(publisher.communicate(timeout=LIMIT_S)[0])
    wait_until(lambda: done() >= count, LIMIT_S)
    ended = time.time()
    return Run(count / (ended - told["began"]), (subject.cpu_s() - cpu_s) / count * 1e6)
