"""A source besides our own broker, with all that serves it and nobody else."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import SecretStr

from config.clock import Clock
from config.settings import Settings
from config.source import Family, Source
from ingest import news
from ingest.backfill import Backfill, Coverage, Covered, Fetched, ThingsStackStorage
from ingest.backoff import Backoff
from ingest.broker import client_id, server_secret
from ingest.counters import Counters
from ingest.line import Login
from ingest.metrics import Feed
from ingest.registry import Registry
from ingest.shards import plain
from ingest.sources import Inbox, MqttSource
from ingest.sources import Source as Messages
from ingest.writer import Writer
from storage import sources
from storage.database import Database

RESTART_S = 1.0

Part = Callable[[threading.Event], None]

log = logging.getLogger(__name__)


class Intake:
    """One source: its session, queue, writer, database connection, counters, and backfill.

    Nothing of it is shared, so a broker that is away, slow or wrong costs the others nothing.
    """

    def __init__(
        self,
        source: Source,
        password: SecretStr,
        *,
        settings: Settings,
        region: str,
        database: Database,
        clock: Clock,
    ) -> None:
        """Prepare it.

        Args:
            source: as the region declares it.
            password: ours at its broker, and the key of its storage.
            settings: the limits.
            region: whose messages these are.
            database: where they go.
            clock: what devices' clocks are judged by.

        Raises:
            SettingsError: a file for TLS cannot be used.
        """
        self.id = source.id
        self.counters = Counters()
        self._settings, self._database, self._clock = settings, database, clock
        self._region, self._source = region, source
        login = _login(source, password, region, server_secret(settings))
        self._line = MqttSource(
            login,
            source.topics,
            clock,
            Inbox(settings.ingest_queue_messages),
            name_topic=plain if source.family is Family.CONTRACT else str,
        )
        self._backfill: Backfill | None = None
        messages: Messages = self._line
        self._counters = [self.counters]
        if source.storage:
            coverage = Coverage(self._line, clock, self._stored_until())
            messages = Covered(self._line, coverage)
            self._backfill = self._filler(source.storage, password, coverage)
        self._writer = self._new_writer(messages, self.counters, news.PAUSE_S)
        if source.user and not password.get_secret_value():
            log.warning("source %s: no password; set %s", source.id, source.variable)

    @property
    def parts(self) -> list[Part]:
        """What works in threads of its own."""
        return [self._write, *([self._backfill.run] if self._backfill else [])]

    @property
    def feed(self) -> Feed:
        """Where it can be looked at."""
        return Feed(
            self.id,
            self._counters,
            queued=lambda: self._line.waiting,
            connected=lambda: self._line.is_up,
            oldest=lambda: self._writer.oldest or self._line.oldest,
        )

    def begin(self) -> None:
        """Connect as soon as its broker is there; nothing waits for it."""
        self._line.begin()

    def stop(self) -> None:
        """Hang up. What was not acknowledged will be delivered again, if its broker remembers."""
        self._line.stop()

    def _write(self, stop: threading.Event) -> None:
        """Store until told to stop; an error that nobody foresaw must not end the others."""
        backoff = Backoff(first_s=RESTART_S, cap_s=60.0)
        while True:
            try:
                self._writer.run(stop)
            except Exception:
                log.exception("source %s: its writer begins anew", self.id)
                if stop.is_set():
                    return
                self._line.drop()
                stop.wait(backoff.next_s())
            else:
                return

    def _new_writer(
        self, messages: Messages, counters: Counters, news_pause_s: float = 0.0
    ) -> Writer:
        return Writer(
            messages,
            self._database,
            Registry(),
            _nobody,
            region=self._region,
            clock=self._clock,
            counters=counters,
            origin=self._source.origin,
            batch_rows=self._settings.ingest_batch_rows,
            linger_s=self._settings.ingest_linger_ms / 1000,
            news_pause_s=news_pause_s,
        )

    def _filler(self, url: str, key: SecretStr, coverage: Coverage) -> Backfill:
        counters = Counters()
        self._counters.append(counters)
        return Backfill(
            self._source,
            ThingsStackStorage(url, self._source.user, key, self._source.tls),
            coverage,
            self._new_writer(Fetched(), counters),
            self._database,
            self._clock,
            counters,
        )

    def _stored_until(self) -> datetime:
        """Return where the storage is asked from; with a new source, as far back as it goes."""
        with self._database.connect() as connection:
            mark = sources.mark(connection, self.id)
        return mark or self._clock.now() - timedelta(days=self._source.storage_days)


def _login(source: Source, password: SecretStr, region: str, secret: str) -> Login:
    """Return who we are at a source's broker.

    The name of our session depends on our own broker's secret: it stays when the source's
    password changes, and another installation has another one.
    """
    name = source.client_id or client_id(secret, f"{region}-{source.id}")
    return Login(
        source.url,
        source.user,
        password,
        SecretStr(name),
        source.tls,
        name=f"source {source.id}",
        advice=f"check sources.toml and {source.variable}",
    )


def _nobody(_topic: str, _payload: str) -> bool:
    """Tell nobody: only units of our own broker wait for an answer."""
    return False
