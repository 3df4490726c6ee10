"""From the broker into the database: commit, then acknowledge, in this order, always.

What is acknowledged is stored. What was stored but not acknowledged comes again and changes
nothing, because (device, time, seq) names a record for ever.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

import psycopg

from config.clock import Clock
from config.errors import DatabaseError
from config.source import OWN_BROKER, Origin
from ingest.backoff import Backoff
from ingest.clocks import Clocks
from ingest.counters import Counters
from ingest.keep import keep
from ingest.news import News
from ingest.outage import DATABASE_AWAY
from ingest.receipts import Receipts
from ingest.registry import Registry
from ingest.rows import dead_letter, gather
from ingest.sources import Delivery, Source
from ingest.steps import Parcel, Surroundings, walk
from storage import clocks, telemetry
from storage.database import Database

IDLE_S = 0.5

log = logging.getLogger(__name__)


class Writer:
    """Takes batches from a source, stores each in one transaction and acknowledges it."""

    def __init__(
        self,
        source: Source,
        database: Database,
        registry: Registry,
        tell: Callable[[str, str], bool],
        *,
        region: str,
        clock: Clock,
        counters: Counters,
        origin: Origin = OWN_BROKER,
        batch_rows: int = 1000,
        linger_s: float = 0.02,
        receipt_pause_s: float = 0.0,
        news_pause_s: float = 0.0,
    ) -> None:
        """Prepare a writer.

        Args:
            source: where messages come from.
            database: where they go.
            registry: the devices we know.
            tell: publishes a unit's acknowledgement; False if it could not.
            region: whose messages these are.
            clock: tells when news and devices' clocks are noted.
            counters: what happened is counted there.
            origin: which source it is, and what its messages are written in.
            batch_rows: messages in one transaction at most.
            linger_s: how long a batch waits for more messages.
            receipt_pause_s: how long a unit waits at most to be told that a record is stored.
            news_pause_s: how long consoles wait at most to be told that something is new.
        """
        self._source = source
        self._database = database
        self._registry = registry
        self._region = region
        self._clock = clock
        self._counters = counters
        self._origin = origin
        self._batch_rows = batch_rows
        self._linger_s = linger_s
        self._receipts = Receipts(tell, region, counters, receipt_pause_s)
        self._clocks = Clocks()
        self._news = News(news_pause_s)
        self._connection: psycopg.Connection | None = None
        self._oldest: datetime | None = None
        self._backoff = Backoff(first_s=0.1, cap_s=5.0)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, then finish what is in memory.

        When the database is away it waits for it, for ever; meanwhile nothing is acknowledged
        and the bounded inbox holds the rest back at the broker. Told to stop while the
        database is away, it leaves: the broker delivers again what is in memory.
        """
        try:
            while not stop.is_set():
                self._look_around(stop)
                self.write(self._take(self._receipts.wait_s(IDLE_S)), stop)
                self._receipts.send()
            self._source.close()
            while batch := self._take(0):
                if not self.write(batch, stop):
                    break
            self._receipts.send(all_of_it=True)
            with suppress(*DATABASE_AWAY):  # it can do without
                self._tell_late(at_once=True)
        finally:
            self.hang_up()

    @property
    def oldest(self) -> datetime | None:
        """When the oldest message in hand came in; nothing while there is none."""
        return self._oldest

    def write(self, deliveries: Sequence[Delivery], stop: threading.Event) -> bool:
        """Store a batch and acknowledge it; False if it was given up because of `stop`."""
        if not deliveries:
            return True
        self._oldest = min(delivery.received_at for delivery in deliveries)
        parcels = self._stored(deliveries, stop)
        if parcels is None:
            return False
        self._oldest = None
        self._source.acknowledge(deliveries)
        self._clocks.note(parcels)
        if self._origin == OWN_BROKER:  # nobody else waits to be told
            self._receipts.note(parcels, self._registry.devices_at(""))
            self._receipts.send()
        return True

    def _take(self, timeout_s: float) -> list[Delivery]:
        batch = self._source.take(self._batch_rows, self._linger_s, timeout_s)
        self._counters.received += len(batch)
        return batch

    def _stored(self, deliveries: Sequence[Delivery], stop: threading.Event) -> list[Parcel] | None:
        """Try until the batch is committed; None if the database is away and we have to stop."""
        while True:
            try:
                connection = self._connected()
                parcels = self._walk(deliveries, connection)
                self._commit(connection, parcels)
            except DATABASE_AWAY as error:
                self._note_away(error)
                if stop.wait(self._backoff.next_s()):
                    return None
            else:
                self._backoff.reset()
                return parcels

    def _walk(self, deliveries: Sequence[Delivery], connection: psycopg.Connection) -> list[Parcel]:
        self._registry.refresh(connection)
        around = self._surroundings()
        parcels = [walk(topic, payload, at, around) for topic, payload, at, _ in deliveries]
        devices = around.devices
        strangers = any(parcel.sender and parcel.sender not in devices for parcel in parcels)
        if strangers and self._registry.refresh(connection, stranger=True):
            around = self._surroundings()
            parcels = [walk(topic, payload, at, around) for topic, payload, at, _ in deliveries]
        return parcels

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self._region,
            self._registry.devices_at(self._origin.id),
            self._origin,
            self._registry.calibrations,
        )

    def _commit(self, connection: psycopg.Connection, parcels: list[Parcel]) -> None:
        """Store parcels in one transaction; if the database will not take one, find out which."""
        try:
            self._transact(connection, parcels)
        except DATABASE_AWAY:
            raise
        except psycopg.Error as error:
            if len(parcels) > 1:
                half = len(parcels) // 2
                self._commit(connection, parcels[:half])
                self._commit(connection, parcels[half:])
                return
            self._bury(connection, parcels[0], error)

    def _transact(self, connection: psycopg.Connection, parcels: list[Parcel]) -> None:
        haul = gather(parcels, self._origin)
        unsaid = self._news.due()
        stored = keep(connection, haul, unsaid)
        if unsaid is None:
            self._news.add(stored.news)
        else:
            self._news.said()
        if stored.used_fallback:
            log.debug("repeated rows=%d duplicates=%d", len(parcels), stored.duplicates)
        counters = self._counters
        counters.batches += 1
        counters.stored += sum(stored.counts.values()) - stored.counts["dead_letter"]
        counters.duplicates += stored.duplicates
        counters.repeated_batches += stored.used_fallback
        counters.dead_letters += stored.counts["dead_letter"]
        counters.refuse(letter.reason for letter in haul.dead_letters)
        counters.refuse(["database: it refused a record"] * stored.refused)
        counters.clock_suspect += haul.clock_suspect
        counters.tour_answers += len(haul.answers)

    def _bury(self, connection: psycopg.Connection, parcel: Parcel, error: psycopg.Error) -> None:
        reason = f"database: {' '.join(str(error).split())}"[:300]
        log.warning("message refused by the database: %s", type(error).__name__)
        letter = dead_letter(parcel, reason, self._origin)
        try:
            with connection.transaction():
                telemetry.store(connection, telemetry.Batch(dead_letters=[letter]))
        except psycopg.Error as worse:  # then it is not the message
            raise DatabaseError(f"it takes no dead letter: {worse}") from worse
        self._counters.dead_letters += 1
        self._counters.refuse([reason])

    def _look_around(self, stop: threading.Event) -> None:
        """Do between batches what needs no batch: the registry, devices' clocks, late news."""
        try:
            self._registry.refresh(self._connected())
            self._tell_late()
        except DATABASE_AWAY as error:
            self._note_away(error)
            stop.wait(self._backoff.next_s())

    def _tell_late(self, *, at_once: bool = False) -> None:
        """Keep what was learnt of clocks and announce what is new, if it is time or at once."""
        if leads := self._clocks.due(at_once=at_once):
            clocks.keep(self._connected(), leads, self._clock.now())
            self._clocks.kept()
        if news := self._news.overdue(at_once=at_once):
            telemetry.announce(self._connected(), news, self._clock.now())
            self._news.said()

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(autocommit=True, hurried=True)
        return self._connection

    def _note_away(self, error: Exception) -> None:
        if not self._counters.database_retries % 20:
            log.warning("database away, waiting for it: %s", " ".join(str(error).split()))
        self._counters.database_retries += 1
        self.hang_up()

    def hang_up(self) -> None:
        """Let go of the database; the next batch connects again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
