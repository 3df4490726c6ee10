"""Fills the gaps of a source from its network server's storage, beside the live messages."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from config.clock import Clock
from config.errors import BackfillError
from config.source import Source
from ingest.backfill.coverage import Coverage, Gap
from ingest.backfill.things_stack import StoredUplink, ThingsStackStorage
from ingest.backoff import Backoff
from ingest.counters import Counters
from ingest.outage import DATABASE_AWAY
from ingest.sources import Delivery
from ingest.writer import Writer
from storage import sources
from storage.database import Database

LOOK_S = 0.5
FIRST_S = 1.0  # after a first failure
KEEP_S = 10.0  # how often the mark is written down
BATCH = 500

# What the network server received just before the line came up may reach its storage later.
SETTLE_S = 60.0

# Asked for on both sides of a gap: our clock and the network server's differ.
MARGIN = timedelta(minutes=5)

log = logging.getLogger(__name__)


class Fetched:
    """The source of messages that were fetched: nobody waits to hear that they are stored."""

    def take(self, most: int, linger_s: float, timeout_s: float) -> list[Delivery]:
        """Give nothing: who fetches hands batches to the writer."""
        del most, linger_s, timeout_s
        return []

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def fetch(
    storage: ThingsStackStorage,
    since: datetime,
    until: datetime,
    writer: Writer,
    clock: Clock,
    stop: threading.Event,
) -> Iterator[Sequence[StoredUplink]]:
    """Store what a network server kept of a span, and yield each batch once it is committed.

    Args:
        storage: where it is.
        since: the span's beginning, by the network server's clock.
        until: its end.
        writer: stores it.
        clock: tells when a message came in.
        stop: ends it early.

    Raises:
        BackfillError: the storage does not answer, or refuses; what was yielded is stored.
    """
    for batch in _batches(storage.uplinks(since, until)):
        now = clock.now()
        deliveries = [Delivery(uplink.topic, uplink.payload, now, None) for uplink in batch]
        if stop.is_set() or not writer.write(deliveries, stop):
            return
        yield batch


def _batches(uplinks: Iterator[StoredUplink]) -> Iterator[list[StoredUplink]]:
    """Yield uplinks in batches; those before a failure count, or a bad line would never end."""
    batch: list[StoredUplink] = []
    try:
        for uplink in uplinks:
            batch.append(uplink)
            if len(batch) >= BATCH:
                yield batch
                batch = []
    except BackfillError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


class Backfill:
    """Looks after one source: where its line has missed something, the storage is asked."""

    def __init__(
        self,
        source: Source,
        storage: ThingsStackStorage,
        coverage: Coverage,
        writer: Writer,
        database: Database,
        clock: Clock,
        counters: Counters,
    ) -> None:
        """Prepare it.

        Args:
            source: whose gaps these are.
            storage: what its network server kept.
            coverage: where the gaps are.
            writer: stores what was fetched, on a database connection of its own.
            database: keeps the mark.
            clock: tells when a message came in.
            counters: what happened is counted there.
        """
        self._source, self._storage, self._coverage = source, storage, coverage
        self._writer, self._database, self._clock = writer, database, clock
        self._counters = counters
        self._backoff = Backoff(first_s=FIRST_S, cap_s=300.0)
        self._gap: Gap | None = None
        self._since = coverage.until  # where to ask from
        self._again_s = 0.0  # not before, by the monotonic clock
        self._failing = False
        self._kept = coverage.until
        self._kept_s = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop. Whatever goes wrong here is tried again and costs nobody else.

        The storage may keep it waiting for some seconds before it notices the stop.
        """
        while not stop.wait(LOOK_S):
            try:
                self._fill(stop)
                self._keep(KEEP_S)
            except BackfillError as error:
                self._fail(f"{error}; check sources.toml and {self._source.variable}", error.wait_s)
            except DATABASE_AWAY as error:
                self._fail(f"database away: {' '.join(str(error).split())}")
            except Exception:  # live messages must not end with it
                log.exception("backfill of source %s", self._source.id)
                self._fail("unexpected error")
        with suppress(*DATABASE_AWAY):  # an older mark only makes the next gap longer
            self._keep(0)
        self._writer.hang_up()

    def _fill(self, stop: threading.Event) -> None:
        gap = self._coverage.look()
        if gap is not None and gap is not self._gap:
            self._since = gap.since - MARGIN
            self._again_s = self._again_s if self._failing else 0.0
        self._gap = gap
        began_s = time.monotonic()
        if gap is None or began_s < self._again_s:
            return
        fetched = self._ask(gap, stop)
        if stop.is_set():
            return
        self._failing = False
        self._backoff.reset()
        log.info("backfill of source %s: %d messages fetched", self._source.id, fetched)
        if began_s >= gap.found_s + SETTLE_S:
            self._coverage.close(gap)
        else:
            self._since -= MARGIN
            self._again_s = gap.found_s + SETTLE_S

    def _ask(self, gap: Gap, stop: threading.Event) -> int:
        """Fetch from where the last attempt came to; how many there were."""
        oldest = self._clock.now() - timedelta(days=self._source.storage_days)
        since, until = max(self._since, oldest), gap.until + MARGIN
        fetched = 0
        for batch in fetch(self._storage, since, until, self._writer, self._clock, stop):
            fetched += len(batch)
            self._counters.backfilled += len(batch)
            if known := [uplink.received_at for uplink in batch if uplink.received_at]:
                self._since = max(self._since, *known)
                self._coverage.filled(self._since)
        return fetched

    def _keep(self, every_s: float) -> None:
        until, now_s = self._coverage.until, time.monotonic()
        if until != self._kept and now_s >= self._kept_s + every_s:
            with self._database.connect(autocommit=True) as connection:
                sources.move_mark(connection, self._source.id, until)
            self._kept, self._kept_s = until, now_s

    def _fail(self, problem: str, wait_s: float = 0.0) -> None:
        wait_s = max(wait_s, self._backoff.next_s())
        self._failing = True
        self._counters.backfill_retries += 1
        self._again_s = time.monotonic() + wait_s
        log.warning("backfill of source %s, again in %.0f s: %s", self._source.id, wait_s, problem)
