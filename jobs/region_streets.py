"""The streets of an extract, as far as a region's places need them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from config.earth import M_PER_DEGREE
from optimizer.roads.extract import connected, network, road_points


@dataclass(frozen=True, eq=False)
class Streets:
    """Streets to place things at, to name them after, and to be near to.

    Attributes:
        lon_lat: (n, 2) points along the streets of the largest connected part.
        bearing_deg: (n,) of the street there.
        names: of the roads in `lines`; empty where a road has none.
    """

    lon_lat: NDArray[np.float64]
    bearing_deg: NDArray[np.float64]
    lines: shapely.STRtree
    names: NDArray[np.str_]
    scale_m: NDArray[np.float64]

    @classmethod
    def of(cls, extract: Path) -> Self:
        """Read an extract's streets.

        Raises:
            RoadsError: it cannot be read, or has none.
        """
        points = road_points(extract)
        roads = connected(network(extract))
        north = np.radians(points.lon_lat[:, 1].mean())
        scale_m = np.array([np.cos(north), 1.0]) * M_PER_DEGREE
        lines = [shapely.LineString(roads.line(i) * scale_m) for i in range(len(roads))]
        return cls(
            points.lon_lat,
            points.bearing_deg,
            shapely.STRtree(lines),
            np.array(roads.name),
            scale_m,
        )

    @property
    def metres(self) -> NDArray[np.float64]:
        """(n, 2) the points in metres on a plane; good for an area of a city."""
        return self.lon_lat * self.scale_m

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle of all streets."""
        lon, lat = self.lon_lat.mean(axis=0).round(5).tolist()
        return lon, lat

    def beside(self, index: int, offset_m: float = 6.0) -> tuple[float, float]:
        """Return the longitude and latitude of a place on a street's right-hand side."""
        right = np.radians(self.bearing_deg[index] + 90)
        shift = offset_m * np.array([np.sin(right), np.cos(right)]) / self.scale_m
        lon, lat = (self.lon_lat[index] + shift).round(6).tolist()
        return lon, lat

    def distance_m(self, lon: float, lat: float) -> float:
        """Return how far a place is from the nearest road of the largest connected part."""
        place = shapely.Point(np.array([lon, lat]) * self.scale_m)
        _, distances = self.lines.query_nearest(place, return_distance=True)
        return float(distances[0])

    def name_near(self, lon: float, lat: float, within_m: float = 80.0) -> str:
        """Return the name of the nearest street that has one; empty when none is near."""
        place = shapely.Point(np.array([lon, lat]) * self.scale_m)
        near = self.lines.query(place, predicate="dwithin", distance=within_m)
        near = near[self.names[near] != ""]
        if not len(near):
            return ""
        distances = shapely.distance(place, self.lines.geometries[near])
        return str(self.names[near[np.argmin(distances)]])


def numbered(names: list[str]) -> list[str]:
    """Tell repeated names apart: Lindenstraße, Lindenstraße 2, Lindenstraße 3."""
    counts: dict[str, int] = {}
    told = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        told.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return told
