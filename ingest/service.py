"""The ingester: source, writer and downlink together, until it is told to stop."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager

from pydantic import SecretStr

from config.clock import Clock
from config.settings import Settings
from ingest.broker import Refusals, client_id, region_broker, server_secret
from ingest.broker.age import keep_age
from ingest.counters import Counters
from ingest.downlink import Downlink
from ingest.line import Login
from ingest.metrics import Gauges, IngestMetrics, serve_metrics
from ingest.publisher import Publisher
from ingest.registry import Registry
from ingest.retained import Tidier
from ingest.sources import MqttSource
from ingest.writer import Writer
from storage.database import Database
from storage.migrate import require_schema

REPORT_S = 60.0
RECEIPT_PAUSE_S = 0.25  # a unit sends again after seconds
NEWS_PAUSE_S = 0.5  # a truck moves seven metres meanwhile

log = logging.getLogger(__name__)


def serve(
    settings: Settings,
    region: str,
    clock: Clock,
    database: Database,
    stop: threading.Event,
    *,
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
        counters: counted there; a fresh set by default.
        on_ready: called with the broker's address when messages are taken.

    Raises:
        BrokerError: no broker, or it refuses us.
        DatabaseError: no database, or its schema is not up to date.
    """
    require_schema(database)
    counters = counters or Counters()
    secret = server_secret(settings)
    with _broker(settings, region, database) as url:

        def login(purpose: str) -> Login:
            identity = SecretStr(client_id(secret, f"{purpose}-{region}"))
            return Login(url, settings.broker_user, SecretStr(secret), identity)

        source = MqttSource(login("ingest"), region, clock, settings.ingest_queue_messages)
        publisher = Publisher(login("downlink"))
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
            news_pause_s=NEWS_PAUSE_S,
        )
        downlink = Downlink(database, publisher, region, counters, clock)
        tidier = Tidier(login("tidier"), database, region, clock)
        publisher.start()
        try:
            source.start()
            log.info("ready broker=%s region=%s", url, region)
            on_ready(url)
            gauges = Gauges(
                queued=lambda: source.waiting,
                connected=lambda: source.is_up,
                oldest=lambda: writer.oldest or source.oldest,
                refusals=Refusals(settings.data_dir / "broker" / "nats.log").counts,
            )
            with serve_metrics(
                settings.ingest_metrics_port, IngestMetrics(counters, gauges, clock)
            ):
                _work([writer.run, downlink.run, tidier.run], stop, counters)
        finally:
            source.stop()
            publisher.stop()
            log.info("stopped %s", _line(counters))


@contextmanager
def _broker(settings: Settings, region: str, database: Database) -> Iterator[str]:
    """Give the broker's address; an embedded one runs meanwhile."""
    if not settings.embedded_broker:
        with ExitStack() as held:
            if settings.broker_admin_url:
                address, secret = settings.broker_admin_url, server_secret(settings)
                held.enter_context(keep_age(lambda: address, secret, database))
            yield settings.broker_url
        return
    with region_broker(settings, region, database) as broker:
        yield broker.url


def _work(
    parts: list[Callable[[threading.Event], None]], stop: threading.Event, counters: Counters
) -> None:
    """Run the parts in threads; when one of them ends, so do the others."""
    with ThreadPoolExecutor(len(parts), thread_name_prefix="ingest") as pool:
        running = [pool.submit(part, stop) for part in parts]
        while not wait(running, REPORT_S, return_when=FIRST_COMPLETED).done:
            log.info("so far %s", _line(counters))
        stop.set()
        wait(running)
    for part in running:
        part.result()


def _line(counters: Counters) -> str:
    return " ".join(f"{name}={count}" for name, count in counters.snapshot().items())
