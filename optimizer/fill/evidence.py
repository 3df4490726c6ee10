"""What has been seen of containers: fill readings and emptyings, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Readings:
    """Fill levels told by sensors.

    Attributes:
        container: (n,) index of the container.
        time_s: (n,) epoch seconds.
        fill: (n,) share of the container's volume.
    """

    container: NDArray[np.intp]
    time_s: NDArray[np.float64]
    fill: NDArray[np.float64]

    @classmethod
    def none(cls) -> Self:
        """Return no readings."""
        return cls(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Emptyings:
    """Emptyings told by truck units.

    Attributes:
        container: (n,) index of the container.
        time_s: (n,) epoch seconds.
        fill: (n,) the level that was found, where the crew or a scale tells; else NaN.
    """

    container: NDArray[np.intp]
    time_s: NDArray[np.float64]
    fill: NDArray[np.float64]

    @classmethod
    def none(cls) -> Self:
        """Return no emptyings."""
        return cls(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Evidence:
    """Readings and emptyings together, by container and in the order of time."""

    container: NDArray[np.intp]
    time_s: NDArray[np.float64]
    fill: NDArray[np.float64]
    emptied: NDArray[np.bool_]

    @classmethod
    def of(cls, readings: Readings, emptyings: Emptyings) -> Self:
        """Merge; at the same instant a reading comes before the emptying."""
        container = np.concatenate([readings.container, emptyings.container]).astype(np.intp)
        time_s = np.concatenate([readings.time_s, emptyings.time_s])
        fill = np.concatenate([readings.fill, emptyings.fill])
        emptied = np.repeat([False, True], [len(readings.time_s), len(emptyings.time_s)])
        order = np.lexsort((emptied, time_s, container))
        return cls(container[order], time_s[order], fill[order], emptied[order])

    def rounds(self) -> Iterator[NDArray[np.intp]]:
        """Yield the first item of every container, then the second of every container, ...

        Each round touches a container once, so that a whole round is one array operation.
        """
        if not len(self.container):
            return
        new = np.r_[True, self.container[1:] != self.container[:-1]]
        first = np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))
        rank = np.arange(len(new)) - first
        by_rank = np.argsort(rank, kind="stable")
        yield from np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1)
