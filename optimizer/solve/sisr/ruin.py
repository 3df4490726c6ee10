"""Ruin: strings of visits near a random one are taken out of their trips.

The "adjacent string removal" of Christiaens & Vanden Berghe (2020), with trips in the place of
routes: what lies between two unloadings. Half of the strings keep a part in their middle ("split
string"). Now and then two tours exchange their tails there first, at whatever price.
"""

# ruff: noqa: N803

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import MANDATORY_EUR, NEVER_S
from optimizer.solve.sisr.chance import chance, pick
from optimizer.solve.sisr.compiled import called, inlined
from optimizer.solve.sisr.insertion import keep
from optimizer.solve.sisr.state import ABSENT, CHANGED, LEFT_OUT, OPENS
from optimizer.solve.sisr.tails import exchange_tails
from optimizer.solve.sisr.tour import ends, label
from optimizer.solve.sisr.unloading import IMPOSSIBLE, adopt, place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State

REMOVED = 10.0  # visits taken out per step, on average
REMOVED_OF_MANY = 15.0  # the same where many visits are left out: there are more to choose from
MANY = 0.3  # share of the visits left out from which on that holds
LONGEST = 10.0  # string
SPLIT = 0.5  # share of strings with a part kept
WHOLE = 0.01  # share of steps that give up a whole small tour
SMALL = 25  # visits of such a tour at most
MOST_STRINGS = 60
TRIED_AGAIN = 16  # visits left out that get another chance in a step
OPENED = 0.05  # share of steps around an optional visit left out that begin a tour with it
GATHERED = 60  # visits left out that such a tour may take in
EXCHANGED = 0.1  # share of steps that exchange the tails of two tours first,
LOOKED = 40  # with the best of so many near visits


@called
def ruin(P: Arrays, S: State, members: NDArray[np.int32]) -> int:
    """Take visits out of their tours; return how many there are to put back in `S.picked`."""
    seed = members[pick(S.random, len(members))]
    out = S.counts[LEFT_OUT]
    if out > 0 and chance(S.random) < 0.5:
        seed = S.left_out[pick(S.random, out)]
    S.counts[OPENS], most = ABSENT, TRIED_AGAIN
    if S.visits[seed].row == ABSENT and P.price[seed] < MANDATORY_EUR and chance(S.random) < OPENED:
        S.counts[OPENS], most = seed, GATHERED
    picked = _absent(P, S, seed, most)
    if chance(S.random) < EXCHANGED:
        exchange_tails(P, S, seed, IMPOSSIBLE, LOOKED)
    if chance(S.random) < WHOLE:
        picked = _whole_tour(P, S, picked)
    else:
        removed = REMOVED if out < MANY * len(members) else REMOVED_OF_MANY
        picked = _strings(P, S, seed, picked, removed)
    for number in range(S.counts[CHANGED]):
        picked = _close(P, S, S.changed[number], picked)
    for number in range(picked):
        S.visits[S.picked[number]].marked = False
    return picked


@inlined
def _take(S: State, visit: int, picked: int) -> int:
    if S.visits[visit].marked:
        return picked
    S.visits[visit].marked = True
    S.picked[picked] = visit
    return picked + 1


@called
def _absent(P: Arrays, S: State, seed: int, most: int) -> int:
    """Pick visits left out that are tried again; of many only those near the seed."""
    picked, out = 0, S.counts[LEFT_OUT]
    if out <= most:
        for number in range(out):
            picked = _take(S, S.left_out[number], picked)
        return picked
    if S.visits[seed].row == ABSENT:
        picked = _take(S, seed, picked)
    for number in range(P.near.shape[1]):
        if picked >= most:
            break
        if S.visits[P.near[seed, number]].row == ABSENT:
            picked = _take(S, P.near[seed, number], picked)
    return picked


@called
def _whole_tour(P: Arrays, S: State, picked: int) -> int:
    """Take out a small tour, so that a truck is given up or exchanged."""
    chosen, least = -1, SMALL + 1.0
    for r in range(len(S.tours)):
        stops = S.tours[r].length - 2.0 - S.tours[r].trips
        if S.tours[r].length == 2 or stops > SMALL:
            continue
        lot = stops * chance(S.random)
        if lot < least:
            chosen, least = r, lot
    if chosen >= 0:
        keep(S, chosen)
        for i in range(1, S.tours[chosen].length - 1):
            if S.nodes[chosen, i] < P.visits:
                picked = _take(S, S.nodes[chosen, i], picked)
    return picked


