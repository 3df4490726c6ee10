"""The street plan: junctions and streets between them, with their classes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import Voronoi

RESIDENTIAL, TERTIARY, SECONDARY, PRIMARY = range(4)

_SHORTEST_M = 18.0  # streets below this are one junction
_MAIN_ROADS = 7
_RINGS = ((0.22, PRIMARY), (0.55, SECONDARY), (0.85, TERTIARY))
_REUSE = 0.55  # a main road prefers streets that are main roads already
_KEPT = 0.78  # share of the residential streets between Voronoi cells that exist


@dataclass(frozen=True, eq=False)
class Plan:
    """Junctions and streets.

    Attributes:
        xy: (n, 2) metres east and north of the centre.
        ends: (m, 2) junctions of each street.
        rank: (m,) class of each street, RESIDENTIAL to PRIMARY.
    """

    xy: NDArray[np.float64]
    ends: NDArray[np.int64]
    rank: NDArray[np.int64]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Straight length of each street."""
        return lengths(self.xy, self.ends)


def plan_streets(rng: Generator, radius_m: float, blocks: int) -> Plan:
    """Lay out a town: blocks around district centres, main roads and rings through them."""
    nuclei = _nuclei(rng, radius_m, max(4, blocks // 500))
    xy, ends = _cell_borders(_block_centres(rng, radius_m, blocks, nuclei), radius_m)
    xy, ends = _join_close(xy, ends)
    rank = _main_roads(xy, ends, radius_m, nuclei)
    kept = _kept(rng, len(xy), ends, rank)
    return Plan(*_compact(xy, ends[kept]), rank[kept])


def lengths(xy: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the straight length of streets between junctions."""
    return np.asarray(np.linalg.norm(xy[ends[:, 0]] - xy[ends[:, 1]], axis=1))


def _nuclei(rng: Generator, radius_m: float, count: int) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 0.4, count)
    return _polar(rng.uniform(0.35, 0.8, count) * radius_m, angle)


def _polar(radius: NDArray[np.float64] | float, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.cos(angle) * radius, np.sin(angle) * radius])


def _block_centres(
    rng: Generator, radius_m: float, blocks: int, nuclei: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Scatter blocks, dense in the centre and around nuclei, and even them out."""
    around = [rng.normal(0, radius_m * 0.28, (int(blocks * 0.45), 2))]
    share = int(blocks * 0.55 / len(nuclei))
    around += [rng.normal(nucleus, radius_m * 0.13, (share, 2)) for nucleus in nuclei]
    # A few everywhere, so that the open land at the edge is crossed by roads too.
    edge = radius_m * np.sqrt(rng.uniform(0, 1, blocks // 12))
    around.append(_polar(edge, rng.uniform(0, 2 * np.pi, len(edge))))
    points = _within(np.vstack(around), radius_m)
    for _ in range(2):  # Lloyd
        points = _within(_cell_means(points, radius_m), radius_m)
    return points


def _within(points: NDArray[np.float64], radius_m: float) -> NDArray[np.float64]:
    return points[np.linalg.norm(points, axis=1) < radius_m]


def _cells(points: NDArray[np.float64], radius_m: float) -> Voronoi:
    """Divide the plane; a ring of far points closes the outermost cells."""
    fence = _polar(radius_m * 1.3, np.linspace(0, 2 * np.pi, 90, endpoint=False))
    return Voronoi(np.vstack([points, fence]))


def _cell_means(points: NDArray[np.float64], radius_m: float) -> NDArray[np.float64]:
    """Return the mean corner of each point's cell."""
    cells = _cells(points, radius_m)
    regions = [cells.regions[region] for region in cells.point_region[: len(points)]]
    corners = np.concatenate([np.array(region) for region in regions])
    starts = np.cumsum([0, *(len(region) for region in regions[:-1])])
    sums = np.add.reduceat(cells.vertices[corners], starts, axis=0)
    return np.asarray(sums / np.array([[len(region)] for region in regions]))


def _cell_borders(
    points: NDArray[np.float64], radius_m: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    cells = _cells(points, radius_m)
    ends = np.array(cells.ridge_vertices, dtype=np.int64)
    inside = np.linalg.norm(cells.vertices, axis=1) < radius_m * 1.02
    ends = ends[(ends >= 0).all(axis=1)]
    return _compact(cells.vertices, ends[inside[ends].all(axis=1)])


def _join_close(
    xy: NDArray[np.float64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make one junction of junctions that are a few metres apart."""
    short = ends[lengths(xy, ends) < _SHORTEST_M]
    _, group = connected_components(_graph(len(xy), short, np.ones(len(short))), directed=False)
    counts = np.bincount(group)
    means = np.column_stack([np.bincount(group, xy[:, axis]) / counts for axis in (0, 1)])
    joined = np.sort(group[ends], axis=1).astype(np.int64)
    joined = np.unique(joined[joined[:, 0] != joined[:, 1]], axis=0)
    _, part = connected_components(_graph(len(means), joined, np.ones(len(joined))), directed=False)
    largest = np.bincount(part).argmax()
    return _compact(means, joined[part[joined[:, 0]] == largest])


def _compact(
    xy: NDArray[np.float64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Drop junctions without streets."""
    used, numbered = np.unique(ends, return_inverse=True)
    return xy[used], numbered.reshape(-1, 2)


def _graph(
    count: int, ends: NDArray[np.int64], weight: NDArray[np.float64]
) -> csr_array[np.float64, tuple[int, int]]:
    """Return the streets as a matrix for scipy, one entry a street."""
    return coo_array((weight, (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()


class _Marker:
    """Lays main roads along shortest ways, each preferring the earlier ones."""

    def __init__(self, xy: NDArray[np.float64], ends: NDArray[np.int64]) -> None:
        self._xy = xy
        self._ends = ends
        self._length_m = lengths(xy, ends)
        self._street_of = {(int(a), int(b)): street for street, (a, b) in enumerate(ends)}
        self.rank = np.zeros(len(ends), np.int64)

    def mark(self, points: NDArray[np.float64], rank: int) -> None:
        """Lay a road along points (its ends, or the corners of a ring)."""
        corners = [int(np.linalg.norm(self._xy - point, axis=1).argmin()) for point in points]
        for start, end in pairwise(corners):
            streets = self._way(start, end)
            self.rank[streets] = np.maximum(self.rank[streets], rank)

    def _way(self, start: int, end: int) -> list[int]:
        cost = self._length_m * np.where(self.rank > RESIDENTIAL, _REUSE, 1.0)
        graph = _graph(len(self._xy), self._ends, cost)
        before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)[1]
        streets = []
        while end != start:
            previous = int(before[end])
            streets.append(self._street_of[min(previous, end), max(previous, end)])
            end = previous
        return streets


def _main_roads(
    xy: NDArray[np.float64],
    ends: NDArray[np.int64],
    radius_m: float,
    nuclei: NDArray[np.float64],
) -> NDArray[np.int64]:
    marker = _Marker(xy, ends)
    centre = np.zeros(2)
    angles = 2 * np.pi * np.arange(_MAIN_ROADS) / _MAIN_ROADS + 0.2
    for outside in _polar(0.97 * radius_m, angles):
        marker.mark(np.array([centre, outside]), PRIMARY)
    for share, rank in _RINGS:
        marker.mark(_polar(share * radius_m, np.linspace(0, 2 * np.pi, 13)), rank)
    for nucleus in nuclei:
        marker.mark(np.array([nucleus, centre]), TERTIARY)
    return marker.rank


def _kept(
    rng: Generator, count: int, ends: NDArray[np.int64], rank: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Leave out some residential streets for larger, irregular blocks; all stays connected."""
    weight = np.where(rank > RESIDENTIAL, 0.001, 1.0 + rng.random(len(ends)))
    tree = minimum_spanning_tree(_graph(count, ends, weight)).tocoo()
    in_tree = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    needed = np.array([(a, b) in in_tree for a, b in ends.tolist()])
    return np.asarray(needed | (rank > RESIDENTIAL) | (rng.random(len(ends)) < _KEPT))
