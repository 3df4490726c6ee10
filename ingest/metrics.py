"""What the ingester counts, for Prometheus, on a port of this machine."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from config.clock import Clock
from config.errors import SettingsError
from ingest.counters import Counters
from ingest.shards import ALONE, Seat

_MEANING = {
    "received": "Messages taken from the broker, repeats included.",
    "stored": "New rows committed.",
    "duplicates": "Records and dead letters that were there already.",
    "repeated_batches": "Batches that took the slower way because something came again.",
    "clock_suspect": "Records whose device's clock cannot be right.",
    "batches": "Transactions committed.",
    "database_retries": "Attempts that failed because the database was away.",
    "acks_sent": "Acknowledgements sent to units.",
    "acks_dropped": "Acknowledgements that the line could not take.",
    "tours_sent": "Tours that the broker has taken.",
    "tour_answers": "Answers of units to tours.",
    "backfilled": "Messages fetched from a network server's storage, repeats included.",
    "backfill_retries": "Attempts at that which failed.",
}


@dataclass(frozen=True)
class Gauges:
    """Where the ingester can be looked at while it works.

    Attributes:
        queued: messages in memory.
        connected: whether the broker delivers to us.
        oldest: when the oldest message that is not stored yet came in.
        refusals: what the broker refused, by kind; empty where the broker is not ours.
        seat: which of several ingesters this is.
    """

    queued: Callable[[], int]
    connected: Callable[[], bool]
    oldest: Callable[[], datetime | None]
    refusals: Callable[[], Mapping[str, int]]
    seat: Seat = ALONE


@dataclass(frozen=True)
class Feed:
    """Where a source besides our own broker can be looked at.

    Attributes:
        id: its name in the region.
        counters: what is counted of it, in one or several threads.
        queued, connected, oldest: as in `Gauges`.
    """

    id: str
    counters: Sequence[Counters]
    queued: Callable[[], int]
    connected: Callable[[], bool]
    oldest: Callable[[], datetime | None]


class IngestMetrics(Collector):
    """Reads the counters when somebody asks; the path of a message pays nothing for it.

    Samples of our own broker bear no `source`, those of others do.
    """

    def __init__(
        self, counters: Counters, gauges: Gauges, clock: Clock, feeds: Sequence[Feed] = ()
    ) -> None:
        self._counters, self._gauges, self._clock = counters, gauges, clock
        self._feeds = (
            Feed("", [counters], gauges.queued, gauges.connected, gauges.oldest),
            *feeds,
        )

    def collect(self) -> Iterator[Metric]:
        """Yield everything, as Prometheus wants it."""
        for name, meaning in _MEANING.items():
            total = partial(_total, name)
            yield self._each(CounterMetricFamily(f"binround_ingest_{name}", meaning), total)
        yield self._dead_letters()
        yield _by(
            "broker_refusals",
            "What the embedded broker refused to devices.",
            "kind",
            self._gauges.refusals(),
        )
        yield self._who()
        yield self._gauge("queue_messages", "Messages in memory.", lambda feed: feed.queued())
        yield self._gauge(
            "connected", "1 while the broker delivers.", lambda feed: feed.connected()
        )
        yield self._gauge("lag_seconds", "Age of the oldest message not stored yet.", self._lag_s)

    def _gauge(self, name: str, meaning: str, value: Callable[[Feed], float]) -> Metric:
        return self._each(GaugeMetricFamily(f"binround_ingest_{name}", meaning), value)

    def _each(self, family: Metric, value: Callable[[Feed], float]) -> Metric:
        suffix = "_total" if family.type == "counter" else ""
        for feed in self._feeds:
            family.add_sample(family.name + suffix, _labels(feed), value(feed))
        return family

    def _who(self) -> Metric:
        number, of = self._gauges.seat
        meaning = "Which of how many ingesters this is."
        family = GaugeMetricFamily("binround_ingest_ingester", meaning, labels=["number", "of"])
        family.add_metric([str(number), str(of)], 1)
        return family

    def _dead_letters(self) -> Metric:
        meaning = "Messages that could not be used, repeats included."
        family = CounterMetricFamily("binround_ingest_dead_letters", meaning)
        for feed in self._feeds:
            reasons = sum((one.reasons for one in feed.counters), Counter[str]())
            for reason, count in sorted(reasons.items()):
                labels = {"reason": reason, **_labels(feed)}
                family.add_sample(f"{family.name}_total", labels, count)
        return family

    def _lag_s(self, feed: Feed) -> float:
        oldest = feed.oldest()
        return max(0.0, (self._clock.now() - oldest).total_seconds()) if oldest else 0.0


def _total(name: str, feed: Feed) -> int:
    return sum(counters.snapshot()[name] for counters in feed.counters)


def _labels(feed: Feed) -> dict[str, str]:
    return {"source": feed.id} if feed.id else {}


@contextmanager
def serve_metrics(port: int, collector: Collector) -> Iterator[None]:
    """Answer on a port of this machine meanwhile; port 0: do nothing.

    Raises:
        SettingsError: the port is taken.
    """
    if not port:
        yield
        return
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, "127.0.0.1", registry)
    except OSError as error:
        raise SettingsError(
            f"port {port} on 127.0.0.1 cannot be had ({error.strerror}); "
            "choose another with BINROUND_INGEST_METRICS_PORT"
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _by(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"binround_ingest_{name}", meaning, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family
