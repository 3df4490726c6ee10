"""Retained tours on a broker: which there are, and none whose day is longer ago than declared.

Read from the broker itself, over MQTT, so that no tour is overlooked: not that of a vehicle that
the region no longer names, and on no kind of broker.
"""

import json
import logging
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from pydantic import SecretStr

from config.clock import Clock
from config.errors import BinroundError, BrokerError
from ingest.line import Line, Login
from ingest.messages import down_topic
from ingest.outage import DATABASE_AWAY
from storage import retention
from storage.database import Database

ANSWER_S = 5.0
QUIET_S = 0.5  # after the subscription a broker sends what is retained without a pause
LOOK_S = 60.0

log = logging.getLogger(__name__)


class RetainedTour(NamedTuple):
    """A tour that a broker would give to a unit that connects.

    Attributes:
        topic: where.
        day: its day; None when it cannot be read.
    """

    topic: str
    day: date | None


def retained_tours(login: Login, region: str) -> list[RetainedTour]:
    """Return the tours that a broker retains.

    Raises:
        BrokerError: it is not there, or refuses us.
    """
    with _Ear(login, region) as ear:
        return ear.heard()


def clear_older(login: Login, region: str, oldest: date) -> int:
    """Clear every tour whose day is before another one or cannot be read; returns how many.

    Raises:
        BrokerError: the broker is not there, or refuses us, or does not confirm.
    """
    with _Ear(login, region) as ear:
        old = [tour for tour in ear.heard() if tour.day is None or tour.day < oldest]
        for tour in old:
            ear.clear(tour.topic)
    return len(old)


class Tidier:
    """Clears old tours at the start and on every new day."""

    def __init__(self, login: Login, database: Database, region: str, clock: Clock) -> None:
        self._login, self._database, self._region = login, database, region
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a broker or database that is away is tried again."""
        done: date | None = None
        while not stop.is_set():
            today = self._clock.now().date()
            if today != done:
                with suppress(BinroundError, *DATABASE_AWAY):
                    self.tidy(today)
                    done = today
            stop.wait(LOOK_S)

    def tidy(self, today: date) -> None:
        """Clear what is older than the region declares."""
        with self._database.connect() as connection:
            days = retention.declared(connection).positions_days
        if cleared := clear_older(self._login, self._region, today - timedelta(days=days)):
            log.info("cleared %d retained tours older than %d days", cleared, days)


class _Ear:
    """Listens to the region's retained tours while it is entered."""

    def __init__(self, login: Login, region: str) -> None:
        once = SecretStr(f"tours-{secrets.token_hex(8)}")
        self._line = Line(replace(login, client_id=once), keep_session=False)
        self._topic = down_topic(region, "+", "tour")
        self._tours: list[RetainedTour] = []
        self._answer: list[bool] = []
        self._answered = threading.Event()
        self._spoken_at = 0.0
        self._line.client.on_message = self._take
        self._line.client.on_subscribe = self._note

    def __enter__(self) -> "_Ear":
        self._line.start(ANSWER_S)
        self._line.client.subscribe(self._topic, qos=1)
        if not self._answered.wait(ANSWER_S) or not all(self._answer):
            self._line.stop()
            raise BrokerError(f"the broker does not let us listen to {self._topic}")
        return self

    def __exit__(self, *_: object) -> None:
        self._line.stop()
        del self._line.client  # it closes its inner sockets when nobody holds it any more

    def heard(self) -> list[RetainedTour]:
        """Wait until the broker has nothing more to say and return what it said."""
        self._spoken_at = time.monotonic()
        while (left := self._spoken_at + QUIET_S - time.monotonic()) > 0:
            time.sleep(left)
        return list(self._tours)

    def clear(self, topic: str) -> None:
        """Take a retained message away, and wait for the broker's word."""
        info = self._line.client.publish(topic, b"", qos=1, retain=True)
        info.wait_for_publish(ANSWER_S)
        if not info.is_published():
            raise BrokerError("the broker does not confirm that a tour is cleared")

    def _note(self, *args: Any) -> None:
        self._answer = [not code.is_failure for code in args[3]]
        self._answered.set()

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._spoken_at = time.monotonic()
        if message.retain and message.payload:
            self._tours.append(RetainedTour(message.topic, _day(message.payload)))


def _day(payload: bytes | bytearray) -> date | None:
    try:
        return date.fromisoformat(json.loads(payload)["day"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
