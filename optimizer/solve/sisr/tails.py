"""Tails: two tours exchange all that comes behind a place on each of them.

The "2-opt*" of J.-Y. Potvin and J.-M. Rousseau, "An exchange heuristic for routing problems with
time windows", Journal of the Operational Research Society 46 (1995): visits keep their order, so
windows that were kept are likely to be kept again. Ruin and recreate by itself moves some ten
visits of a tour, never half of it. Where one tour ends and the other has not begun they become one.

Only trucks of one kind exchange tails. Whether the times fit is looked up in constant time; what
depends on the whole tour (its limits, breaks owed after some hours) is known when it is labelled,
and an exchange that breaks a rule is taken back.
"""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import NEVER_S
from optimizer.solve.sisr.chance import chance
from optimizer.solve.sisr.compiled import called, inlined
from optimizer.solve.sisr.insertion import keep
from optimizer.solve.sisr.labels import begin, from_start, leave, reach
from optimizer.solve.sisr.tour import label

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State

OVERLOOKED = 0.3  # share of the exchanges that are not looked at: the same one is not always best


@called
def exchange_tails(P: Arrays, S: State, visit: int, worth: float, looked: int) -> bool:
    """Let what comes behind a visit and what begins with a near one of another tour change places.

    Args:
        P: the problem.
        S: the plan.
        visit: in a tour or not.
        worth: euro that the exchange has to add less than, waiting and breaks left aside.
        looked: near visits that are looked at.

    Returns:
        Whether there was such an exchange that keeps every rule.
    """
    r = S.visits[visit].row
    if r < 0:
        return False
    i, q, j = _cheapest(P, S, r, S.visits[visit].position + 1, worth, looked)
    if q < 0 or not _allowed(P, S, r, i, q) or not _allowed(P, S, q, j, r):
        return False
    keep(S, r)
    keep(S, q)
    _exchange(S, r, i, q, j)
    if label(P, S, r):
        if S.tours[q].length == 3 and S.nodes[q, 1] >= P.visits:  # nothing to unload is left
            S.nodes[q, 1], S.tours[q].length = S.nodes[q, 2], 2
        if label(P, S, q):
            return True
    _exchange(S, r, i, q, j)
    label(P, S, r)
    label(P, S, q)
    return False


@called
def _cheapest(
    P: Arrays, S: State, r: int, i: int, worth: float, looked: int
) -> tuple[int, int, int]:
    """Return which tail of row `r` is best exchanged, at `i` or behind it, for which other one.

    Returns:
        The position where it begins, and row and position of the other; row -1: there is none.
    """
    visit, last = S.nodes[r, i - 1], S.tours[r].length - 1
    kind = P.kind[S.tours[r].truck]
    tariff = P.kinds[kind].tariff
    best, cut, row, at = worth, i, -1, -1
    for number in range(min(looked, P.near.shape[1])):
        near = P.near[visit, number]
        q, j = S.visits[near].row, S.visits[near].position
        if q < 0 or q == r or P.kind[S.tours[q].truck] != kind:
            continue
        k, before, joined, spared_eur = i, S.visits[near].before, False, 0.0
        if before >= P.visits and S.nodes[r, i] >= P.visits:  # both are between two trips
            joined = j == 1 and i + 1 == last and _carry(P, S, kind, r, i, q, j)
            k = i if joined else i + 1
        if j == 1 and (joined or k == last):
            spared_eur = _spared_eur(P, S, kind, S.nodes[r, last - 1], joined)
        one, following = S.nodes[r, k - 1], S.nodes[r, k]
        added = (
            P.euro[tariff, one, near]
            + P.euro[tariff, before, following]
            - P.euro[tariff, one, following]
            - S.visits[near].before_eur
            - spared_eur
        )
        if added >= best or chance(S.random) < OVERLOOKED:
            continue
        if (
            _joins(P, S, kind, r, k - 1, q, j)
            and (joined or _joins(P, S, kind, q, j - 1, r, k))
            and _carry(P, S, kind, r, k, q, j)
        ):
            best, cut, row, at = added, k, q, j
    return cut, row, at


@inlined
def _spared_eur(P: Arrays, S: State, kind: int, facility: int, joined: bool) -> float:
    """Return what is spared besides ways where two tours become one, or even their trips do."""
    eur, tariff = P.kinds[kind].fixed_eur, P.kinds[kind].tariff
    if joined:
        eur += P.euro[tariff, P.kinds[kind].start, facility]
        eur += P.euro[tariff, facility, P.kinds[kind].end]
        eur += P.service_s[facility] * P.kinds[kind].eur_per_s
    return float(eur)


@inlined
def _joins(P: Arrays, S: State, kind: int, r: int, i: int, q: int, j: int) -> bool:
    """Whether who leaves position `i` of row `r` comes to position `j` of row `q` in time."""
    one, node = S.nodes[r, i], S.nodes[q, j]
    on_s, travel_s = P.service_s[one], P.seconds[one, node]
    start_s = leave(P, kind, node)
    for taken in range(P.breaks.number[kind] + 1):
        if i > 0:
            ready_s = reach(P.breaks, kind, S.early, r, i, on_s, travel_s, taken)
        else:
            ready_s = from_start(P.breaks, kind, start_s, travel_s, taken)
        if ready_s <= S.late[q, j, taken] and begin(P.windows, node, ready_s) < NEVER_S:
            return True
    return False


@called
def _carry(P: Arrays, S: State, kind: int, r: int, i: int, q: int, j: int) -> bool:
    """Whether the trips on both sides of the exchange can carry what they would."""
    for limit in range(P.capacity.shape[1]):
        one, other = _aboard(P, S, kind, r, i, limit), _aboard(P, S, kind, q, j, limit)
        rest = S.load[r, S.trip[r, i - 1], limit] - one
        other_rest = S.load[q, S.trip[q, j], limit] - other
        if max(one + other_rest, other + rest) > P.capacity[kind, limit]:
            return False
    return True


@inlined
def _aboard(P: Arrays, S: State, kind: int, r: int, i: int, limit: int) -> float:
    """Return what a truck has loaded since it last unloaded, before a position."""
    load, i = 0.0, i - 1
    while S.nodes[r, i] < P.visits:
        load += P.need[kind, S.nodes[r, i], limit]
        i -= 1
    return load


@called
def _allowed(P: Arrays, S: State, r: int, i: int, q: int) -> bool:
    """Whether the truck of row `q` may serve what comes from position `i` of row `r` on."""
    truck = S.tours[q].truck
    for at in range(i, S.tours[r].length - 1):
        node = S.nodes[r, at]
        if node < P.visits and not P.allowed[node, truck]:
            return False
    return True


@called
def _exchange(S: State, r: int, i: int, q: int, j: int) -> None:
    """Exchange two tails; done twice, all is as before."""
    one, other = S.tours[r].length - i, S.tours[q].length - j
    for k in range(one):
        S.draft[k] = S.nodes[r, i + k]
    for k in range(other):
        S.nodes[r, i + k] = S.nodes[q, j + k]
    for k in range(one):
        S.nodes[q, j + k] = S.draft[k]
    S.tours[r].length, S.tours[q].length = i + other, j + one
