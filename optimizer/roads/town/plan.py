"""The street plan: junctions and streets between them, with their classes.

Streets run between the blocks of houses, as the borders of Voronoi cells do. Blocks lie in
rows, turned and stretched for each district; along a main road they lie in mirrored pairs, so
that the border between them is the road.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import Voronoi

from optimizer.roads.town.blocks import Blocks, Points, lay_blocks, polar
from optimizer.roads.town.ranks import RESIDENTIAL

_JOINED = 0.14  # of a block's width: junctions that are nearer are one
_AVENUE = 0.3  # what a metre of a planned main road counts for its course
_CORNERS = 17  # points that a main road is laid through
_KEPT = 0.82  # share of the residential streets between blocks that exist


@dataclass(frozen=True, eq=False)
class Plan:
    """Junctions and streets.

    Attributes:
        xy: (n, 2) metres east and north of the centre.
        ends: (m, 2) junctions of each street.
        rank: (m,) class of each street, RESIDENTIAL to PRIMARY.
    """

    xy: Points
    ends: NDArray[np.int64]
    rank: NDArray[np.int64]

    @property
    def length_m(self) -> Points:
        """Straight length of each street."""
        return lengths(self.xy, self.ends)


def plan_streets(rng: Generator, radius_m: float, blocks: int) -> Plan:
    """Lay out a town: districts of blocks, main roads and rings through them."""
    laid = lay_blocks(rng, radius_m, blocks)
    xy, ends, avenue = _join_close(*_borders(laid, radius_m), _JOINED * laid.width_m)
    rank = _main_roads(xy, ends, avenue, laid)
    kept = _kept(rng, len(xy), ends, rank)
    return Plan(*_compact(xy, ends[kept]), rank[kept])


def lengths(xy: Points, ends: NDArray[np.int64]) -> Points:
    """Return the straight length of streets between junctions."""
    return np.asarray(np.linalg.norm(xy[ends[:, 0]] - xy[ends[:, 1]], axis=1))


def _borders(laid: Blocks, radius_m: float) -> tuple[Points, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the borders between blocks, and which of them are planned as main roads."""
    fence = polar(radius_m * 1.15, np.linspace(0, 2 * np.pi, 90, endpoint=False))
    cells = Voronoi(np.vstack([laid.centres, fence]))
    ends = np.array(cells.ridge_vertices, dtype=np.int64)
    one, other = np.sort(cells.ridge_points, axis=1).T
    avenue = (other < laid.paired) & (one % 2 == 0) & (other == one + 1)
    inside = np.linalg.norm(cells.vertices, axis=1) < radius_m * 1.02
    whole = (ends >= 0).all(axis=1) & inside[ends].all(axis=1)
    return cells.vertices, ends[whole], avenue[whole]


def _join_close(
    xy: Points, ends: NDArray[np.int64], avenue: NDArray[np.bool_], nearest_m: float
) -> tuple[Points, NDArray[np.int64], NDArray[np.bool_]]:
    """Make one junction of junctions that are near each other; keep the largest network."""
    short = ends[lengths(xy, ends) < nearest_m]
    _, group = connected_components(_graph(len(xy), short, np.ones(len(short))), directed=False)
    counts = np.bincount(group)
    means = np.column_stack([np.bincount(group, xy[:, axis]) / counts for axis in (0, 1)])
    joined = np.sort(group[ends], axis=1).astype(np.int64)
    joined, first = np.unique(joined, axis=0, return_index=True)
    _, part = connected_components(_graph(len(means), joined, np.ones(len(joined))), directed=False)
    streets = (joined[:, 0] != joined[:, 1]) & (
        part[joined[:, 0]] == np.bincount(part, counts).argmax()
    )
    return *_compact(means, joined[streets]), avenue[first[streets]]


def _compact(xy: Points, ends: NDArray[np.int64]) -> tuple[Points, NDArray[np.int64]]:
    """Drop junctions without streets."""
    used, numbered = np.unique(ends, return_inverse=True)
    return xy[used], numbered.reshape(-1, 2)


def _graph(
    count: int, ends: NDArray[np.int64], weight: Points
) -> csr_array[np.float64, tuple[int, int]]:
    """Return the streets as a matrix for scipy, one entry a street."""
    return coo_array((weight, (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()


class _Marker:
    """Lays main roads along the ways that cost least: planned ones, and those laid before."""

    def __init__(self, xy: Points, ends: NDArray[np.int64], avenue: NDArray[np.bool_]) -> None:
        self._xy = xy
        self._ends = ends
        self._length_m = lengths(xy, ends)
        self._avenue = avenue
        self._street_of = {(int(a), int(b)): street for street, (a, b) in enumerate(ends)}
        self.rank = np.zeros(len(ends), np.int64)

    def mark(self, points: Points, rank: int) -> None:
        """Lay a road along points."""
        corners = [int(np.linalg.norm(self._xy - point, axis=1).argmin()) for point in points]
        for start, end in pairwise(corners):
            streets = self._way(start, end)
            self.rank[streets] = np.maximum(self.rank[streets], rank)

    def _way(self, start: int, end: int) -> list[int]:
        easy = self._avenue | (self.rank > RESIDENTIAL)
        cost = self._length_m * np.where(easy, _AVENUE, 1.0)
        graph = _graph(len(self._xy), self._ends, cost)
        before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)[1]
        streets = []
        while end != start:
            previous = int(before[end])
            streets.append(self._street_of[min(previous, end), max(previous, end)])
            end = previous
        return streets


def _main_roads(
    xy: Points, ends: NDArray[np.int64], avenue: NDArray[np.bool_], laid: Blocks
) -> NDArray[np.int64]:
    """Follow the planned courses from point to point, in reach of each other."""
    marker = _Marker(xy, ends, avenue)
    for course, rank in laid.courses:
        marker.mark(course[np.unique(np.linspace(0, len(course) - 1, _CORNERS).astype(int))], rank)
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
