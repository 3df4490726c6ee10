"""Where along a sequence of visits a truck unloads: an exact dynamic programme.

`best[j]` is the least extra cost of the first j visits when the truck unloads right after visit j.
The trip that ends there began after some i < j such that all it collects still fits; i only ever
moves forward with j, so a monotone queue holds the minimum over all of them: O(visits) in all
(T. Vidal, "Technical note: split algorithm in O(n) for the capacitated vehicle routing problem",
Computers & Operations Research 69 (2016)). What a truck underway has on board is collected, as it
were, where it stands. A truck that may keep its load overnight need not unload at the end.

Times are left to the clock: what it refuses is given up. The compiled twin is
`optimizer.solve.sisr.unloading`.
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
    mask = union_of({facts.mask[visit] for visit in visits}) | kind.aboard
    places = np.array(
        [kind.truck.start, *(facts.location[visit] for visit in visits), kind.truck.end]
    )
    driving = float(kind.cost[places[:-1], places[1:]].sum())
    if not mask:
        return list(visits), driving
    collected = 0 if kind.aboard else 1  # index of the place where the first load comes from
    count = len(places) - 1 - collected
    earliest = _earliest_begins(kind, visits)
    if not kind.unloadings(mask):
        return (list(visits), driving) if kind.overnight and earliest[count] == 0 else None
    extra, which = kind.detours(mask)
    detour = extra[places[collected:-1], places[collected + 1 :]].tolist()
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
    ends, euro = _ends(before, count), best[count]
    if kind.overnight:
        last = min(range(earliest[count], count), key=lambda i: best[i])
        ends, euro = _ends(before, last), best[last]
    stops = [end - 1 + collected for end in ends]  # places after which it unloads
    nodes = _written_out(kind.unloadings(mask), which, visits, places, stops)
    return nodes, driving + euro


def _earliest_begins(kind: Kind, visits: Sequence[int]) -> list[int]:
    """Return for each j the first i such that loads i .. j-1 fit into one trip."""
    needs = kind.need[list(visits)]
    if kind.aboard:
        # An overfull truck unloads before anything else, so its load counts as just filling it.
        needs = np.vstack((np.minimum(kind.on_board, kind.capacity), needs))
    count = len(needs)
    loads = np.zeros((count + 1, len(kind.capacity)))
    np.cumsum(needs, axis=0, out=loads[1:])
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
    stops: Sequence[int],
) -> list[int]:
    """Return visits with an unloading after each of some places; place p is that of visit p-1."""
    nodes: list[int] = []
    begin = 0
    for end in stops:
        nodes.extend(visits[begin:end])
        nodes.extend(ways[which[places[end], places[end + 1]]])
        begin = end
    nodes.extend(visits[begin:])
    return nodes


def _ends(before: Sequence[int], last: int) -> list[int]:
    """Return the loads after which a truck unloads, the last one after load `last`."""
    ends = []
    while last > 0:
        ends.append(last)
        last = before[last]
    return ends[::-1]
