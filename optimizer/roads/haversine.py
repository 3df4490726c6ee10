"""The fall-back without a road engine: straight lines times a factor, labelled as an estimate."""

import numpy as np
from numpy.typing import NDArray

from config.earth import RADIUS_M
from config.errors import RoadsError
from optimizer.model import UNREACHABLE
from optimizer.road_times import Matrix, Places, ProviderInfo, Route, Snapped

# Medians and fits over pairs more than 500 m apart: road length is 1.40 times the straight line
# (Kaiserslautern; 1.66 in Heidelberg's valley), time is 123 s + 0.117 s per metre of it.
CIRCUITY = 1.4
START_S = 123.0
S_PER_M = 0.117
_START_REACHED_M = 1000.0  # below this the start grows with the distance, so that 0 m take 0 s


class Haversine:
    """`optimizer.road_times.TravelTimes` by straight lines; some 20 % off where it fits well."""

    info = ProviderInfo("haversine", "1", "truck", f"circuity-{CIRCUITY}", estimate=True)

    def snap(self, places: Places) -> Snapped:
        """Take every place on earth as it is; there are no roads to be near to."""
        ok = on_earth(places.lon_lat)
        points = np.where(ok[:, None], places.lon_lat, np.nan)
        return Snapped(points, np.where(ok, 0.0, np.inf), ok)

    def matrix(self, places: Places) -> Matrix:
        """Return estimated travel times and distances between all pairs of places."""
        ok = on_earth(places.lon_lat)
        known = np.where(ok[:, None], places.lon_lat, 0.0)
        straight_m = haversine_m(known[:, None], known[None, :])
        lost = ~(ok[:, None] & ok[None, :]) & ~np.eye(len(places), dtype=bool)
        return Matrix(
            np.where(lost, UNREACHABLE, np.rint(_seconds(straight_m))).astype(np.int64),
            np.where(lost, UNREACHABLE, CIRCUITY * straight_m),
        )

    def route(self, places: Places) -> Route:
        """Return straight legs along places.

        Raises:
            RoadsError: a place is not on earth.
        """
        lost = np.flatnonzero(~on_earth(places.lon_lat))
        if len(lost):
            raise RoadsError(f"stop {lost[0]} has no position; leave out what snap() does not find")
        starts, ends = places.lon_lat[:-1], places.lon_lat[1:]
        straight_m = haversine_m(starts, ends)
        legs = tuple(np.array(leg) for leg in zip(starts, ends, strict=True))
        return Route(np.rint(_seconds(straight_m)), CIRCUITY * straight_m, legs)


def haversine_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return great-circle distances between (..., 2) arrays of longitude and latitude."""
    lon_a, lat_a = np.radians(a[..., 0]), np.radians(a[..., 1])
    lon_b, lat_b = np.radians(b[..., 0]), np.radians(b[..., 1])
    half = (
        np.sin((lat_b - lat_a) / 2) ** 2
        + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    )
    return np.asarray(2 * RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def on_earth(lon_lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether coordinates are finite and in range; false for NaN."""
    return np.asarray((np.abs(lon_lat) <= (180.0, 90.0)).all(axis=1))


def _seconds(straight_m: NDArray[np.float64]) -> NDArray[np.float64]:
    start = START_S * np.minimum(straight_m / _START_REACHED_M, 1.0)
    return start + S_PER_M * straight_m
