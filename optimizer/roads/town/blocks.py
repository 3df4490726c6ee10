"""Where the blocks of houses lie: in rows, turned for each district, along the main roads."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from optimizer.roads.town.ranks import PRIMARY, SECONDARY, TERTIARY

_MAIN_ROADS = 7
_RINGS = ((0.22, PRIMARY), (0.55, SECONDARY), (0.85, TERTIARY))
_JITTER = 0.07  # of a block's width
_CENTRE_WIDTH = 0.6  # of a block there, in those of other districts
_STEP_M = 20.0  # between the points of a main road's course

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Blocks:
    """The blocks of a town.

    Attributes:
        centres: (n, 2) metres; the first `paired` of them face each other across main roads:
            0 and 1, 2 and 3, and so on.
        width_m: of a block, on average.
        courses: the main roads as planned, each with its class.
    """

    centres: Points
    paired: int
    width_m: float
    courses: list[tuple[Points, int]]


def lay_blocks(rng: Generator, radius_m: float, count: int) -> Blocks:
    """Lay out about `count` blocks in districts around a centre."""
    nuclei = _nuclei(rng, radius_m, max(4, count // 500))
    courses = _courses(rng, radius_m, nuclei)
    turned = rng.uniform(0, np.pi / 2, len(nuclei))
    width_m = radius_m * np.sqrt(np.pi / count)
    width_m *= np.sqrt(len(_rows(nuclei, turned, width_m, radius_m)) / count)
    pairs = _pairs(courses, width_m, radius_m)
    rows = _rows(nuclei, turned, width_m, radius_m)
    rows += rng.normal(0, _JITTER * width_m, rows.shape)
    free = cKDTree(pairs).query(rows)[0] > 0.55 * width_m
    return Blocks(np.vstack([pairs, rows[free]]), len(pairs), width_m, courses)


def polar(radius: Points | float, angle: Points) -> Points:
    """Return points at distances and angles around the centre."""
    return np.column_stack([np.cos(angle) * radius, np.sin(angle) * radius])


def _nuclei(rng: Generator, radius_m: float, count: int) -> Points:
    """Return the middles of the districts; the first is the town's."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 0.4, count)
    return np.vstack([np.zeros((1, 2)), polar(rng.uniform(0.45, 0.8, count) * radius_m, angle)])


def _courses(rng: Generator, radius_m: float, nuclei: Points) -> list[tuple[Points, int]]:
    """Plan bent roads out of town, uneven rings, and a road to every district."""
    out = np.arange(_STEP_M, 0.97 * radius_m, _STEP_M)
    courses = []
    for angle in 2 * np.pi * np.arange(_MAIN_ROADS) / _MAIN_ROADS + rng.uniform(0, 0.4):
        bend = rng.normal(0, 0.25) * (out / radius_m) + rng.normal(0, 0.1)
        courses.append((polar(out, angle + bend), PRIMARY))
    for share, rank in _RINGS:
        angle = np.linspace(0, 2 * np.pi, int(2 * np.pi * share * radius_m / _STEP_M))
        uneven = (
            1
            + 0.08 * np.sin(2 * angle + rng.uniform(0, 6))
            + 0.04 * np.sin(3 * angle + rng.uniform(0, 6))
        )
        courses.append((polar(share * radius_m * uneven, angle), rank))
    for nucleus in nuclei[1:]:
        steps = int(np.linalg.norm(nucleus) / _STEP_M)
        courses.append((nucleus * np.linspace(1, 0.24, steps)[:, None], TERTIARY))
    return courses


def _rows(nuclei: Points, turned: Points, width_m: float, radius_m: float) -> Points:
    """Return block centres in rows around each district's middle, wider apart further out."""
    reach = int(2.2 * radius_m / width_m)
    steps = np.arange(-reach, reach + 1)
    grid = np.stack(np.meshgrid(steps * 1.2, steps * 0.85), axis=-1).reshape(-1, 2) * width_m * 0.6
    found = []
    for number, (nucleus, angle) in enumerate(zip(nuclei, turned, strict=True)):
        dense = _CENTRE_WIDTH if number == 0 else 1.0
        spread = dense + np.linalg.norm(grid, axis=1, keepdims=True) / (0.4 * radius_m)
        cosine, sine = np.cos(angle), np.sin(angle)
        points = nucleus + grid * spread @ np.array([[cosine, sine], [-sine, cosine]])
        mine = cKDTree(nuclei).query(points)[1] == number
        found.append(points[mine & (np.linalg.norm(points, axis=1) < radius_m)])
    return np.vstack(found)


def _pairs(courses: list[tuple[Points, int]], width_m: float, radius_m: float) -> Points:
    """Return points on both sides along the main roads, none too near to another road."""
    found: list[Points] = []
    for number, (course, _) in enumerate(courses):
        middles, across = _along(course, 0.75 * width_m)
        aside = 0.3 * width_m * across
        others = np.vstack([np.full((1, 2), 1e9), *(c for c, _ in courses[:number])])
        clear = cKDTree(others).query(middles)[0] > 0.75 * width_m
        both = np.stack([middles + aside, middles - aside], axis=1)[clear]
        found.append(both.reshape(-1, 2))
    pairs = np.vstack(found).reshape(-1, 2, 2)
    inside = (np.linalg.norm(pairs, axis=2) < radius_m).all(axis=1)
    return pairs[inside].reshape(-1, 2)


def _along(course: Points, step_m: float) -> tuple[Points, Points]:
    """Return points along a course at even distances, and the directions across it there."""
    metres = np.concatenate(([0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))))
    at = np.arange(step_m / 2, metres[-1], step_m)
    points = np.column_stack([np.interp(at, metres, axis) for axis in course.T])
    ahead = np.column_stack([np.interp(at + 1, metres, axis) for axis in course.T])
    back = np.column_stack([np.interp(at - 1, metres, axis) for axis in course.T])
    along = (ahead - back) / np.linalg.norm(ahead - back, axis=1, keepdims=True)
    return points, np.column_stack([-along[:, 1], along[:, 0]])
