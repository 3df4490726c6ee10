"""Steps of ruin and recreate, and which of them are kept.

Simulated annealing as in Christiaens & Vanden Berghe (2020): a worse plan is kept with a chance
that falls with the temperature; how much worse is drawn before the step, so that a step too dear
ends early. While mandatory visits are left out, their counts of having been missed decide instead
(the "sum of absences" of the paper's fleet minimisation): room is made for visits that are left out
often.
"""

# ruff: noqa: N803

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import MANDATORY_EUR
from optimizer.solve.sisr.chance import chance
from optimizer.solve.sisr.compiled import called, compiled
from optimizer.solve.sisr.recreate import NEVER_EUR, recreate
from optimizer.solve.sisr.ruin import ruin
from optimizer.solve.sisr.state import ABSENT, CHANGED, LEFT_OUT
from optimizer.solve.sisr.tour import label, refresh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State


@compiled
def ready(P: Arrays, S: State) -> float:
    """Set all labels of a new state; return its cost."""
    for r in range(len(S.tours)):
        refresh(P, S, r)
    return total(P, S)


@compiled
def total(P: Arrays, S: State) -> float:
    """Return the cost of all tours and of all that is left out."""
    eur = 0.0
    for r in range(len(S.tours)):
        eur += S.tours[r].eur
    for number in range(S.counts[LEFT_OUT]):
        eur += P.price[S.left_out[number]]
    return eur


@compiled
def anneal(
    P: Arrays,
    S: State,
    best: State,
    members: NDArray[np.int32],
    steps: int,
    temperature: float,
    current_eur: float,
    best_eur: float,
) -> tuple[float, float]:
    """Make some steps at one temperature; return what the current and the best plan cost.

    Args:
        P: the problem.
        S: the current plan.
        best: receives the nodes of the best plan.
        members: all visits of this search.
        steps: how many to make.
        temperature: in euro.
        current_eur: cost of `S`.
        best_eur: cost of the best plan so far.
    """
    for _ in range(steps):
        S.counts[CHANGED] = 0
        out = S.counts[LEFT_OUT]
        for number in range(out):
            S.kept_out[number] = S.left_out[number]
        bar_eur = current_eur - temperature * math.log(chance(S.random) + 1e-300)
        missing = _missing(P, S)
        # Among narrow windows tails often make up for a dear place; room for what is missing is
        # worth any price.
        asked_eur = NEVER_EUR if P.mostly_narrow or missing > 0 else bar_eur
        picked = ruin(P, S, members)
        done = recreate(P, S, picked, current_eur, asked_eur)
        if done and _accepted(P, S, out, missing, bar_eur):
            current_eur = total(P, S)
            for number in range(S.counts[CHANGED]):
                S.tours[S.changed[number]].kept_row = False
            if current_eur < best_eur - 1e-7:
                best_eur = current_eur
                copy(S, best)
        else:
            _undo(P, S, picked, out)
    return current_eur, best_eur


@compiled
def copy(S: State, other: State) -> None:
    """Copy the nodes of a plan."""
    for r in range(len(S.tours)):
        other.tours[r].length = S.tours[r].length
        for i in range(S.tours[r].length):
            other.nodes[r, i] = S.nodes[r, i]
    other.counts[LEFT_OUT] = S.counts[LEFT_OUT]
    for number in range(S.counts[LEFT_OUT]):
        other.left_out[number] = S.left_out[number]


@called
def _missing(P: Arrays, S: State) -> int:
    """Return how many mandatory visits are left out."""
    count = 0
    for number in range(S.counts[LEFT_OUT]):
        if P.price[S.left_out[number]] >= MANDATORY_EUR:
            count += 1
    return count


@called
def _accepted(P: Arrays, S: State, out: int, before: int, bar_eur: float) -> bool:
    """Whether a changed plan is kept, of which `before` mandatory visits were left out."""
    after = _missing(P, S)
    if before == 0 or after == 0:
        return after < before or (after == before and total(P, S) < bar_eur)
    missed_before = missed_after = 0
    for number in range(out):
        visit = S.kept_out[number]
        if P.price[visit] >= MANDATORY_EUR:
            missed_before += S.visits[visit].missed
    for number in range(S.counts[LEFT_OUT]):
        visit = S.left_out[number]
        if P.price[visit] >= MANDATORY_EUR:
            missed_after += S.visits[visit].missed
            S.visits[visit].missed += 1
    if missed_after != missed_before:
        return missed_after < missed_before
    if after != before:
        return after < before
    return total(P, S) < bar_eur


@called
def _undo(P: Arrays, S: State, picked: int, out: int) -> None:
    """Return to the plan before the step."""
    for number in range(picked):
        S.visits[S.picked[number]].row = ABSENT
    for number in range(S.counts[CHANGED]):
        r = S.changed[number]
        S.tours[r].kept_row = False
        S.tours[r].length = S.tours[r].kept_length
        for i in range(S.tours[r].length):
            S.nodes[r, i] = S.kept[r, i]
        label(P, S, r)
        S.tours[r].eur = S.tours[r].kept_eur
    S.counts[LEFT_OUT] = out
    for number in range(out):
        S.left_out[number] = S.kept_out[number]
