"""Whatever happens in whatever order: before the mark of a source, nothing is missing."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from config.clock import FixedClock
from ingest.backfill.coverage import Coverage, Covered
from ingest.sources import Delivery, Inbox

BEGIN = datetime(2026, 6, 1, 12, tzinfo=UTC)
TICK = timedelta(seconds=1)


class Line:
    """A line that somebody cuts and mends; what is said while it is cut is said to nobody."""

    def __init__(self) -> None:
        self.is_up, self.gaps = False, 0
        self.heard: list[Delivery] = []

    def take(self, most: int, _linger_s: float, _timeout_s: float) -> list[Delivery]:
        """Give what was heard."""
        taken, self.heard = self.heard[:most], self.heard[most:]
        return taken

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Source(RuleBasedStateMachine):
    """A network server that keeps all it says, a line, a writer and a backfill."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock(BEGIN)
        self.said: list[datetime] = []
        self.stored: set[datetime] = set()
        self.start(BEGIN)

    def start(self, until: datetime) -> None:
        """Begin as after a crash: all that is known is the mark."""
        self.line = Line()
        self.coverage = Coverage(self.line, self.clock, until)
        self.source = Covered(self.line, self.coverage)

    def tick(self) -> datetime:
        """Let a second pass."""
        self.clock.instant += TICK
        return self.clock.instant

    @rule()
    def say(self) -> None:
        """Say something, to whoever listens."""
        at = self.tick()
        self.said.append(at)
        if self.line.is_up:
            self.line.heard.append(Delivery("t", b"", at, None))

    @rule(most=st.integers(1, 3))
    def write(self, most: int) -> None:
        """Store what was heard, in order."""
        batch = self.source.take(most, 0, 0)
        if batch:
            self.stored.update(delivery.received_at for delivery in batch)
            self.source.acknowledge(batch)

    @rule()
    def cut(self) -> None:
        """Lose the line; what is in memory stays."""
        self.tick()
        self.line.is_up = False

    @rule()
    @precondition(lambda self: not self.line.is_up)
    def mend(self) -> None:
        """The line comes back."""
        self.tick()
        self.line.is_up, self.line.gaps = True, self.line.gaps + 1

    @rule(most=st.integers(1, 4))
    def fill(self, most: int) -> None:
        """Fetch the next ones of a gap; close it when there are no more."""
        gap = self.coverage.look()
        if gap is None:
            return
        missing = [at for at in self.said if self.coverage.until < at <= gap.until][:most]
        for at in missing:
            self.stored.add(at)
            self.coverage.filled(at)
        if not missing:
            self.coverage.close(gap)

    @rule()
    def crash(self) -> None:
        """Begin anew from the mark; what was in memory is gone."""
        self.tick()
        self.start(self.coverage.until)

    @invariant()
    def nothing_is_missing_before_the_mark(self) -> None:
        """Everything that was said up to the mark is stored."""
        assert {at for at in self.said if at <= self.coverage.until} <= self.stored

    def teardown(self) -> None:
        """In the end, with a line and time, everything is stored."""
        if not self.line.is_up:
            self.mend()
        while self.coverage.look() is not None:
            self.fill(4)
        while self.line.heard:
            self.write(3)
        assert set(self.said) == self.stored
        assert self.coverage.until >= max(self.said, default=BEGIN)


TestCoverage = Source.TestCase


def test_live_messages_do_not_hide_a_gap() -> None:
    """A crash halfway through a gap begins again where the gap was, not at the newest message."""
    clock, line = FixedClock(BEGIN + 100 * TICK), Line()
    coverage = Coverage(line, clock, BEGIN)
    line.is_up, line.gaps = True, 1
    gap = coverage.look()
    assert gap is not None
    coverage.filled(BEGIN + 10 * TICK)
    coverage.stored(BEGIN + 120 * TICK)
    assert coverage.until == BEGIN + 10 * TICK
    coverage.close(gap)
    assert coverage.until == BEGIN + 120 * TICK


def test_messages_that_found_no_room_are_a_gap() -> None:
    """While nobody reads a line without a memory, its server throws away what it says."""
    inbox = Inbox(1)
    inbox.put(Delivery("t", b"1", BEGIN, None))
    assert inbox.stoppages == 0
    waiting = threading.Thread(target=inbox.put, args=(Delivery("t", b"2", BEGIN, None),))
    waiting.start()
    while inbox.stoppages == 0:
        waiting.join(0.01)
    assert inbox.take(1, 0, 1)
    waiting.join(5)
    assert inbox.stoppages == 2
