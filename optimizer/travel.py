"""Travel inside a problem: block by block, so that n x n numbers need not exist at once.

A problem of an ordinary day keeps two arrays of all pairs. Ten thousand places would fill 1.6 GB
that way and be no quicker, for no search looks at all pairs. So whoever needs travel asks for the
legs of a tour, or for a block of rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Locations = Sequence[int] | NDArray[np.integer]
    Seconds = NDArray[np.int64]
    Metres = NDArray[np.float64]


class Travel(Protocol):
    """Travel times and lengths of ways between numbered locations.

    Where there is no way, both are `optimizer.model.UNREACHABLE`.
    """

    def __len__(self) -> int:
        """Return the number of locations."""
        ...

    def block(self, rows: Locations, columns: Locations) -> tuple[Seconds, Metres]:
        """Return seconds and metres from each row to each column."""
        ...

    def legs(self, stations: Locations) -> tuple[Seconds, Metres]:
        """Return seconds and metres from each station to the next."""
        ...

    def subset(self, locations: Locations) -> Travel:
        """Return the travel between some locations, numbered anew in their order."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class ArrayTravel:
    """Travel between all pairs, known already.

    Attributes:
        duration_s: (n, n) from row to column.
        distance_m: (n, n) of the same way.
    """

    duration_s: Seconds
    distance_m: Metres

    def __len__(self) -> int:
        """Return the number of locations."""
        return len(self.duration_s)

    def block(self, rows: Locations, columns: Locations) -> tuple[Seconds, Metres]:
        """Return seconds and metres from each row to each column."""
        square = np.ix_(_indices(rows), _indices(columns))
        return self.duration_s[square], self.distance_m[square]

    def legs(self, stations: Locations) -> tuple[Seconds, Metres]:
        """Return seconds and metres from each station to the next."""
        at = _indices(stations)
        return self.duration_s[at[:-1], at[1:]], self.distance_m[at[:-1], at[1:]]

    def subset(self, locations: Locations) -> Self:
        """Return the travel between some locations."""
        return type(self)(*self.block(locations, locations))


class Rounding(StrEnum):
    """How lengths are rounded to whole units, as collections of instances prescribe."""

    NONE = "none"
    NEAREST = "nearest"  # halves up: CVRPLIB, TSPLIB
    DOWN = "down"  # DIMACS, with coordinates in tenths
    UP = "up"


@dataclass(frozen=True, eq=False, slots=True)
class PlanarTravel:
    """Straight lines in a plane, computed when asked for.

    Attributes:
        coordinates: (n, 2) of the locations, in units.
        rounding: of each length in units.
        metres_per_unit: of length; likewise `seconds_per_unit` of travel, whose product with the
            rounded length is rounded to whole seconds.
    """

    coordinates: NDArray[np.float64]
    rounding: Rounding = Rounding.NONE
    metres_per_unit: float = 1.0
    seconds_per_unit: float = 1.0

    def __len__(self) -> int:
        """Return the number of locations."""
        return len(self.coordinates)

    def block(self, rows: Locations, columns: Locations) -> tuple[Seconds, Metres]:
        """Return seconds and metres from each row to each column."""
        one, other = self.coordinates[_indices(rows)], self.coordinates[_indices(columns)]
        return self._ways(one[:, None, 0] - other[:, 0], one[:, None, 1] - other[:, 1])

    def legs(self, stations: Locations) -> tuple[Seconds, Metres]:
        """Return seconds and metres from each station to the next."""
        steps = np.diff(self.coordinates[_indices(stations)], axis=0)
        return self._ways(steps[:, 0], steps[:, 1])

    def subset(self, locations: Locations) -> Self:
        """Return the travel between some locations."""
        return type(self)(
            self.coordinates[_indices(locations)],
            self.rounding,
            self.metres_per_unit,
            self.seconds_per_unit,
        )

    def _ways(self, x: Metres, y: Metres) -> tuple[Seconds, Metres]:
        units = np.sqrt(x * x + y * y)
        match self.rounding:
            case Rounding.NEAREST:
                units = np.floor(units + 0.5)
            case Rounding.DOWN:
                units = np.floor(units)
            case Rounding.UP:
                units = np.ceil(units)
        seconds = np.rint(units * self.seconds_per_unit).astype(np.int64)
        return seconds, units * self.metres_per_unit


def _indices(locations: Locations) -> NDArray[np.int64]:
    return np.asarray(locations, dtype=np.int64)
