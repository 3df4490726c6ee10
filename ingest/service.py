"""The ingester: sources, writers and downlink together, until it is told to stop.

Of several ingesters each serves its shards of the devices. The first alone does what only one may
do: it sends tours, clears old ones, and listens to brokers besides our own.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import partial

from pydantic import SecretStr

from config.clock import Clock
from config.errors import SettingsError
from config.settings import Settings
from config.source import Source
from ingest import news
from ingest.broker import Refusals, client_id, region_broker, server_secret
from ingest.broker.age import keep_age
from ingest.counters import Counters
from ingest.downlink import Downlink
from ingest.intake import Intake, Part
from ingest.line import Login
from ingest.metrics import Gauges, IngestMetrics, serve_metrics
from ingest.publisher import Publisher
from ingest.registry import Registry
from ingest.retained import Tidier
from ingest.shard_source import Listening, ShardSource
from ingest.shards import ALONE, Seat, Split
from ingest.writer import Writer
from storage.database import Database
from storage.migrate import require_schema

REPORT_S = 60.0
RECEIPT_PAUSE_S = 0.5  # a unit sends again after seconds

log = logging.getLogger(__name__)


def serve(
    settings: Settings,
    region: str,
    clock: Clock,
    database: Database,
    stop: threading.Event,
    *,
    seat: Seat = ALONE,
    sources: Sequence[Source] = (),
    passwords: Mapping[str, SecretStr] | None = None,
    counters: Counters | None = None,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Ingest until told to stop, then finish what is in memory.

    Args:
        settings: where the broker is, and the limits.
        region: id of the region whose devices are served.
        clock: what devices' clocks are judged by.
        database: where everything goes.
        stop: set by whoever wants it to end.
        seat: which of several ingesters this is.
        sources: brokers besides our own; one that is away is waited for by nobody.
        passwords: by the id of the source.
        counters: what our own broker brings is counted there; a fresh set by default.
        on_ready: called with the broker's address when messages are taken.

    Raises:
        BrokerError: no broker, or it refuses us.
        DatabaseError: no database, or its schema is not up to date.
        SettingsError: a file for TLS cannot be used, or one of several ingesters has a broker
            for itself.
    """
    if settings.embedded_broker and seat.of > 1:
        raise SettingsError(
            f"ingester {seat} needs the others' broker: set BINROUND_BROKER_URL, or let "
            "`binround ingest --instances N` start them all"
        )
    require_schema(database)
    counters = counters or Counters()
    secret = server_secret(settings)
    keys = passwords or {}
    intakes = [
        Intake(
            each,
            keys.get(each.id, SecretStr("")),
            settings=settings,
            region=region,
            database=database,
            clock=clock,
        )
        for each in (sources if seat.is_first else ())
    ]
    with _broker(settings, region, database, seat) as url:

        def login(purpose: str) -> Login:
            user, key = settings.broker_user, SecretStr(secret)
            identity = SecretStr(client_id(secret, purpose))
            return Login(url, user, key, identity, settings.broker_tls)

        shards = ShardSource(
            login,
            Listening(region, seat, Split(settings.broker_split), database),
            clock,
            settings.ingest_queue_messages,
        )
        with Publisher(login(f"downlink-{region}-{seat.number}")) as publisher, shards as source:
            writer = Writer(
                source,
                database,
                Registry(),
                publisher.tell,
                region=region,
                clock=clock,
                counters=counters,
                batch_rows=settings.ingest_batch_rows,
                linger_s=settings.ingest_linger_ms / 1000,
                receipt_pause_s=RECEIPT_PAUSE_S,
                news_pause_s=news.PAUSE_S,
            )
            parts: list[Part] = [writer.run, source.follow]
            parts += [part for intake in intakes for part in intake.parts]
            if seat.is_first:
                parts.append(Downlink(database, publisher, region, counters, clock).run)
                parts.append(Tidier(login(f"tidier-{region}"), database, region, clock).run)
            gauges = Gauges(
                queued=lambda: source.waiting,
                connected=lambda: source.is_up,
                oldest=lambda: writer.oldest or source.oldest,
                refusals=_refusals(settings, seat),
                seat=seat,
            )
            collector = IngestMetrics(counters, gauges, clock, [each.feed for each in intakes])
            port = settings.ingest_metrics_port and settings.ingest_metrics_port + seat.number - 1
            with _begun(intakes), serve_metrics(port, collector):
                log.info("ready broker=%s region=%s ingester=%s", url, region, seat)
                on_ready(url)
                _work(parts, stop, partial(_report, "so far", counters, intakes))
    _report("stopped", counters, intakes)


@contextmanager
def _begun(intakes: Sequence[Intake]) -> Iterator[None]:
    """Let other brokers' messages in meanwhile."""
    try:
        for intake in intakes:
            intake.begin()
        yield
    finally:
        for intake in intakes:
            intake.stop()


def _refusals(settings: Settings, seat: Seat) -> Callable[[], Mapping[str, int]]:
    """Return what reads the embedded broker's log; one ingester does, or sums would be wrong."""
    return Refusals(settings.data_dir / "broker" / "nats.log").counts if seat.is_first else dict


@contextmanager
def _broker(settings: Settings, region: str, database: Database, seat: Seat) -> Iterator[str]:
    """Give the broker's address; an embedded one runs meanwhile."""
    if not settings.embedded_broker:
        with ExitStack() as held:
            if settings.broker_admin_url and seat.is_first:
                address, secret = settings.broker_admin_url, server_secret(settings)
                held.enter_context(keep_age(lambda: address, secret, database))
            yield settings.broker_url
        return
    with region_broker(settings, region, database) as broker:
        yield broker.url


def _work(parts: list[Part], stop: threading.Event, report: Callable[[], None]) -> None:
    """Run the parts in threads; when one of them ends, so do the others."""
    with ThreadPoolExecutor(len(parts), thread_name_prefix="ingest") as pool:
        running = [pool.submit(part, stop) for part in parts]
        while not wait(running, REPORT_S, return_when=FIRST_COMPLETED).done:
            report()
        stop.set()
        wait(running)
    for part in running:
        part.result()


def _report(when: str, counters: Counters, intakes: Sequence[Intake]) -> None:
    for intake in intakes:
        log.info("%s source=%s %s", when, intake.id, _line(intake.counters))
    log.info("%s %s", when, _line(counters))


def _line(counters: Counters) -> str:
    return " ".join(f"{name}={count}" for name, count in counters.snapshot().items())
