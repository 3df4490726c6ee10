"""The LoRaWAN side: one connection that passes on what all sensors say.

Sensors are third-party devices. They keep nothing, so what counts for them is the PUBACK: the
gateway holds a message until the broker has it, and never more than `in_flight` of them.
"""

import threading
from collections import deque
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt

from config.errors import BrokerError
from ingest.messages import Kind, Level, up_topic
from simulator.link import Login, hand_over, open_client
from simulator.sensors import Readings
from simulator.unit import SentLog


class Gateway:
    """Publishes readings; use it as a context manager.

    Args:
        region: the region's id.
        url: the broker's address.
        login: the gateway's credentials.
        sent: notes every reading.
        in_flight: readings that wait for their PUBACK at most.
        patience_s: how long it waits for one PUBACK before it gives up.
    """

    def __init__(
        self,
        region: str,
        url: str,
        login: Login,
        *,
        sent: SentLog | None = None,
        in_flight: int = 500,
        patience_s: float = 300.0,
    ) -> None:
        self._region = region
        self._sent = sent
        self._in_flight = in_flight
        self._patience_s = patience_s
        self._waiting: deque[mqtt.MQTTMessageInfo] = deque()
        self._answered = threading.Event()
        self._refusal = "no answer"
        self._client = open_client(url, login, in_flight)
        self._client.on_connect = self._let_in

    def __enter__(self) -> Self:
        """Connect in the background."""
        self._client.loop_start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._client.disconnect()
        self._client.loop_stop()

    def wait_connected(self, timeout_s: float) -> None:
        """Wait until the broker has let it in.

        Raises:
            BrokerError: it did not in time.
        """
        if not self._answered.wait(timeout_s):
            raise BrokerError(
                f"the sensors' gateway is not let in by the broker ({self._refusal}); "
                "check its address and the gateway's credentials"
            )

    def publish(self, names: tuple[str, ...], readings: Readings) -> int:
        """Publish readings in their order; waits while too many are in flight.

        Returns:
            how many were published; those that the network repeats count once.
        """
        for sensor, time, number, fill, twice in zip(
            readings.sensor.tolist(),
            readings.time.tolist(),
            readings.number.tolist(),
            readings.fill.tolist(),
            readings.twice.tolist(),
            strict=True,
        ):
            level = Level(time=datetime.fromtimestamp(time, UTC), seq=number, fill=fill)
            topic = up_topic(self._region, names[sensor], Kind.LEVEL)
            payload = level.model_dump_json(exclude_none=True)
            for _ in range(2 if twice else 1):
                self._hand_over(topic, payload)
            if self._sent:
                self._sent.note(names[sensor], level.time, number, Kind.LEVEL)
        return len(readings)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        while self._waiting:
            self._wait_for_oldest()

    def _hand_over(self, topic: str, payload: str) -> None:
        while len(self._waiting) >= self._in_flight:
            self._wait_for_oldest()
        self._waiting.append(hand_over(self._client, topic, payload))

    def _wait_for_oldest(self) -> None:
        handed = self._waiting.popleft()
        handed.wait_for_publish(self._patience_s)
        if not handed.is_published():
            raise BrokerError(
                f"the broker took no reading for {self._patience_s:.0f} s; is it still running?"
            )

    def _let_in(self, _client: mqtt.Client, *args: Any) -> None:
        if args[2].is_failure:
            self._refusal = str(args[2])
        else:
            self._answered.set()
