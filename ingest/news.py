"""News of telemetry for consoles: told now and then, not with every batch.

At 40 batches a second a row of news for each would soon be more than the telemetry itself, and no
console draws its map that often.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping

PAUSE_S = 0.5  # a truck moves seven metres meanwhile


class News:
    """What was stored and not yet announced."""

    def __init__(self, pause_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing to tell.

        Args:
            pause_s: between two announcements; 0: with every batch.
            monotonic: a clock that never goes back.
        """
        self._pause_s = pause_s
        self._monotonic = monotonic
        self._next = float("-inf")
        self._unsaid: Counter[str] = Counter()

    def due(self) -> Mapping[str, int] | None:
        """Return what is to be told with the next batch; None: nothing now."""
        return self._unsaid if self._monotonic() >= self._next else None

    def overdue(self, *, at_once: bool = False) -> Mapping[str, int]:
        """Return what has to be told though no batch comes, or all that was not told yet."""
        return self._unsaid if at_once else self.due() or {}

    def add(self, news: Mapping[str, int]) -> None:
        """Take down what was stored without being told."""
        self._unsaid.update(news)

    def said(self) -> None:
        """Take down that everything was told."""
        self._unsaid = Counter()
        self._next = self._monotonic() + self._pause_s
