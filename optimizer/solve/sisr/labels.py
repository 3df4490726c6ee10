"""Times along a tour: forward the earliest, backward the latest, one per number of breaks taken.

M. W. P. Savelsbergh, "The vehicle routing problem with time windows: minimizing route duration",
ORSA Journal on Computing 4 (1992), keeps two times per stop so that an insertion is tested in
constant time; breaks in their order make it two times per number of breaks taken, for a tour with
k breaks behind it is comparable only with one that has k behind it, too.

A break on a leg is best taken as late as it may be. So a run of m breaks on a leg from t on takes
    max(departure + travel + their length, earliest end of the run)
and is possible when the departure is not after the latest start of the run (`Arrays.chain_*`).
"""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import NEVER_S
from optimizer.solve.sisr.compiled import inlined

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays, Breaks, Labels, Windows


@inlined
def begin(W: Windows, node: int, ready_s: int) -> int:
    """Return when service starts at a node for who is ready at some time; NEVER_S: too late."""
    for number in range(W.spans[node]):
        if ready_s <= W.closes[node, number]:
            return max(ready_s, W.opens[node, number])
    return NEVER_S


@inlined
def latest_ready(W: Windows, node: int, start_s: int) -> int:
    """Return by when to be ready at a node for service to start by some time."""
    latest = -NEVER_S
    for number in range(W.spans[node]):
        if W.opens[node, number] <= start_s:
            latest = max(latest, min(start_s, W.closes[node, number]))
    return latest


@inlined
def reach(
    B: Breaks, kind: int, E: Labels, r: int, i: int, on_s: int, travel_s: int, taken: int
) -> int:
    """Return the earliest arrival after a leg with some breaks taken; NEVER_S: there is none.

    Args:
        B: the rules of breaks.
        kind: of the truck.
        E: earliest starts of service; those where the leg begins are `E[r, i]`.
        r: row.
        i: position.
        on_s: time of service there.
        travel_s: length of the leg.
        taken: breaks behind the truck when it arrives.
    """
    best = E[r, i, taken] + on_s + travel_s
    for before in range(taken):
        leave_s = E[r, i, before] + on_s
        run = taken - before
        if leave_s <= B.chain_latest[kind, before, run]:
            arrival_s = max(
                leave_s + travel_s + B.chain_s[kind, before, run],
                B.chain_ready[kind, before, run],
            )
            best = min(best, arrival_s)
    return min(best, NEVER_S)


@inlined
def from_start(B: Breaks, kind: int, start_s: int, travel_s: int, taken: int) -> int:
    """Return the earliest arrival at the first node of a tour, as `reach` does."""
    if taken == 0:
        return min(start_s + travel_s, NEVER_S)
    if start_s > B.chain_latest[kind, 0, taken]:
        return NEVER_S
    return max(start_s + travel_s + B.chain_s[kind, 0, taken], B.chain_ready[kind, 0, taken])


@inlined
def latest_departure(
    B: Breaks, kind: int, late: Labels, r: int, i: int, travel_s: int, taken: int
) -> int:
    """Return the latest departure that the latest arrivals `late[r, i]` behind a leg allow."""
    best = late[r, i, taken] - travel_s
    for run in range(1, B.number[kind] + 1 - taken):
        arrival_s = late[r, i, taken + run]
        if B.chain_ready[kind, taken, run] <= arrival_s:
            leave_s = min(
                B.chain_latest[kind, taken, run],
                arrival_s - travel_s - B.chain_s[kind, taken, run],
            )
            best = max(best, leave_s)
    return max(best, -NEVER_S)


@inlined
def latest_end(B: Breaks, kind: int, start_s: int, taken: int, end_s: int) -> int:
    """Return by when a tour has to end so that no break is owed but those taken."""
    latest = end_s
    for rule in range(taken, B.number[kind]):
        latest = min(latest, max(B.due_clock[kind, rule], start_s + B.due_after[kind, rule]))
    return latest


@inlined
def leave(P: Arrays, kind: int, first: int) -> int:
    """Return when a tour starts: so as not to wait at its first node."""
    travel_s = P.seconds[P.kinds[kind].start, first]
    return max(P.kinds[kind].shift_from, P.windows.opens[first, 0] - travel_s)