@called
def _strings(P: Arrays, S: State, seed: int, picked: int, removed: float) -> int:
    """Take out strings; how many and how long by formulas (5) to (7) of the paper."""
    trips, stops = 0, 0
    for r in range(len(S.tours)):
        if S.tours[r].length > 2:
            trips += S.tours[r].trips
            stops += S.tours[r].length - 2 - S.tours[r].trips
    longest = min(LONGEST, max(1.0, stops / max(1, trips)))
    strings = pick(S.random, max(1.0, 4.0 * removed / (1.0 + longest) - 1.0)) + 1
    strings = min(strings, MOST_STRINGS)
    ruined = 0
    for number in range(-1, P.near.shape[1]):
        if ruined >= strings:
            break
        visit = seed if number < 0 else P.near[seed, number]
        r = S.visits[visit].row
        if r < 0 or S.visits[visit].marked:
            continue
        trip = S.trip[r, S.visits[visit].position]
        if _ruined(S, r, trip, ruined):
            continue
        S.strings[ruined, 0], S.strings[ruined, 1] = r, trip
        ruined += 1
        keep(S, r)
        picked = _string(P, S, r, S.visits[visit].position, longest, picked)
    return picked


@inlined
def _ruined(S: State, r: int, trip: int, ruined: int) -> bool:
    for number in range(ruined):
        if S.strings[number, 0] == r and S.strings[number, 1] == trip:
            return True
    return False


@called
def _string(P: Arrays, S: State, r: int, at: int, longest: float, picked: int) -> int:
    """Take out one string around a position of a trip."""
    low, high = at, at
    while low > 1 and S.nodes[r, low - 1] < P.visits:
        low -= 1
    while S.nodes[r, high + 1] < P.visits:
        high += 1
    size = high - low + 1
    length = min(size, pick(S.random, min(size * 1.0, longest)) + 1)
    kept = 0
    if 1 < length < size and chance(S.random) < SPLIT:
        kept = min(length, size - length)
    span = length + kept
    first = max(low, at - span + 1)
    begin = first + pick(S.random, min(at, high - span + 1) - first + 1)
    hole = begin + 1 + pick(S.random, length - 1) if kept else begin + span
    for i in range(begin, begin + span):
        if not hole <= i < hole + kept:
            picked = _take(S, S.nodes[r, i], picked)
    return picked


@called
def _close(P: Arrays, S: State, r: int, picked: int) -> int:
    """Close the gaps of a tour, drop unloadings of nothing, and place them anew if cheaper.

    What remains may break a rule: a start without its first visit is another. Then all of it is
    taken out.
    """
    size = 1
    for i in range(1, S.tours[r].length - 1):
        node = S.nodes[r, i]
        if node < P.visits:
            if S.visits[node].marked:
                S.visits[node].row = ABSENT
                continue
        elif size == 1 or S.nodes[r, size - 1] >= P.visits:
            continue
        S.nodes[r, size] = node
        size += 1
    S.nodes[r, size] = S.nodes[r, S.tours[r].length - 1]
    S.tours[r].length = size + 1
    if label(P, S, r):
        unload_anew(P, S, r)
        return picked
    for i in range(1, size):
        if S.nodes[r, i] < P.visits:
            S.visits[S.nodes[r, i]].row = ABSENT
            picked = _take(S, S.nodes[r, i], picked)
    S.nodes[r, 1] = S.nodes[r, size]
    S.tours[r].length = 2
    label(P, S, r)
    return picked


@called
def unload_anew(P: Arrays, S: State, r: int) -> None:
    """Place a tour's unloadings as cheaply as possible, if that is cheaper and in time."""
    if S.tours[r].trips <= 1 and P.facilities == 1:
        return  # there is one way only
    kind = P.kind[S.tours[r].truck]
    stops = 0
    for i in range(1, S.tours[r].length - 1):
        if S.nodes[r, i] < P.visits:
            S.stops[stops] = S.nodes[r, i]
            stops += 1
    if stops == 0:
        return
    cost, size = place(P, S, kind, stops)
    if cost >= IMPOSSIBLE or cost + P.kinds[kind].fixed_eur >= S.tours[r].busy_eur - 1e-6:
        return
    if ends(P, S, kind, size) < NEVER_S:
        adopt(P, S, r, size)
