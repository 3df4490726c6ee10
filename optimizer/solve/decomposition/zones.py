"""Dividing points into compact parts of like weight: recursive bisection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]
    Members = NDArray[np.int64]

SAME_M = 1e-6  # points closer than this along an axis are never parted


def divided(points: Points, weights: NDArray[np.float64], parts: int) -> list[Members]:
    """Return the indices of points in parts, cut across the longest extent each time.

    Points in one place stay together, so there may be fewer parts than asked for.

    Args:
        points: (n, 2).
        weights: (n,) of the points; parts have about the same.
        parts: how many to make.
    """
    return _divided(points, weights, np.arange(len(points)), parts)


def _divided(
    points: Points, weights: NDArray[np.float64], members: Members, parts: int
) -> list[Members]:
    if parts <= 1 or len(members) <= 1:
        return [members] if len(members) else []
    along = _along_principal_axis(points[members])
    order = np.argsort(along, kind="stable")
    borders = np.flatnonzero(np.diff(along[order]) > SAME_M) + 1
    if not len(borders):
        return [members]
    sums = np.cumsum(weights[members[order]])
    first = parts // 2
    cut = borders[np.abs(sums[borders - 1] - sums[-1] * first / parts).argmin()]
    one, other = members[order[:cut]], members[order[cut:]]
    return [
        *_divided(points, weights, one, first),
        *_divided(points, weights, other, parts - first),
    ]


def _along_principal_axis(points: Points) -> NDArray[np.float64]:
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    found: NDArray[np.float64] = centred @ axes[:, -1]
    return found


def skewed(points: Points, random: np.random.Generator) -> Points:
    """Return points stretched along a random direction, so that other cuts result."""
    angle, stretch = random.uniform(0, np.pi), random.uniform(1.0, 2.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found: Points = (points @ turn) * np.array([stretch, 1.0])
    return found
