"""How long a phase of the search goes on, and how it cools."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

UNCOUNTED = 1 << 60  # as a number of steps: the clock alone decides
_CHUNK = 1000  # steps between two looks at the clock at most
_LOOK_S = 0.03  # time between them where steps are not counted


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a phase goes on, and how it cools.

    Attributes:
        steps: to make at most.
        began, until: instants of `time.monotonic`.
        hot, cold: first and last temperature in euro.
        enough: stop as soon as nothing mandatory more than this many visits is left out.
    """

    steps: int
    began: float
    until: float
    hot: float
    cold: float
    enough: int | None = None

    @property
    def counted(self) -> bool:
        """Whether the number of steps means something."""
        return self.steps < UNCOUNTED

    @property
    def first_chunk(self) -> int:
        """Steps before the first look at the clock."""
        return max(10, min(_CHUNK, self.steps // 100)) if self.counted else 20

    def next_chunk(self, chunk: int, took_s: float) -> int:
        """Return how many steps to make before the next look at the clock.

        Where steps are counted this must not depend on the clock, for the temperature changes
        between chunks.
        """
        if self.counted:
            return chunk
        return int(min(5 * _CHUNK, max(10, chunk * _LOOK_S / max(took_s, 1e-4))))

    def progress(self, done: int) -> float:
        """Return how much of the phase is over, by steps or, where time is short, by time."""
        now, budget = monotonic(), max(self.until - self.began, 1e-9)
        spent = now - self.began
        if done and spent / done * self.steps > 0.8 * budget:
            return min(1.0, max(done / self.steps, spent / budget))
        return done / self.steps

    def temperature(self, done: int) -> float:
        """Return the temperature after some steps."""
        return float(self.hot * (self.cold / self.hot) ** self.progress(done))


def part(steps: int, divisor: int) -> int:
    """Return a part of a number of steps; what is not counted stays so."""
    return steps if steps >= UNCOUNTED else max(1, steps // divisor)
