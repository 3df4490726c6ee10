"""What a replication came to, and how policies differ: figures with their intervals.

Policies are compared on the same worlds, so what counts is the difference within each world.
Its mean is given with the 95 % interval of Student's t over the worlds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure of a replication: its name, what it is called, its unit, and the decimals."""

    name: str
    label: str
    unit: str
    decimals: int = 1
    less_is_better: bool = True


KPIS: tuple[Kpi, ...] = (
    Kpi("km", "Distance", "km", 0),
    Kpi("hours", "Working time", "h"),
    Kpi("truck_days", "Truck days", "", 1),
    Kpi("visits", "Stops at sites", "", 0),
    Kpi("lifts", "Containers emptied", "", 0),
    Kpi("tonnes", "Collected", "t", 1, less_is_better=False),
    Kpi("fill_at_emptying", "Mean fill when emptied", "%", 1, less_is_better=False),
    Kpi("half_empty_lifts", "Emptied below 50 %", "", 0),
    Kpi("overflow_h", "Overflowing containers", "container-hours", 0),
    Kpi("overflow_share", "Share of time overflowing", "%", 2),
    Kpi("overflows", "Containers that overflowed", "", 1),
    Kpi("refused", "Left because the truck was full", "", 1),
    Kpi("unserved", "Visits that the plan left out", "", 1),
    Kpi("collection_eur", "Collection", "€", 0),
    Kpi("overflow_eur", "Overflowing, at its price", "€", 0),
    Kpi("total_eur", "Both together", "€", 0),
    Kpi("co2e_kg", "Greenhouse gas, well to wheel", "kg CO₂e", 0),
)


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval; without one when there is a single world."""

    mean: float
    low: float | None
    high: float | None

    @property
    def clear(self) -> bool:
        """Whether zero lies outside."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values with its interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None, None)
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(student.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return Interval(mean, mean - half, mean + half)


Figures = Mapping[str, float]


def means(worlds: Sequence[Figures]) -> dict[str, Interval]:
    """Return each figure's mean over the worlds."""
    return {kpi.name: interval([world[kpi.name] for world in worlds]) for kpi in KPIS}


def differences(worlds: Sequence[Figures], baseline: Sequence[Figures]) -> dict[str, Interval]:
    """Return each figure's mean difference from a baseline on the same worlds."""
    pairs = list(zip(worlds, baseline, strict=True))
    return {kpi.name: interval([a[kpi.name] - b[kpi.name] for a, b in pairs]) for kpi in KPIS}
