"""What the ingester counts, for Prometheus, on a port of this machine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from config.clock import Clock
from config.errors import SettingsError
from ingest.counters import Counters

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
}


@dataclass(frozen=True)
class Gauges:
    """Where the ingester can be looked at while it works.

    Attributes:
        queued: messages in memory.
        connected: whether the broker delivers to us.
        oldest: when the oldest message that is not stored yet came in.
        refusals: what the broker refused, by kind; empty where the broker is not ours.
    """

    queued: Callable[[], int]
    connected: Callable[[], bool]
    oldest: Callable[[], datetime | None]
    refusals: Callable[[], Mapping[str, int]]


class IngestMetrics(Collector):
    """Reads the counters when somebody asks; the path of a message pays nothing for it."""

    def __init__(self, counters: Counters, gauges: Gauges, clock: Clock) -> None:
        self._counters, self._gauges, self._clock = counters, gauges, clock

    def collect(self) -> Iterator[Metric]:
        """Yield everything, as Prometheus wants it."""
        totals = self._counters.snapshot()
        for name, meaning in _MEANING.items():
            yield CounterMetricFamily(f"binround_ingest_{name}", meaning, totals[name])
        yield _by(
            "dead_letters",
            "Messages that could not be used, repeats included.",
            "reason",
            dict(self._counters.reasons),
        )
        yield _by(
            "broker_refusals",
            "What the embedded broker refused to devices.",
            "kind",
            self._gauges.refusals(),
        )
        yield _gauge("queue_messages", "Messages in memory.", self._gauges.queued())
        yield _gauge("connected", "1 while the broker delivers.", self._gauges.connected())
        yield _gauge("lag_seconds", "Age of the oldest message not stored yet.", self._lag_s())

    def _lag_s(self) -> float:
        oldest = self._gauges.oldest()
        return max(0.0, (self._clock.now() - oldest).total_seconds()) if oldest else 0.0


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


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"binround_ingest_{name}", meaning, value)
