"""Our voice on the broker: tours that must arrive, and acknowledgements that may be repeated."""

from types import TracebackType
from typing import Any, Self

from ingest.line import Line, Login

START_S = 5.0
IN_FLIGHT = 1_000
WAITING = 10_000


class Publisher:
    """Publishes over a line of its own."""

    def __init__(self, login: Login) -> None:
        self._line = Line(login, keep_session=False)
        self._line.client.max_inflight_messages_set(IN_FLIGHT)
        self._line.client.max_queued_messages_set(WAITING)
        self._line.client.on_publish = self._gone
        self._line.on_up = self._begin
        self._told = self._written = 0

    def start(self) -> None:
        """Connect.

        Raises:
            BrokerError: the broker is not there, or refuses us.
        """
        self._line.start(START_S)

    def stop(self) -> None:
        """Send what is waiting, then hang up."""
        self._line.stop()

    def __enter__(self) -> Self:
        """Connect."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.stop()

    @property
    def times_up(self) -> int:
        """How often the line came up; what was said before a change may be forgotten."""
        return self._line.times_up

    def tell(self, topic: str, payload: str) -> bool:
        """Publish at QoS 0; False if it was dropped because the line is down or full.

        For what is said again when it gets lost, such as the acknowledgement of a record that
        its unit will send once more: a broker's word for each would cost more than the record.
        """
        if not self._line.is_up or self._told - self._written >= WAITING:
            return False
        self._told += 1
        return self._line.client.publish(topic, payload, qos=0).rc == 0

    def deliver(self, topic: str, payload: str, timeout_s: float) -> bool:
        """Publish retained and wait for the broker's word that it has it."""
        if not self._line.is_up:
            return False
        info = self._line.client.publish(topic, payload, qos=1, retain=True)
        if info.rc != 0:
            return False
        info.wait_for_publish(timeout_s)
        return info.is_published()

    # The network's thread -----------------------------------------------------------------

    def _begin(self) -> None:
        self._told = self._written = 0  # what was waiting on the line before is gone
        self._line.ready()

    def _gone(self, *_: Any) -> None:
        self._written += 1
