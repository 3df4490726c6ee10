"""Where along a sequence of visits a truck unloads: an exact dynamic programme.

`best[j]` is the least extra cost of the first j visits when the truck unloads right after visit j.
The trip that ends there began after some i < j whose load still fits; i only ever moves forward
with j, so the minimum over all of them slides along (a monotone queue): O(visits) in all.
Times are left to the clock; what it refuses, a second, greedy pass along the clock may repair.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from optimizer.solve.facts import union_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.solve.facts import Facts, Kind


def place_unloadings(facts: Facts, kind: Kind, visits: Sequence[int]) -> list[int] | None:
    """Return the visits with unloadings at least cost, ending empty; None when one is too big."""
    count = len(visits)
    mask = union_of(facts.mask[visit] for visit in visits)
    if not count or not mask:
        return list(visits)
    extra, which = kind.detours(mask)
    stations = [facts.location[visit] for visit in visits]
    stations.append(kind.truck.end)
    loads = _running_loads(kind, visits)
    capacity = kind.capacity
    best = [0.0] * (count + 1)
    before = [0] * (count + 1)
    window: deque[int] = deque([0])
    for j in range(1, count + 1):
        load = loads[j]
        while window and not _fits(load, loads[window[0]], capacity):
            window.popleft()
        if not window:
            return None
        i = window[0]
        best[j] = best[i] + extra[stations[j - 1]][stations[j]]
        before[j] = i
        while window and best[window[-1]] >= best[j]:
            window.pop()
        window.append(j)
    return _written_out(kind.unloadings(mask), which, visits, stations, before)


def _running_loads(kind: Kind, visits: Sequence[int]) -> list[tuple[float, ...]]:
    total = (0.0,) * len(kind.capacity)
    loads = [total]
    for visit in visits:
        total = tuple(a + b for a, b in zip(total, kind.need[visit], strict=True))
        loads.append(total)
    return loads


def _fits(
    load: tuple[float, ...], unloaded: tuple[float, ...], capacity: tuple[float, ...]
) -> bool:
    for now, gone, limit in zip(load, unloaded, capacity, strict=True):
        if now - gone > limit:
            return False
    return True


def _written_out(
    ways: tuple[tuple[int, ...], ...],
    which: list[list[int]],
    visits: Sequence[int],
    stations: list[int],
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
        nodes.extend(ways[which[stations[end - 1]][stations[end]]])
        begin = end
    return nodes
