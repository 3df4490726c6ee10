"""Recreate: visits are put back one by one where each adds least.

The "greedy insertion with blinks" of Christiaens & Vanden Berghe (2020); to the paper's orders
(random, by load, far, close) come the one by prize, and those by time windows (width, opening,
closing), which the paper uses for problems that have any.

In the end tours exchange their tails behind what was put back, where that is cheaper.
"""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.chance import chance, pick
from optimizer.solve.sisr.compiled import called, inlined
from optimizer.solve.sisr.insertion import begin_tour, insert
from optimizer.solve.sisr.ruin import unload_anew
from optimizer.solve.sisr.state import ABSENT, CHANGED, LEFT_OUT, OPENS
from optimizer.solve.sisr.tails import exchange_tails
from optimizer.solve.sisr.tour import price

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State

LOOKED = 20  # near visits at which a tail might begin that comes cheaper
NEVER_EUR = 1e18  # more than any plan costs
PAYS_EUR = -1e-4  # an exchange pays if it adds less: costs are sums in single precision


@called
def recreate(P: Arrays, S: State, picked: int, current_eur: float, bar_eur: float) -> bool:
    """Put back the visits in `S.picked`; what finds no place is left out.

    Optional visits that pay for a tour only together are found by one of them that opens it at
    whatever price; the others then join at theirs.

    Args:
        P: the problem.
        S: the plan.
        picked: how many visits there are to put back.
        current_eur: what the plan cost before any was taken out.
        bar_eur: as soon as the plan costs more, the rest is not put back, for it only gets dearer;
            NEVER_EUR: all is put back, and tails may make up for it.

    Returns:
        Whether all was done.
    """
    _sort(P, S, picked)
    opens = S.counts[OPENS]
    opened = opens != ABSENT and begin_tour(P, S, opens)
    hasty = bar_eur < NEVER_EUR and not opened
    for number in range(picked):
        S.visits[S.picked[number]].marked = True
    out, eur = 0, current_eur
    for number in range(S.counts[LEFT_OUT]):
        if S.visits[S.left_out[number]].marked:
            eur -= P.price[S.left_out[number]]
        else:
            S.left_out[out] = S.left_out[number]
            out += 1
    for number in range(picked):
        S.visits[S.picked[number]].marked = False
    for number in range(picked):
        visit = S.picked[number]
        if opened and visit == opens:
            continue
        if not insert(P, S, visit):
            S.visits[visit].row = ABSENT
            S.left_out[out] = visit
            out += 1
            eur += P.price[visit]
        if hasty and eur + _added(S) > bar_eur:
            return False
    S.counts[LEFT_OUT] = out
    for number in range(picked):
        exchange_tails(P, S, S.picked[number], PAYS_EUR, LOOKED)
    for number in range(S.counts[CHANGED]):
        unload_anew(P, S, S.changed[number])
        price(P, S, S.changed[number])
    return True


@inlined
def _added(S: State) -> float:
    """Return what the tours cost more than before the step, waiting and breaks left aside."""
    eur = 0.0
    for number in range(S.counts[CHANGED]):
        tour = S.tours[S.changed[number]]
        eur += tour.busy_eur - tour.kept_eur
    return eur


@called
def _sort(P: Arrays, S: State, picked: int) -> None:
    """Sort `S.picked` by a random one of the orders; the lists are short."""
    order = pick(S.random, 18)
    for number in range(picked):
        S.order[number] = _key(P, S, S.picked[number], order)
    for number in range(1, picked):
        key, visit, place = S.order[number], S.picked[number], number - 1
        while place >= 0 and S.order[place] > key:
            S.order[place + 1], S.picked[place + 1] = S.order[place], S.picked[place]
            place -= 1
        S.order[place + 1], S.picked[place + 1] = key, visit


@called
def _key(P: Arrays, S: State, visit: int, order: int) -> float:
    if order < 4:
        return chance(S.random)
    if order < 8:
        return -(P.amount[visit, 1] + P.amount[visit, 2])
    if order < 10:
        return -P.euro[0, P.kinds[0].start, visit]
    if order < 11:
        return P.euro[0, P.kinds[0].start, visit]
    if order < 12:
        return -P.price[visit]
    if order < 14:
        return float(
            P.windows.closes[visit, P.windows.spans[visit] - 1] - P.windows.opens[visit, 0]
        )
    if order < 16:
        return float(P.windows.opens[visit, 0])
    return -float(P.windows.closes[visit, P.windows.spans[visit] - 1])
