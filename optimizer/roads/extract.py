"""Reading a road network out of an extract: lines for a map, points to place things at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.filter import EntityFilter, TagFilter
from osmium.osm import NODE, WAY, Way
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from config.earth import M_PER_DEGREE
from config.errors import RoadsError

KINDS = {
    "motorway": 5,
    "trunk": 6,
    "primary": 8,
    "secondary": 10,
    "motorway_link": 11,
    "trunk_link": 11,
    "primary_link": 12,
    "secondary_link": 12,
    "tertiary": 12,
    "tertiary_link": 13,
    "unclassified": 13,
    "residential": 13,
    "living_street": 13,
    "road": 13,
    "service": 15,
}
"""Classes of road that can be driven on, with the map zoom from which they are worth showing."""

_NAMES = tuple(KINDS)
_HIGHWAYS = TagFilter(*(("highway", kind) for kind in KINDS))
_PLACE_KINDS = ("tertiary", "unclassified", "residential", "living_street")
_CLOSED = ("no", "private", "agricultural", "forestry", "emergency")
_LIMITS = ("maxweight", "maxheight", "maxwidth", "maxlength", "width")


@dataclass(frozen=True, eq=False)
class Network:
    """Roads as lines.

    Attributes:
        lon_lat: (n, 2) points of all lines, one after the other.
        node: (n,) the extract's node at each point; lines meet where they share one.
        start: (m + 1,) where each line's points start; the last is n.
        kind: (m,) class of road, an index of `Network.kinds`.
        oneway: (m,) 1 along the line only, -1 against it only, 0 both ways.
        limited: (m,) bool, closed to some trucks or to the public.
        name: of each road; empty where it has none.
    """

    lon_lat: NDArray[np.float64]
    node: NDArray[np.int64]
    start: NDArray[np.int64]
    kind: NDArray[np.int64]
    oneway: NDArray[np.int64]
    limited: NDArray[np.bool_]
    name: tuple[str, ...]
    kinds: tuple[str, ...] = _NAMES

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.kind)

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        west, south = self.lon_lat.min(axis=0).tolist()
        east, north = self.lon_lat.max(axis=0).tolist()
        return west, south, east, north

    def line(self, index: int) -> NDArray[np.float64]:
        """Return the (k, 2) longitudes and latitudes of a road."""
        return self.lon_lat[self.start[index] : self.start[index + 1]]

    def at_zoom(self, zoom: float) -> "Network":
        """Return the roads that are worth showing at a map zoom."""
        from_zoom = np.array([KINDS[kind] for kind in self.kinds])
        return self.take(np.flatnonzero(from_zoom[self.kind] <= zoom))

    def take(self, lines: NDArray[np.int64]) -> "Network":
        """Return some of the roads."""
        points = [np.arange(self.start[line], self.start[line + 1]) for line in lines]
        at = np.concatenate([np.zeros(0, np.int64), *points])
        start = np.cumsum([0, *(len(part) for part in points)])
        return Network(
            self.lon_lat[at],
            self.node[at],
            start,
            self.kind[lines],
            self.oneway[lines],
            self.limited[lines],
            tuple(self.name[line] for line in lines),
        )

    def features(self) -> Iterator[dict[str, object]]:
        """Yield GeoJSON features with `kind`, `name` and `zoom`, coordinates to 0.1 m."""
        for index, kind in enumerate(self.kind.tolist()):
            yield {
                "type": "Feature",
                "geometry": {
                    "type": "LineString",
                    "coordinates": self.line(index).round(6).tolist(),
                },
                "properties": {
                    "kind": self.kinds[kind],
                    "name": self.name[index],
                    "zoom": KINDS[self.kinds[kind]],
                },
            }


@dataclass(frozen=True, eq=False)
class RoadPoints:
    """Points on roads beside which something can stand and be reached by a truck.

    Attributes:
        lon_lat: (n, 2).
        bearing_deg: (n,) of the road there, clockwise from north, in its line's direction.
        kind: (n,) class of road, by name.
    """

    lon_lat: NDArray[np.float64]
    bearing_deg: NDArray[np.float64]
    kind: NDArray[np.str_]

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.lon_lat)


def network(extract: Path) -> Network:
    """Read all roads of an extract that can be driven on.

    Raises:
        RoadsError: the extract cannot be read, or has none.
    """
    points: list[tuple[float, float]] = []
    nodes: list[int] = []
    start, kind, oneway, limited, name = [0], [], [], [], []
    for way in _highways(extract):
        placed = [node for node in way.nodes if node.location.valid()]
        if len(placed) < 2:
            continue
        points += [(node.lon, node.lat) for node in placed]
        nodes += [node.ref for node in placed]
        start.append(len(points))
        tags = dict(way.tags)
        kind.append(_NAMES.index(tags["highway"]))
        oneway.append(_direction(tags))
        limited.append(_is_limited(tags))
        name.append(tags.get("name", ""))
    if not points:
        raise RoadsError(f"extract {extract} has no roads; take one that covers the region")
    return Network(
        np.array(points),
        np.array(nodes, np.int64),
        np.array(start, np.int64),
        np.array(kind, np.int64),
        np.array(oneway, np.int64),
        np.array(limited, bool),
        tuple(name),
    )


def connected(roads: Network) -> Network:
    """Return the roads of the largest part in which everything reaches everything."""
    first, second, line = _steps(roads)
    nodes, numbered = np.unique(roads.node, return_inverse=True)
    along, against = roads.oneway[line] >= 0, roads.oneway[line] <= 0
    rows = np.concatenate([numbered[first[along]], numbered[second[against]]])
    columns = np.concatenate([numbered[second[along]], numbered[first[against]]])
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(nodes),) * 2)
    _, part = connected_components(graph, connection="strong")
    inside = part[numbered] == np.bincount(part).argmax()
    return roads.take(np.flatnonzero(np.logical_and.reduceat(inside, roads.start[:-1])))


def road_points(extract: Path, spacing_m: float = 25.0) -> RoadPoints:
    """Return points along an extract's smaller streets, for placing what is not surveyed.

    They lie on the largest connected part of what any truck may use, `spacing_m` apart, so
    that drawing among them is drawing by length of street.

    Raises:
        RoadsError: the extract cannot be read, or has no such streets.
    """
    roads = network(extract)
    roads = connected(roads.take(np.flatnonzero(~roads.limited)))
    wanted = np.isin(np.array(roads.kinds)[roads.kind], _PLACE_KINDS)
    roads = roads.take(np.flatnonzero(wanted))
    if not len(roads):
        raise RoadsError(f"extract {extract} has no streets to place anything at")
    first, second, line = _steps(roads)
    scale = M_PER_DEGREE * np.array([np.cos(np.radians(roads.lon_lat[:, 1].mean())), 1.0])
    along = (roads.lon_lat[second] - roads.lon_lat[first]) * scale
    ends = np.cumsum(np.hypot(*along.T))
    at = np.arange(spacing_m / 2, ends[-1], spacing_m)
    step = np.searchsorted(ends, at)
    share = (1 - (ends[step] - at) / np.hypot(*along[step].T))[:, None]
    return RoadPoints(
        roads.lon_lat[first[step]] * (1 - share) + roads.lon_lat[second[step]] * share,
        np.degrees(np.arctan2(along[step, 0], along[step, 1])) % 360,
        np.array(roads.kinds)[roads.kind[line[step]]],
    )


def _steps(
    roads: Network,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every piece between two points of a line: first, second point, line."""
    first = np.setdiff1d(np.arange(len(roads.lon_lat)), roads.start[1:] - 1)
    return first, first + 1, np.repeat(np.arange(len(roads)), np.diff(roads.start) - 1)


def _highways(extract: Path) -> Iterator[Way]:
    try:
        found = osmium.FileProcessor(str(extract), NODE | WAY).with_locations()
        for entity in found.with_filter(EntityFilter(WAY)).with_filter(_HIGHWAYS):
            if isinstance(entity, Way):
                yield entity
    except (RuntimeError, OSError) as error:
        raise RoadsError(
            f"extract {extract} cannot be read ({error}); is it a complete .osm.pbf?"
        ) from None


def _direction(tags: dict[str, str]) -> int:
    value = tags.get("oneway", "")
    if value in ("-1", "reverse"):
        return -1
    if value in ("yes", "true", "1"):
        return 1
    implied = tags.get("junction") == "roundabout" or tags["highway"] == "motorway"
    return int(implied and value == "")


def _is_limited(tags: dict[str, str]) -> bool:
    closed = any(tags.get(key) in _CLOSED for key in ("access", "vehicle", "motor_vehicle", "hgv"))
    return closed or any(key in tags for key in _LIMITS)
