"""Tours on their way down: from the outbox to retained messages on the broker.

The broker has to hold the newest tour of every vehicle. At the start, and whenever the line
was down, all of them are said again, so that neither our restart nor a broker that forgot can
leave a truck without its tour; a unit knows by the revision what it already has. A tour of a day
that is over is not said again: nobody drives it, and the broker should forget it.
"""

import logging
import threading
from datetime import timedelta

import psycopg
from pydantic import ValidationError

from config.clock import Clock
from ingest.backoff import Backoff
from ingest.counters import Counters
from ingest.messages import TourDown, down_topic
from ingest.outage import DATABASE_AWAY
from ingest.publisher import Publisher
from storage import outbox
from storage.database import Database

POLL_S = 0.5
BREATH_S = 0.05  # news of telemetry wakes us too; this bounds how often we look
CONFIRM_S = 5.0
OVER = timedelta(days=1)  # then a day is over in every zone

log = logging.getLogger(__name__)


class Downlink:
    """Publishes each tour in the outbox until the broker has confirmed it."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        region: str,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._region = region
        self._counters = counters
        self._clock = clock
        self._backoff = Backoff(first_s=0.1, cap_s=5.0)
        self._last = 0
        self._said_at = 0  # the line's count when all tours were said

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; waits for a database that is away."""
        while not stop.is_set():
            try:
                with self._database.connect(autocommit=True, hurried=True) as connection:
                    outbox.listen(connection)
                    self._backoff.reset()
                    self._serve(connection, stop)
            except DATABASE_AWAY:
                stop.wait(self._backoff.next_s())

    def _serve(self, connection: psycopg.Connection, stop: threading.Event) -> None:
        while not stop.is_set():
            self.send(connection)
            for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                pass
            stop.wait(BREATH_S)

    def send(self, connection: psycopg.Connection) -> None:
        """Publish what is new, or everything if the line came up again."""
        times_up = self._publisher.times_up
        if times_up != self._said_at:
            waiting = sorted(outbox.newest_tours(connection))
        else:
            waiting = outbox.after(connection, self._last, kind=outbox.Kind.TOUR)
        for news in waiting:
            if not self._deliver(news):
                return
            self._last = max(self._last, news.id)
        self._said_at = times_up

    def _deliver(self, news: outbox.News) -> bool:
        try:
            tour = TourDown.model_validate(news.payload)
        except ValidationError as error:  # it must not hold up the tours of other vehicles
            log.warning("outbox row %d is no tour: %s", news.id, error.errors()[0]["loc"])
            return True
        if tour.day < (self._clock.now() - OVER).date().isoformat():
            return True
        topic = down_topic(self._region, news.key, "tour")
        delivered = self._publisher.deliver(topic, tour.model_dump_json(), CONFIRM_S)
        if delivered:
            self._counters.tours_sent += 1
            log.info("tour sent tour=%s revision=%d stops=%d", tour.tour, tour.revision,
                     len(tour.stops))  # fmt: skip
        return delivered
