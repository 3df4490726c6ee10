"""Where messages come from: a broker that forgets a message only after we said so."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import paho.mqtt.client as mqtt

from config.clock import Clock
from ingest.line import Line, Login

START_S = 5.0
MOST_TOPICS = 500  # in one request


class Token(NamedTuple):
    """What names a delivery at the broker; it means nothing on another connection."""

    source: int
    connection: int
    mid: int


class Delivery(NamedTuple):
    """A message as it came in."""

    topic: str
    payload: bytes
    received_at: datetime
    token: Token | None  # None: the broker waits for no acknowledgement


class Source(Protocol):
    """Something that delivers messages and delivers them again until they are acknowledged."""

    def take(self, most: int, linger_s: float, timeout_s: float) -> list[Delivery]:
        """Wait for messages; after the first one, a little longer for more."""
        ...

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Say that these are stored for good."""
        ...

    def close(self) -> None:
        """Take no more; what is in memory can still be taken and acknowledged."""
        ...


class Inbox:
    """A bounded queue between the network's threads and the writer's.

    When it is full, `put` waits: the socket is not read and the broker holds the rest.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._door = threading.Lock()  # one at a time, or several would take the last place
        self._items: deque[Delivery] = deque()
        self._filled = threading.Event()
        self._room = threading.Event()
        self._closed = False
        self.stoppages = 0  # grows when the network begins to wait for room, and when it goes on

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._items)

    def oldest(self) -> datetime | None:
        """When the message that waits longest came in."""
        try:
            return self._items[0].received_at
        except IndexError:  # taken this instant
            return None

    def put(self, delivery: Delivery) -> None:
        """Add a message; waits while there is no room. A closed inbox drops it."""
        with self._door:
            if len(self._items) >= self._limit:
                self.stoppages += 1
                self._wait_for_room()
                self.stoppages += 1
            if self._closed:
                return
            self._items.append(delivery)
        if not self._filled.is_set():
            self._filled.set()

    def _wait_for_room(self) -> None:
        while len(self._items) >= self._limit and not self._closed:
            self._room.clear()
            if len(self._items) >= self._limit:
                self._room.wait()

    def take(self, most: int, linger_s: float, timeout_s: float) -> list[Delivery]:
        """Wait for a message up to `timeout_s`, then `linger_s` for up to `most` of them."""
        if not self._filled.wait(timeout_s):
            return []
        until = time.monotonic() + linger_s
        while len(self._items) < most and not self._closed and time.monotonic() < until:
            time.sleep(min(0.005, linger_s))
        batch = [self._items.popleft() for _ in range(min(most, len(self._items)))]
        self._filled.clear()
        if self._items or self._closed:
            self._filled.set()
        self._room.set()
        return batch

    def close(self) -> None:
        """Take no more; what is inside can still be taken."""
        self._closed = True
        self._room.set()
        self._filled.set()


class MqttSource:
    """Messages from an MQTT broker, in a session that outlives us."""

    def __init__(
        self,
        login: Login,
        topics: Sequence[str],
        clock: Clock,
        inbox: Inbox,
        *,
        number: int = 0,
        left: Sequence[str] = (),
        name_topic: Callable[[str], str] = str,
    ) -> None:
        """Prepare the source.

        Args:
            login: where the broker is, and who we are.
            topics: filters of what is listened to.
            clock: tells when a message came in.
            inbox: holds messages until they are taken; several sources may share it.
            number: tells such sources apart.
            left: filters that the session may still have and no longer should.
            name_topic: what a topic is called from here on.
        """
        self._topics = tuple(topics)
        self._left = tuple(left)
        self._clock = clock
        self._inbox = inbox
        self._number = number
        self._name_topic = name_topic
        self._asked: set[str] = set()  # topics asked for on this connection
        # What the broker has not answered yet, by the number of the request.
        self._awaited: dict[int | None, Sequence[str]] = {}
        self._connection = 0
        self._held: set[int] = set()
        self._guard = threading.Lock()
        self._line = Line(login, keep_session=True)
        self._line.on_up = self._subscribe
        self._line.on_down = self._forget
        self._line.client.on_subscribe = self._subscribed
        self._line.client.on_message = self._deliver

    def start(self) -> None:
        """Connect and subscribe.

        Raises:
            BrokerError: the broker is not there, or refuses us.
        """
        self._line.start(START_S)

    def begin(self) -> None:
        """Connect and subscribe as soon as that can be done; meanwhile nothing waits for it."""
        self._line.begin()

    def drop(self) -> None:
        """Cut the connection; the broker delivers again what was not acknowledged."""
        self._line.drop()

    def close(self) -> None:
        """Take no more messages; those in memory can still be taken and acknowledged."""
        self._inbox.close()

    def stop(self) -> None:
        """Hang up. What was not acknowledged will be delivered again."""
        self.close()
        self._line.stop()

    def listen(self, topics: Sequence[str]) -> None:
        """Listen to these topics, too, now or once the line is up; to be called now and then."""
        self._topics = tuple(topics)
        if self.is_up:
            self._request([topic for topic in topics if topic not in self._asked])

    @property
    def was_known(self) -> bool:
        """Whether the broker still had our session when we last came."""
        return self._line.session_present

    @property
    def waiting(self) -> int:
        """Messages in memory."""
        return len(self._inbox)

    @property
    def oldest(self) -> datetime | None:
        """When the message that waits longest in memory came in."""
        return self._inbox.oldest()

    @property
    def is_up(self) -> bool:
        """Whether the broker delivers to us now."""
        return self._line.is_up

    @property
    def gaps(self) -> int:
        """A number that changes whenever a broker without a memory may have lost something.

        That is when the line came up, and when we had no room and did not read it.
        """
        return self._line.times_up + self._inbox.stoppages

    def take(self, most: int, linger_s: float, timeout_s: float) -> list[Delivery]:
        """Wait for messages; after the first one, a little longer for more."""
        return self._inbox.take(most, linger_s, timeout_s)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Say that these are stored for good.

        Those of an earlier connection are left out: their numbers may name other messages by
        now, and the broker delivers them again anyway.
        """
        with self._guard:
            tokens = [delivery.token for delivery in deliveries if delivery.token is not None]
            mids = [token.mid for token in tokens if token.connection == self._connection]
            self._held.difference_update(mids)
            self._line.client.ack_all(mids)

    # The network's thread -----------------------------------------------------------------

    def _subscribe(self) -> None:
        for topic in self._left:
            self._line.client.unsubscribe(topic)
        self._asked.clear()
        self._awaited.clear()
        if self._topics:
            self._request(self._topics)
        else:
            self._line.ready()

    def _request(self, topics: Sequence[str]) -> None:
        for start in range(0, len(topics), MOST_TOPICS):
            part = topics[start : start + MOST_TOPICS]
            _, mid = self._line.client.subscribe([(topic, 1) for topic in part])
            self._awaited[mid] = part
            self._asked.update(part)

    def _subscribed(self, *args: Any) -> None:
        mid, codes = args[2], args[3]
        asked = self._awaited.pop(mid, ())
        refused = [topic for topic, code in zip(asked, codes, strict=False) if code.is_failure]
        if refused:
            self._line.refuse(f"user may not subscribe to {refused[0]}")
            self._line.drop()
        elif not self._awaited and not self.is_up:
            self._line.ready()

    def _forget(self) -> None:
        # Before the line comes back: no acknowledgement may go out on the next connection.
        with self._guard:
            self._connection += 1
            self._held.clear()

    def _deliver(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        token = None
        if message.qos:  # acknowledging QoS 0 would make the broker hang up
            if message.mid in self._held:
                return  # sent again because we are slow; it is already in the inbox
            self._held.add(message.mid)
            token = Token(self._number, self._connection, message.mid)
        try:
            topic = self._name_topic(message.topic)
        except UnicodeDecodeError:
            topic = ""
        self._inbox.put(Delivery(topic, bytes(message.payload), self._clock.now(), token))
