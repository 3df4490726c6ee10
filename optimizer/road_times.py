"""Travel times and road geometry between places of the map, whatever computes them.

`optimizer.roads` implements the protocol; `optimizer.daily` makes the travel of a problem of it
(`optimizer.travel`, between numbered locations).
"""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """Where travel times come from; recorded with every plan.

    Attributes:
        graph_hash: identifies extract, profile and engine version together.
        estimate: True when the figures are not from a road network.
    """

    name: str
    version: str
    profile: str
    graph_hash: str
    estimate: bool
    attribution: str = ""


@dataclass(frozen=True, eq=False)
class Places:
    """Where travel starts, ends and passes.

    Attributes:
        lon_lat: (n, 2) float, WGS84.
        curb: (n,) bool, to be reached on the truck's right-hand side only.
    """

    lon_lat: NDArray[np.float64]
    curb: NDArray[np.bool_]

    @classmethod
    def of(cls, lon_lat: Any, curb: Any = None) -> Self:
        """Build from any sequence of (lon, lat); without curb flags no side is asked for."""
        points = np.asarray(lon_lat, dtype=np.float64).reshape(-1, 2)
        flags = np.zeros(len(points), bool) if curb is None else np.asarray(curb, dtype=bool)
        return cls(points, flags)

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.lon_lat)

    def take(self, indices: Any) -> Self:
        """Return the places at some indices, in that order."""
        return type(self)(self.lon_lat[indices], self.curb[indices])


@dataclass(frozen=True, eq=False)
class Snapped:
    """The road points nearest to some places.

    Attributes:
        lon_lat: (n, 2) float, on the road; NaN where there is none.
        distance_m: (n,) float, from the place; inf where there is no road.
        ok: (n,) bool, near enough to a road that a truck can use.
    """

    lon_lat: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    ok: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Travel between places: (n, m) arrays, asymmetric; no way is `optimizer.model.UNREACHABLE`."""

    duration_s: NDArray[np.int64]
    distance_m: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Route:
    """The way along a sequence of places.

    Attributes:
        leg_s: (n-1,) float, travel time of each leg.
        leg_m: (n-1,) float, length of each leg.
        legs: n-1 arrays (k, 2) of lon, lat: the geometry of each leg.
    """

    leg_s: NDArray[np.float64]
    leg_m: NDArray[np.float64]
    legs: tuple[NDArray[np.float64], ...]


class TravelTimes(Protocol):
    """Travel times and road geometry, whatever computes them."""

    @property
    def info(self) -> ProviderInfo:
        """Where the figures come from."""
        ...

    def snap(self, places: Places) -> Snapped:
        """Find each place's road point; never raises for one bad place."""
        ...

    def matrix(self, places: Places) -> Matrix:
        """Return travel times and distances between all pairs of places."""
        ...

    def route(self, places: Places) -> Route:
        """Return the way along places; its seconds equal the matrix legs."""
        ...
