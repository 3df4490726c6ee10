"""Where along a sequence of visits a truck unloads: an exact dynamic programme.

`best[j]` is the least extra cost of the first j visits when the truck unloads right after visit j.
The trip that ends there began after some i < j whose load still fits; i only ever moves forward
with j, so the minimum over all of them slides along (a monotone queue): O(visits) in all.
Times are left to the clock; what it refuses, a second, greedy pass along the clock may repair.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.facts import union_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from optimizer.solve.facts import Facts, Kind


def place_unloadings(
    facts: Facts, kind: Kind, visits: Sequence[int]
) -> tuple[list[int], float] | None:
    """Return the visits with unloadings, ending empty, and the euro that driving them costs.

    None when a visit is too much for the truck.
    """
    count = len(visits)
    mask = union_of({facts.mask[visit] for visit in visits})
    places = np.array(
        [kind.truck.start, *(facts.location[visit] for visit in visits), kind.truck.end]
    )
    driving = float(kind.cost[places[:-1], places[1:]].sum())
    if not count or not mask:
        return list(visits), driving
    extra, which = kind.detours(mask)
    detour = extra[places[1:-1], places[2:]].tolist()
    earliest = _earliest_begins(kind, visits)
    best = [0.0] * (count + 1)
    before = [0] * (count + 1)
    window: deque[int] = deque([0])
    for j in range(1, count + 1):
        while window and window[0] < earliest[j]:
            window.popleft()
        if not window:
            return None
        best[j] = best[window[0]] + detour[j - 1]
        before[j] = window[0]
        while window and best[window[-1]] >= best[j]:
            window.pop()
        window.append(j)
    nodes = _written_out(kind.unloadings(mask), which, visits, places, before)
    return nodes, driving + best[count]


def _earliest_begins(kind: Kind, visits: Sequence[int]) -> list[int]:
    """Return for each j the first i such that visits i .. j-1 fit into one trip."""
    count = len(visits)
    loads = np.zeros((count + 1, len(kind.capacity)))
    np.cumsum(kind.need[list(visits)], axis=0, out=loads[1:])
    begins = np.zeros(count + 1, dtype=np.int64)
    for number, limit in enumerate(kind.capacity):
        load = loads[:, number]
        begins = np.maximum(begins, np.searchsorted(load, load - limit, side="left"))
    return begins.tolist()


def _written_out(
    ways: tuple[tuple[int, ...], ...],
    which: NDArray[np.int64],
    visits: Sequence[int],
    places: NDArray[np.int64],
    before: list[int],
) -> list[int]:
    ends = []
    j = len(visits)
    while j > 0:
        ends.append(j)
        j = before[j]
    nodes: list[int] = []
    begin = 0
    for end in reversed(ends):
        nodes.extend(visits[begin:end])
        nodes.extend(ways[which[places[end], places[end + 1]]])
        begin = end
    return nodes
