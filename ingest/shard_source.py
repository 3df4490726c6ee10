"""Our own broker's messages: the sessions of the shards that one ingester serves."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from config.clock import Clock
from ingest.line import Login
from ingest.outage import DATABASE_AWAY
from ingest.shards import SHARDS, Seat, Split, left, plain, session_name, topics
from ingest.sources import Delivery, Inbox, MqttSource
from storage import assets
from storage.database import Database

LOOK_S = 5.0  # how long a new device may go unheard where we divide by name

log = logging.getLogger(__name__)


class Listening(NamedTuple):
    """What an ingester listens to.

    Attributes:
        region: whose devices.
        seat: which ingester it is.
        split: who divides the messages.
        database: knows the devices.
    """

    region: str
    seat: Seat
    split: Split
    database: Database

    def devices(self) -> list[str]:
        """Return the names of all devices, where they are needed."""
        if self.split is not Split.DEVICES:
            return []
        with self.database.connect() as connection:
            return list(assets.devices(connection))


class ShardSource:
    """A session for each shard and one queue for all; each device's messages keep their order.

    It connects at entry and hangs up at exit.
    """

    def __init__(
        self, login: Callable[[str], Login], what: Listening, clock: Clock, queue_messages: int
    ) -> None:
        """Prepare the source.

        Args:
            login: gives our login for a session of a given name.
            what: what we listen to.
            clock: tells when a message came in.
            queue_messages: messages held in memory at most.
        """
        self._login, self._what, self._clock = login, what, clock
        self._inbox = Inbox(queue_messages)
        self._sessions: dict[int, MqttSource] = {}

    def __enter__(self) -> Self:
        """Connect and subscribe.

        A broker drops what nobody has subscribed to. So whoever finds its sessions new makes sure
        that the other ingesters' are there, too, before those have ever been started; one that
        runs already is cut off for a moment by that, and comes back.

        Raises:
            BrokerError: the broker is not there, or refuses us.
        """
        try:
            self._sessions = self._open(self._what.seat.shards, self._inbox)
            others = [shard for shard in range(SHARDS) if shard not in self._sessions]
            if others and not all(session.was_known for session in self._sessions.values()):
                for session in self._open(others, Inbox(1)).values():
                    session.stop()
                log.info("sessions of %d shards are there for other ingesters", len(others))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up. What was not acknowledged will be delivered again."""
        self.stop()

    def stop(self) -> None:
        """Hang up."""
        self.close()
        for session in self._sessions.values():
            session.stop()

    def close(self) -> None:
        """Take no more messages; those in memory can still be taken and acknowledged."""
        self._inbox.close()

    def follow(self, stop: threading.Event) -> None:
        """Listen to devices as they are added, until told to stop."""
        while not stop.wait(LOOK_S):
            try:
                names = self._what.devices()
            except DATABASE_AWAY:
                continue
            for shard, session in self._sessions.items():
                session.listen(topics(self._what.split, self._what.region, shard, names))

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
        """Whether the broker delivers to us now, in every session."""
        return all(session.is_up for session in self._sessions.values())

    def take(self, most: int, linger_s: float, timeout_s: float) -> list[Delivery]:
        """Wait for messages; after the first one, a little longer for more."""
        return self._inbox.take(most, linger_s, timeout_s)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Say that these are stored for good."""
        heard: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            if delivery.token is not None:
                heard[delivery.token.source].append(delivery)
        for shard, those in heard.items():
            self._sessions[shard].acknowledge(those)

    def _open(self, shards: Iterable[int], inbox: Inbox) -> dict[int, MqttSource]:
        region, _, split, _ = self._what
        names = self._what.devices()
        opened: dict[int, MqttSource] = {}
        try:
            for shard in shards:
                opened[shard] = MqttSource(
                    self._login(session_name(region, shard)),
                    topics(split, region, shard, names),
                    self._clock,
                    inbox,
                    number=shard,
                    left=left(split, region),
                    name_topic=plain,
                )
                opened[shard].start()
        except BaseException:
            for session in opened.values():
                session.stop()
            raise
        return opened
