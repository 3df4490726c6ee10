"""Where along a sequence of visits to unload: an exact dynamic programme.

As in `optimizer.solve.unload`: cheapest[j] is the least extra cost of the first j visits when the
truck unloads right after visit j; where the trip that ends there may begin only moves forward
with j, so a monotone queue holds the minimum (T. Vidal, "Technical note: split algorithm in O(n)
for the capacitated vehicle routing problem", Computers & Operations Research 69 (2016)).
Which facility is on the way is known for each pair of nodes. Times are judged afterwards.
"""

# ruff: noqa: N803

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.compiled import called, compiled, inlined
from optimizer.solve.sisr.tour import label

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State

IMPOSSIBLE = 1e15
ROOM = 5e-7  # sums in another order differ a little


@compiled
def place(P: Arrays, S: State, kind: int, stops: int) -> tuple[float, int]:
    """Place unloadings along `S.stops[:stops]`; write the tour to `S.draft`.

    Returns:
        Its cost without waiting, breaks and the truck's fixed cost, and its length, start and end
        included; IMPOSSIBLE when a visit does not fit into the truck.
    """
    tariff = P.kinds[kind].tariff
    cost, cheapest, before, queue = 0.0, S.cheapest, S.before, S.queue
    S.draft[0] = P.kinds[kind].start
    if stops == 0:
        S.draft[1] = P.kinds[kind].end
        return 0.0, 2
    S.stops[stops] = P.kinds[kind].end
    for limit in range(P.capacity.shape[1]):
        S.loads[0, limit] = 0.0
    cheapest[0], queue[0], head, tail = 0.0, 0, 0, 0
    for j in range(1, stops + 1):
        one, following = S.stops[j - 1], S.stops[j]
        for limit in range(P.capacity.shape[1]):
            S.loads[j, limit] = S.loads[j - 1, limit] + P.need[kind, one, limit]
        while head <= tail and not _carries(P, S, kind, queue[head], j):
            head += 1
        if head > tail:
            return IMPOSSIBLE, 0
        node = P.via[tariff, one, following]
        detour = (
            P.euro[tariff, one, node]
            + P.euro[tariff, node, following]
            + P.service_s[node] * P.kinds[kind].eur_per_s
            - P.euro[tariff, one, following]
        )
        cheapest[j] = cheapest[queue[head]] + detour
        before[j] = queue[head]
        while head <= tail and cheapest[queue[tail]] >= cheapest[j]:
            tail -= 1
        tail += 1
        queue[tail] = j
        cost += P.euro[tariff, one, following] + P.service_s[one] * P.kinds[kind].eur_per_s
    cost += P.euro[tariff, P.kinds[kind].start, S.stops[0]] + cheapest[stops]
    return cost, _write(P, S, tariff, stops)


@inlined
def _carries(P: Arrays, S: State, kind: int, begin: int, end: int) -> bool:
    for limit in range(P.capacity.shape[1]):
        if S.loads[end, limit] - S.loads[begin, limit] > P.capacity[kind, limit] - ROOM:
            return False
    return True


@called
def _write(P: Arrays, S: State, tariff: int, stops: int) -> int:
    count, j = 0, stops
    while j > 0:
        S.queue[count] = j
        count += 1
        j = S.before[j]
    size, i = 1, 0
    while count > 0:
        count -= 1
        end = S.queue[count]
        while i < end:
            S.draft[size] = S.stops[i]
            size += 1
            i += 1
        S.draft[size] = P.via[tariff, S.stops[end - 1], S.stops[end]]
        size += 1
    S.draft[size] = S.stops[stops]
    return size + 1


@compiled
def adopt(P: Arrays, S: State, r: int, size: int) -> bool:
    """Make `S.draft` the tour of a row."""
    for i in range(size):
        S.nodes[r, i] = S.draft[i]
    S.tours[r].length = size
    return label(P, S, r)
