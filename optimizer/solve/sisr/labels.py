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
    from optimizer.solve.sisr.arrays import Arrays, Breaks, Ints, Windows


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
def reach(B: Breaks, kind: int, starts: Ints, service_s: int, travel_s: int, out: Ints) -> None:
    """Write to `out` the earliest arrivals after a leg, by breaks taken.

    Args:
        B: the rules of breaks.
        kind: of the truck.
        starts: earliest starts of service where the leg begins, by breaks taken.
        service_s: time there.
        travel_s: length of the leg.
        out: receives the arrivals; NEVER_S where there is none.
    """
    for taken in range(B.number[kind] + 1):
        best = NEVER_S
        for before in range(taken + 1):
            if starts[before] >= NEVER_S:
                continue
            leave_s = starts[before] + service_s
            arrival_s = leave_s + travel_s
            if before < taken:
                run = taken - before
                if leave_s > B.chain_latest[kind, before, run]:
                    continue
                arrival_s = max(
                    arrival_s + B.chain_s[kind, before, run], B.chain_ready[kind, before, run]
                )
            best = min(best, arrival_s)
        out[taken] = best


@inlined
def latest_departure(B: Breaks, kind: int, late: Ints, travel_s: int, taken: int) -> int:
    """Return the latest departure that a leg's latest arrivals allow, some breaks taken."""
    best = late[taken] - travel_s if late[taken] > -NEVER_S else -NEVER_S
    for run in range(1, B.number[kind] + 1 - taken):
        arrival_s = late[taken + run]
        if B.chain_ready[kind, taken, run] <= arrival_s:
            leave_s = min(
                B.chain_latest[kind, taken, run],
                arrival_s - travel_s - B.chain_s[kind, taken, run],
            )
            best = max(best, leave_s)
    return best


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
