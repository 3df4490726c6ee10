"""A truck's unit: tells what happens, takes the tour, and forgets nothing that is not stored.

A PUBACK only says that the broker has a message. The unit keeps each record on its own disk
until the server's `down/ack` covers its (boot, seq), and sends it again until then: with a
back-off that doubles up to a cap, and jitter, so that a fleet does not answer an outage with a
storm. Sending a record twice changes nothing, because (device, time, seq) names it for ever.
"""

import heapq
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import paho.mqtt.client as mqtt
from pydantic import ValidationError

from config.clock import Clock
from config.errors import BrokerError
from ingest.messages import (
    MAX_PAYLOAD_BYTES,
    MODELS,
    Ack,
    Kind,
    Message,
    TourAck,
    TourDown,
    down_topic,
    up_topic,
)
from simulator.link import KEEPALIVE_S, Login, hand_over, open_client
from simulator.records import Key, Record, Records

# A retained tour that is published in the very instant of subscribing can pass a unit by
# (NATS 2.15: 3 of 60 such tries), so it subscribes once more, which brings what is retained.
ASK_AGAIN_S = 1.5

log = logging.getLogger(__name__)


class SentLog(Protocol):
    """Where a device writes down what it has told."""

    def note(self, device: str, instant: datetime, seq: int, kind: Kind) -> None:
        """Note one record."""
        ...


@dataclass(frozen=True, slots=True)
class Resend:
    """When a record is sent again.

    Attributes:
        first_s: wait for the first time.
        cap_s: longest wait; it doubles up to here.
        jitter: share by which a wait varies to both sides.
        window: records that are under way (sent, not known to be stored) at once.
    """

    first_s: float = 5.0
    cap_s: float = 60.0
    jitter: float = 0.3
    window: int = 500

    def wait_s(self, attempt: int, rng: random.Random) -> float:
        """Return how long to wait after the n-th attempt (from 1)."""
        base: float = min(self.cap_s, self.first_s * 2.0 ** (attempt - 1))
        return base * rng.uniform(1 - self.jitter, 1 + self.jitter)


@dataclass(slots=True)
class _UnderWay:
    record: Record
    attempts: int
    handed: mqtt.MQTTMessageInfo


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """What a unit did since its start."""

    recorded: int
    resent: int
    stored: int
    pending: int


