"""What the API counts, for Prometheus: requests as they are answered, and what is in storage."""

import time
from collections.abc import Iterator
from datetime import datetime

import psycopg
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage import clocks, deadletters, queue, telemetry

_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
CLOCK_OFF_S = 60.0  # positions of a minute ago are somewhere else
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counts the requests of one app."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "binround_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "binround_http_request_seconds",
            "Time until the answer began.",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def tell(self, connection: psycopg.Connection, now: datetime) -> bytes:
        """Return everything as Prometheus text."""
        stored = CollectorRegistry()
        stored.register(_Stored(connection, now))
        return generate_latest(self._registry) + generate_latest(stored)


class _Stored(Collector):
    """What stands in storage at one instant."""

    def __init__(self, connection: psycopg.Connection, now: datetime) -> None:
        self._connection, self._now = connection, now

    def describe(self) -> Iterator[Metric]:
        """Name nothing ahead: collecting twice would ask the database twice."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield jobs, dead letters, wrong clocks, and how long ago each kind of record came in."""
        yield _gauge("jobs", "Jobs by state.", "state", queue.depth(self._connection))
        yield _gauge(
            "dead_letters",
            "Dead letters that are kept.",
            "reason",
            deadletters.by_reason(self._connection),
        )
        ages = {
            kind: (self._now - at).total_seconds()
            for kind, at in telemetry.last_heard(self._connection).items()
        }
        yield _gauge("silence_seconds", "Since the newest record of a kind.", "kind", ages)
        wrong = clocks.wrong(self._connection, CLOCK_OFF_S)
        yield GaugeMetricFamily(
            "binround_wrong_clocks", "Devices whose clock is off by more than a minute.", wrong
        )


def _gauge(
    name: str, meaning: str, label: str, values: dict[str, int] | dict[str, float]
) -> Metric:
    family = GaugeMetricFamily(f"binround_{name}", meaning, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


class CountRequests:
    """Counts each request under its route, never under the path that was asked for."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begin = time.perf_counter()

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(method, route, message["status"]).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - begin)
            await send(message)

        return await self.app(scope, receive, count)
