"""Tails: two tours exchange all that comes behind a place on each of them.

The "2-opt*" of J.-Y. Potvin and J.-M. Rousseau, "An exchange heuristic for routing problems with
time windows", Journal of the Operational Research Society 46 (1995): visits keep their order, so
windows that were kept are likely to be kept again. Ruin and recreate by itself moves some ten
visits of a tour, never half of it. Where one tour is cut at its end and the other at its start,
the two become one.

Only trucks of one kind exchange tails. Whether the times fit is looked up in constant time, what is
carried by walking along two trips; limits of driving and breaks owed after some hours are known
when the tours are labelled, and an exchange that breaks a rule or does not pay is taken back.
"""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.chance import chance
from optimizer.solve.sisr.compiled import called, inlined
from optimizer.solve.sisr.insertion import keep
from optimizer.solve.sisr.labels import from_start, leave, reach
from optimizer.solve.sisr.tour import label, price

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State

OVERLOOKED = 0.3  # share of the exchanges that are not looked at: the same one is not always best


@called
def exchange_tails(P: Arrays, S: State, visit: int, below_eur: float, looked: int) -> bool:
    """Let what comes behind a visit and what begins with a near one of another tour change places.

    Args:
        P: the problem.
        S: the plan.
        visit: behind which the first tail begins; nothing happens if it is in no tour.
        below_eur: what the exchange adds, waiting included, has to be less than this.
        looked: near visits that are looked at.

    Returns:
        Whether tails were exchanged: where that keeps every rule and adds little enough.
    """
    r = 0 + S.visits[visit].row  # as wide as all rows: `label` is compiled once
    if r < 0:
        return False
    i, q, j = _cheapest(P, S, r, S.visits[visit].position + 1, below_eur, looked)
    if q < 0:
        return False
    keep(S, r)
    keep(S, q)
    price(P, S, r)
    price(P, S, q)
    before_eur = S.tours[r].eur + S.tours[q].eur
    _exchange(S, r, i, q, j)
    last = S.tours[q].length - 1
    emptied = last == 1 or (last == 2 and S.nodes[q, 1] >= P.visits)
    if label(P, S, r) and (emptied or label(P, S, q)):
        price(P, S, r)
        price(P, S, q)
        after_eur = S.tours[r].eur + (0.0 if emptied else S.tours[q].eur)
        if after_eur < before_eur + below_eur:
            if emptied:
                S.nodes[q, 1], S.tours[q].length = S.nodes[q, last], 2
                label(P, S, q)
            return True
    _exchange(S, r, i, q, j)
    label(P, S, r)
    label(P, S, q)
    return False


@called
def _cheapest(
    P: Arrays, S: State, r: int, i: int, below_eur: float, looked: int
) -> tuple[int, int, int]:
    """Return where to cut row `r`, and the row and position to cut at for the best other tail.

    Args:
        P: the problem.
        S: the plan.
        r: row of the first tour.
        i: position behind the visit. The tail begins there, or behind the unloading that is there.
        below_eur: what the exchange adds has to be less than this, waiting left aside.
        looked: near visits that are looked at; the other tail begins with one of them.

    Returns:
        Position, row and position; a row of -1 means that there is no such exchange.
    """
    visit, last = S.nodes[r, i - 1], S.tours[r].length - 1
    kind = P.kind[S.tours[r].truck]
    tariff = P.kinds[kind].tariff
    best, cut, row, at = below_eur, i, -1, -1
    if i == last:  # what is loaded behind the last unloading stays overnight where it is
        return cut, row, at
    for number in range(min(looked, P.near.shape[1])):
        near = P.near[visit, number]
        q, j = S.visits[near].row, S.visits[near].position
        if q < 0 or q == r or P.kind[S.tours[q].truck] != kind:
            continue
        # Where both are between two trips the first keeps its unloading. But the last trip of one
        # and the first of the other become one where they fit: that spares an unloading.
        k, before, merged = i, S.visits[near].before, False
        if before >= P.visits and S.nodes[r, i] >= P.visits:
            merged = j == 1 and i + 1 == last and _fits(P, S, kind, r, i, q, j)
            k = i if merged else i + 1
        emptied = j == 1 and (merged or k == last)
        one, following = S.nodes[r, k - 1], S.nodes[r, k]
        added = (
            P.euro[tariff, one, near]
            + P.euro[tariff, before, following]
            - P.euro[tariff, one, following]
            - S.visits[near].before_eur
        )
        if emptied:
            added -= _spared_eur(P, S, kind, S.nodes[r, last - 1], merged)
        if added >= best or chance(S.random) < OVERLOOKED:
            continue
        if (
            _in_time(P, S, kind, r, k - 1, q, j)
            and (emptied or _in_time(P, S, kind, q, j - 1, r, k))
            and (merged or _fits(P, S, kind, r, k, q, j))
            and (not emptied or _within_a_day(P, S, kind, r, q))
            and _allowed(P, S, r, k, q)
            and _allowed(P, S, q, j, r)
        ):
            best, cut, row, at = added, k, q, j
    return cut, row, at


@inlined
def _spared_eur(P: Arrays, S: State, kind: int, facility: int, merged: bool) -> float:
    """Return what is spared, besides the ways at both cuts, where a tour is emptied."""
    start, end, tariff = P.kinds[kind].start, P.kinds[kind].end, P.kinds[kind].tariff
    eur = P.kinds[kind].fixed_eur
    if merged:
        eur += P.euro[tariff, start, facility] + P.euro[tariff, facility, end]
        eur += P.service_s[facility] * P.kinds[kind].eur_per_s
    else:
        eur += P.euro[tariff, start, end]
    return float(eur)


@inlined
def _in_time(P: Arrays, S: State, kind: int, r: int, i: int, q: int, j: int) -> bool:
    """Whether who leaves position `i` of row `r` comes to position `j` of row `q` in time."""
    one, node = S.nodes[r, i], S.nodes[q, j]
    on_s, travel_s = P.service_s[one], P.seconds[one, node]
    start_s = leave(P, kind, node)
    for taken in range(P.breaks.number[kind] + 1):
        if i > 0:
            ready_s = reach(P.breaks, kind, S.early, r, i, on_s, travel_s, taken)
        else:
            ready_s = from_start(P.breaks, kind, start_s, travel_s, taken)
        if ready_s <= S.late[q, j, taken]:
            return True
    return False


@called
def _fits(P: Arrays, S: State, kind: int, r: int, i: int, q: int, j: int) -> bool:
    """Whether the trips that are cut can be carried with the rest of the other."""
    for limit in range(P.capacity.shape[1]):
        head, other_head = _aboard(P, S, kind, r, i, limit), _aboard(P, S, kind, q, j, limit)
        tail = S.load[r, S.trip[r, i - 1], limit] - head
        other_tail = S.load[q, S.trip[q, j], limit] - other_head
        if max(head + other_tail, other_head + tail) > P.capacity[kind, limit]:
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


@inlined
def _within_a_day(P: Arrays, S: State, kind: int, r: int, q: int) -> bool:
    """Whether one truck may serve in a day what two did."""
    for limit in range(3):
        if S.amount[r, limit] + S.amount[q, limit] > P.day_limit[kind, limit]:
            return False
    return True


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
    tail, other_tail = S.tours[r].length - i, S.tours[q].length - j
    for k in range(tail):
        S.draft[k] = S.nodes[r, i + k]
    for k in range(other_tail):
        S.nodes[r, i + k] = S.nodes[q, j + k]
    for k in range(tail):
        S.nodes[q, j + k] = S.draft[k]
    S.tours[r].length, S.tours[q].length = i + other_tail, j + tail
