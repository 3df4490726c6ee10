"""Between metres around a town's centre and longitude and latitude."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config.earth import RADIUS_M

_M_PER_DEG = np.pi * RADIUS_M / 180


@dataclass(frozen=True, slots=True)
class Frame:
    """A flat frame around a centre; metres east and north."""

    centre_lon: float
    centre_lat: float

    def to_lon_lat(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return longitudes and latitudes, to the extract's precision."""
        return np.round(xy / self._scale() + (self.centre_lon, self.centre_lat), 7)

    def to_xy(self, lon_lat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return metres east and north of the centre."""
        return np.asarray((lon_lat - (self.centre_lon, self.centre_lat)) * self._scale())

    def _scale(self) -> NDArray[np.float64]:
        return np.array([_M_PER_DEG * np.cos(np.radians(self.centre_lat)), _M_PER_DEG])
