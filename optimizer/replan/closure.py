"""Closed areas: which stops lie inside, and which ways cross them.

A stop inside cannot be served during the span. A way between two places outside that crosses the
area is not used at all, from now to the end of the day, even if the span is yet to begin or ends
before: travel times do not depend on the hour. A closure is forgotten when the day is planned again
after its end.

Where roads are known (`Ways`) the ways that a plan drives are looked at, those that cross are
struck out and the answer is made anew, until none crosses. Where they are not, or where that does
not come to an end, every pair whose straight line crosses is struck out. No way around along other
roads is computed: the engine's ways are taken or left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from config.errors import PlanError
from optimizer.model import DAY_S, UNREACHABLE, TimeWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from optimizer.model import Problem
    from optimizer.replan.events import Closure

Ways = Callable[["Sequence[int]"], "Sequence[NDArray[np.float64]]"]
"""Returns the geometry of each leg along some locations, as (k, 2) longitudes and latitudes."""


def area_of(closure: Closure) -> shapely.Polygon:
    """Return the closed area.

    Raises:
        PlanError: the corners make no area.
    """
    if len(closure.polygon) < 3 or closure.until_s <= closure.from_s:
        raise PlanError("a closure needs three corners at least, and an end after its beginning")
    polygon = shapely.Polygon(closure.polygon)
    if not polygon.is_valid or polygon.area == 0.0:
        raise PlanError("the corners of the closure make no area; name them in order, around it")
    shapely.prepare(polygon)
    return polygon


def without(
    windows: Iterable[TimeWindow], service_s: int, now_s: int, span: tuple[int, int]
) -> tuple[TimeWindow, ...]:
    """Return when service may still start if none may be under way in a span; empty for never."""
    from_s, until_s = span
    kept = []
    for window in tuple(windows) or (TimeWindow(0, DAY_S),):
        if window.earliest_s <= from_s - service_s:
            kept.append(TimeWindow(window.earliest_s, min(window.latest_s, from_s - service_s)))
        if window.latest_s >= until_s:
            kept.append(TimeWindow(max(window.earliest_s, until_s), window.latest_s))
    return tuple(window for window in kept if window.latest_s >= now_s)


def inside(area: shapely.Polygon, lon_lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which places lie in an area."""
    return np.asarray(shapely.contains_xy(area, lon_lat[:, 0], lon_lat[:, 1]), dtype=bool)


def straight_crossings(area: shapely.Polygon, lon_lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which straight lines between two places outside an area cross it, as (n, n)."""
    count = len(lon_lat)
    rows, columns = np.triu_indices(count, 1)
    lines = shapely.linestrings(np.stack([lon_lat[rows], lon_lat[columns]], axis=1))
    crosses = np.zeros((count, count), dtype=bool)
    crosses[rows, columns] = shapely.intersects(area, lines)
    crosses |= crosses.T
    within = inside(area, lon_lat)
    crosses[within, :] = crosses[:, within] = False
    return crosses


def driven_crossings(
    areas: Sequence[shapely.Polygon],
    lon_lat: NDArray[np.float64],
    stations: Sequence[int],
    ways: Ways,
) -> set[tuple[int, int]]:
    """Return the legs along some locations whose way crosses a closed area.

    A leg that begins or ends inside is none: a truck may leave, and stops there have their hours.
    """
    found: set[tuple[int, int]] = set()
    if len(stations) < 2:
        return found
    for (a, b), way in zip(pairwise(stations), ways(stations), strict=True):
        if a == b or len(way) < 2:
            continue
        line = shapely.LineString(way)
        for area in areas:
            ends = inside(area, lon_lat[[a, b]])
            if not ends.any() and area.intersects(line):
                found.add((a, b))
    return found


def forbidden(problem: Problem, pairs: Iterable[tuple[int, int]]) -> Problem:
    """Return a problem in which some legs cannot be driven."""
    chosen = list(pairs)
    if not chosen:
        return problem
    seconds, metres = problem.matrices()
    seconds, metres = seconds.copy(), metres.copy()
    rows, columns = np.array(chosen).T
    seconds[rows, columns] = UNREACHABLE
    metres[rows, columns] = UNREACHABLE
    return replace(problem, duration_s=seconds, distance_m=metres, blocks=None)
