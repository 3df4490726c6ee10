"""How much of a week's waste falls on a span of time.

A day of the region's zone weighs as much as its weekday; the mean weight is 1, so that a
week always adds up to seven days. Days of 23 or 25 hours weigh like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from config.region import Fraction


@lru_cache(maxsize=32)
def midnights(zone: str, first: date, days: int) -> NDArray[np.float64]:
    """Return the epoch seconds at which `days` days of a zone begin."""
    tz = ZoneInfo(zone)
    starts = [
        datetime.combine(first + timedelta(days=n), time(), tz).timestamp() for n in range(days)
    ]
    table = np.array(starts)
    table.setflags(write=False)
    return table


@dataclass(frozen=True, eq=False)
class Exposure:
    """Weighted days since the first day of a table, per fraction.

    Attributes:
        starts_s: (d,) epoch seconds at which days begin.
        weighted_days: (fractions, d) what has passed by then.
    """

    starts_s: NDArray[np.float64]
    weighted_days: NDArray[np.float64]

    @classmethod
    def of(cls, fractions: Sequence[Fraction], zone: str, first: date, last: date) -> "Exposure":
        """Build the table from a first to a last day, both included."""
        days = (last - first).days + 2
        weights = np.array([fraction.weekday_weights for fraction in fractions])
        weights = weights.reshape(-1, 7) / weights.reshape(-1, 7).mean(axis=1, keepdims=True)
        daily = weights[:, (first.weekday() + np.arange(days - 1)) % 7]
        passed = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(daily, axis=1)], axis=1)
        return cls(midnights(zone, first, days), passed)

    def at(self, fraction: NDArray[np.intp], instant_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted days that have passed by some instants, each for its fraction.

        Instants outside the table count as its edge: nothing accrues there.
        """
        instant = np.clip(instant_s, self.starts_s[0], self.starts_s[-1])
        day = np.clip(np.searchsorted(self.starts_s, instant, "right") - 1, 0, None)
        day = np.minimum(day, len(self.starts_s) - 2)
        length = self.starts_s[day + 1] - self.starts_s[day]
        share = (instant - self.starts_s[day]) / length
        before = self.weighted_days[fraction, day]
        return before + share * (self.weighted_days[fraction, day + 1] - before)
