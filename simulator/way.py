"""The way a truck drives: a line on the map that knows its metres and where the stops lie on it."""

import numpy as np
from numpy.typing import NDArray

from config.earth import M_PER_DEGREE
from optimizer.polyline import decode
from simulator.chance import Floats


class Way:
    """A line through (n, 2) longitudes and latitudes; `metres` is the distance at each point."""

    def __init__(self, points: Floats) -> None:
        if len(points) == 0:
            raise ValueError("a way needs a point")
        self._points = points
        self._scale = M_PER_DEGREE * np.array([np.cos(np.radians(points[:, 1].mean())), 1.0])
        steps = np.diff(points, axis=0) * self._scale
        self.metres = np.concatenate(([0.0], np.cumsum(np.hypot(*steps.T))))
        east, north = steps.T
        moves = np.hypot(east, north) > 0
        heading = np.degrees(np.arctan2(east, north)) % 360
        # A step without length keeps the heading of the one before.
        last = np.maximum.accumulate(np.where(moves, np.arange(len(moves)), 0))
        self._heading = heading[last] if len(heading) else np.zeros(1)

    @classmethod
    def of(cls, geometry: str, stops: Floats, depot: tuple[float, float]) -> "Way":
        """Build from a tour's encoded geometry; without one, straight from stop to stop."""
        if geometry:
            return cls(decode(geometry))
        return cls(np.vstack(([depot], stops.reshape(-1, 2), [depot])))

    @property
    def length_m(self) -> float:
        """Its length."""
        return float(self.metres[-1])

    def degrees(self, metres: Floats) -> Floats:
        """Turn (n, 2) metres to the east and north into degrees, near this way."""
        turned: Floats = metres / self._scale
        return turned

    def at(self, metres: Floats) -> tuple[Floats, Floats]:
        """Return the (n, 2) positions and the headings, in degrees, at distances on the way."""
        lon, lat = (np.interp(metres, self.metres, column) for column in self._points.T)
        step = np.searchsorted(self.metres, metres, side="right") - 1
        return np.column_stack((lon, lat)), self._heading[np.clip(step, 0, len(self._heading) - 1)]

    def locate(self, stops: Floats) -> Floats:
        """Return where on the way each stop lies, in metres, in the order of the stops.

        A way may pass one place several times, so the nearest point is not enough: this finds
        the points, none before that of the stop before it, with the least total distance.
        """
        if len(stops) == 0:
            return np.zeros(0)
        gaps = [np.hypot(*((self._points - stop) * self._scale).T) for stop in stops]
        best = gaps[0]
        came_from = []
        for gap in gaps[1:]:
            before = _place_of_running_minimum(best)
            came_from.append(before)
            best = best[before] + gap
        places = [int(np.argmin(best))]
        for before in reversed(came_from):
            places.append(int(before[places[-1]]))
        located: Floats = self.metres[places[::-1]]
        return located


def _place_of_running_minimum(values: Floats) -> NDArray[np.int64]:
    """Return for each place that of the least value up to it."""
    running = np.minimum.accumulate(values)
    falls = np.concatenate(([True], running[1:] < running[:-1]))
    return np.maximum.accumulate(np.where(falls, np.arange(len(values)), 0))