class Unit:
    """One truck unit on the broker; use it as a context manager.

    Args:
        device: its name, which is the vehicle's id.
        region: the region's id.
        url: the broker's address.
        login: its credentials.
        clock: the instant at which it answers a tour.
        records: what it keeps; on disk when it shall survive a restart.
        resend: when it sends again.
        sent: notes every record that it makes.
        on_tour: called in the network thread with each new tour that it has accepted.
        judge: returns why a tour is refused, or None to accept it.
        rng: source of the jitter.
        keepalive_s: how often it makes sure that the broker is still there; see `open_client`.
    """

    def __init__(
        self,
        device: str,
        region: str,
        url: str,
        login: Login,
        clock: Clock,
        records: Records | None = None,
        *,
        resend: Resend | None = None,
        sent: SentLog | None = None,
        on_tour: Callable[[TourDown], None] | None = None,
        judge: Callable[[TourDown], str | None] = lambda _: None,
        rng: random.Random | None = None,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self.device = device
        self.region = region
        self.tour: TourDown | None = None
        self._clock = clock
        self._records = Records() if records is None else records
        self._resend = resend or Resend()
        self._sent = sent
        self._on_tour = on_tour
        self._judge = judge
        self._rng = rng or random.Random()  # noqa: S311  spreads load, is no secret
        self._change = threading.Condition(threading.RLock())
        self._under_way: dict[Key, _UnderWay] = {}
        self._due: list[tuple[float, Key]] = []
        self._cursor = Key(-1, -1)
        self._recorded = self._resent = self._stored = 0
        self._connected = self._stopping = False
        self._ask_at = float("inf")
        self._refusal = ""
        self._client = open_client(url, login, self._resend.window, keepalive_s)
        self._client.on_connect = self._let_in
        self._client.on_subscribe = self._listening
        self._client.on_disconnect = self._connection_lost
        self._client.on_message = self._message
        self._sender = threading.Thread(target=self._send_loop, name=f"unit-{device}", daemon=True)

    def __enter__(self) -> Self:
        """Connect in the background and begin to send."""
        self._client.loop_start()
        self._sender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; what is not stored stays in the records."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        self._sender.join()
        self._client.disconnect()
        self._client.loop_stop()
        self._records.close()

    def record(self, kind: Kind, instant: datetime, **fields: Any) -> Key:
        """Keep one message and send it; `fields` are those of its model in the contract."""
        return self.extend([(kind, instant, fields)])[0]

    @property
    def mark(self) -> int:
        """The last mark it was given; 0 at first."""
        with self._change:
            return self._records.mark

    def extend(
        self, drafts: Sequence[tuple[Kind, datetime, dict[str, Any]]], mark: int | None = None
    ) -> list[Key]:
        """Keep several messages at once and send them in order.

        Args:
            drafts: kind, instant and fields of each message.
            mark: how far the caller has come; see `Records.append`.

        Raises:
            ValueError: a message does not fit the contract.
        """
        with self._change:
            boot, first = self._records.boot, self._records.next_seq
            made = []
            for seq, (kind, instant, fields) in enumerate(drafts, first):
                message = MODELS[kind](time=instant, seq=seq, boot=boot, **fields)
                made.append(Record(Key(boot, seq), kind, _encode(message)))
            self._records.append(made, mark)
            self._recorded += len(made)
            if self._sent:
                for record, (kind, instant, _) in zip(made, drafts, strict=True):
                    self._sent.note(self.device, instant, record.key.seq, kind)
            self._change.notify_all()
            return [record.key for record in made]

    @property
    def counts(self) -> UnitCounts:
        """What it did so far."""
        with self._change:
            return UnitCounts(self._recorded, self._resent, self._stored, len(self._records))

    @property
    def connected(self) -> bool:
        """Whether the broker has let it in and it has not noticed an end since."""
        with self._change:
            return self._connected

    def wait_connected(self, timeout_s: float) -> None:
        """Wait until the broker has let it in.

        Raises:
            BrokerError: it did not in time.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._connected, timeout_s):
                reason = self._refusal or "no answer"
                raise BrokerError(
                    f"unit {self.device}: the broker does not let it in ({reason}); "
                    "check its address and the unit's credentials"
                )

    def wait_tour(self, wanted: Callable[[TourDown], bool], timeout_s: float) -> TourDown | None:
        """Wait for an accepted tour that fits; None if there is none in time."""
        with self._change:
            self._change.wait_for(lambda: self.tour is not None and wanted(self.tour), timeout_s)
            return self.tour if self.tour is not None and wanted(self.tour) else None

    def wait_stored(self, timeout_s: float, at_most: int = 0) -> bool:
        """Wait until at most some records are not stored; whether that came in time."""
        with self._change:
            return self._change.wait_for(lambda: len(self._records) <= at_most, timeout_s)

    # The sender's thread ------------------------------------------------------------------

    def _send_loop(self) -> None:
        with self._change:
            while not self._stopping:
                if self._connected:
                    self._ask_again()
                    self._send_again()
                    self._send_new()
                self._change.wait(self._idle_s())

    def _ask_again(self) -> None:
        if self._ask_at <= time.monotonic():
            self._ask_at = float("inf")
            self._client.subscribe(down_topic(self.region, self.device, "tour"), qos=1)

    def _send_new(self) -> None:
        room = self._resend.window - len(self._under_way)
        if room <= 0:
            return
        for record in self._records.after(self._cursor, room):
            self._cursor = record.key
            handed = self._publish(record)
            self._under_way[record.key] = _UnderWay(record, 1, handed)
            self._remind(record.key, 1)

    def _send_again(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            key = heapq.heappop(self._due)[1]
            waiting = self._under_way.get(key)
            if waiting is None:
                continue
            waiting.attempts += 1
            # What has no PUBACK yet is still in the client, which sends it after a reconnect.
            if waiting.handed.is_published():
                waiting.handed = self._publish(waiting.record)
                self._resent += 1
            self._remind(key, waiting.attempts)

    def _publish(self, record: Record) -> mqtt.MQTTMessageInfo:
        topic = up_topic(self.region, self.device, record.kind)
        return hand_over(self._client, topic, record.payload)

    def _remind(self, key: Key, attempts: int) -> None:
        wait_s = self._resend.wait_s(attempts, self._rng)
        heapq.heappush(self._due, (time.monotonic() + wait_s, key))

    def _idle_s(self) -> float | None:
        if not self._connected:
            return None
        next_at = min(self._ask_at, self._due[0][0] if self._due else float("inf"))
        return None if next_at == float("inf") else max(0.01, next_at - time.monotonic())

    # The network's thread -----------------------------------------------------------------

    def _let_in(self, client: mqtt.Client, *args: Any) -> None:
        if args[2].is_failure:
            self._refused(str(args[2]))
            return
        names: tuple[Literal["ack", "tour"], ...] = ("ack", "tour")
        client.subscribe([(down_topic(self.region, self.device, name), 1) for name in names])

    def _listening(self, *args: Any) -> None:
        # Only now may it send: an ack that came before would be missed.
        if any(code.is_failure for code in args[3]):
            self._refused("it may not listen on its own topics")
            return
        with self._change:
            if not self._connected:
                self._ask_at = time.monotonic() + ASK_AGAIN_S
            self._connected, self._refusal = True, ""
            self._change.notify_all()

    def _refused(self, reason: str) -> None:
        log.warning("unit %s: %s", self.device, reason)
        with self._change:
            self._refusal = reason
            self._change.notify_all()

    def _connection_lost(self, *_: Any) -> None:
        with self._change:
            self._connected = False

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            if message.topic.endswith("/ack"):
                self._take_ack(Ack.model_validate_json(message.payload))
            elif message.payload:
                self._take_tour(TourDown.model_validate_json(message.payload))
        except ValidationError as error:
            field = error.errors()[0]["loc"]  # not its value: a tour holds places
            log.warning("unit %s: cannot read %s: %s", self.device, message.topic, field)

    def _take_ack(self, ack: Ack) -> None:
        with self._change:
            self._stored += self._records.drop(ack)
            for first, last in ack.ranges:
                for key in self._covered(ack.boot, first, last):
                    self._under_way.pop(key, None)
            self._change.notify_all()

    def _covered(self, boot: int, first: int, last: int) -> list[Key]:
        if last - first <= len(self._under_way):
            return [Key(boot, seq) for seq in range(first, last + 1)]
        return [key for key in self._under_way if key.boot == boot and first <= key.seq <= last]

    def _take_tour(self, tour: TourDown) -> None:
        refusal = self._judge(tour)
        with self._change:
            if not self._records.answered(tour.tour, tour.revision):
                answer = {"tour": tour.tour, "revision": tour.revision}
                said = {"accepted": refusal is None, "reason": refusal}
                self.record(Kind.TOUR_ACK, self._clock.now(), **answer, **said)
                self._records.answer(tour.tour, tour.revision)
            news = refusal is None and tour != self.tour
            if news:
                self.tour = tour
                self._change.notify_all()
        if news and self._on_tour:
            self._on_tour(tour)


def _encode(message: Message | TourAck) -> bytes:
    payload = message.model_dump_json(exclude_none=True).encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a message of {len(payload)} bytes; the broker takes {MAX_PAYLOAD_BYTES}")
    return payload
