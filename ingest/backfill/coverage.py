"""Up to when everything that a source said is stored, and what may be missing behind that."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from config.clock import Clock
from ingest.sources import Delivery, Source


class Heard(Source, Protocol):
    """A source that knows when it may have missed something."""

    @property
    def is_up(self) -> bool:
        """Whether the broker delivers to us now."""
        ...

    @property
    def gaps(self) -> int:
        """A number that changes whenever something may have been lost."""
        ...


@dataclass(frozen=True, eq=False)
class Gap:
    """A span in which something may be missing.

    Attributes:
        since: everything before is stored.
        until: what came later came over the line.
        found_s: when it was found, by the monotonic clock.
    """

    since: datetime
    until: datetime
    found_s: float = field(default_factory=time.monotonic)


class Coverage:
    """Follows what is stored; live messages and fetched ones are told to it from two threads.

    While there is a gap, newer live messages do not move the mark: a crash halfway through the
    gap must not make it look as if there had been none.
    """

    def __init__(self, line: Heard, clock: Clock, until: datetime) -> None:
        """Begin with a gap from `until` on, which is found as soon as the line is up.

        Args:
            line: the live messages.
            clock: what they are stamped by.
            until: everything before is stored.
        """
        self._line, self._clock = line, clock
        self._until = until
        self._live = until
        self._seen = -1
        self._gap: Gap | None = None
        self._guard = threading.Lock()

    @property
    def until(self) -> datetime:
        """Up to when everything is stored."""
        return self._until

    def look(self) -> Gap | None:
        """Return the gap, if there is one and the line is up behind it."""
        with self._guard:
            if self._line.is_up and self._line.gaps != self._seen:
                self._seen = self._line.gaps
                self._gap = Gap(self._until, max(self._until, self._clock.now()))
            return self._gap

    def stored(self, at: datetime) -> None:
        """Note that all live messages up to an instant are stored."""
        with self._guard:
            self._live = max(self._live, at)
            if self._gap is None and self._unbroken:
                self._until = max(self._until, self._live)

    def filled(self, at: datetime) -> None:
        """Note that the gap is filled up to an instant."""
        with self._guard:
            if self._gap is not None:
                self._until = max(self._until, min(at, self._gap.until))

    def close(self, gap: Gap) -> None:
        """Note that a gap is filled; one that was found meanwhile stays open."""
        with self._guard:
            if self._gap is gap:
                self._gap = None
                self._until = max(gap.until, self._live if self._unbroken else gap.until)

    @property
    def _unbroken(self) -> bool:
        return self._line.is_up and self._line.gaps == self._seen


class Covered:
    """A source whose stored messages are told to its coverage."""

    def __init__(self, line: Heard, coverage: Coverage) -> None:
        self._line, self._coverage = line, coverage

    def take(self, most: int, linger_s: float, timeout_s: float) -> list[Delivery]:
        """Wait for messages; after the first one, a little longer for more."""
        return self._line.take(most, linger_s, timeout_s)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Say that these are stored for good."""
        stored = list(deliveries)
        self._line.acknowledge(stored)
        self._coverage.stored(max(delivery.received_at for delivery in stored))

    def close(self) -> None:
        """Take no more; what is in memory can still be taken and acknowledged."""
        self._line.close()
