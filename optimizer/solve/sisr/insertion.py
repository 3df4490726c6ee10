"""The cheapest place for a visit.

Only gaps next to near visits, next to unloadings and at the start are looked at, and one in a
hundred is overlooked (the paper's "greedy insertion with blinks"). A gap is tested in constant
time: amounts of the day and of the trip, and whether the earliest arrival behind the visit is not
after the latest one that the rest of the tour allows. Where only the trip's load stands in the
way, the cheapest such gaps of three tours are tried with all unloadings of the day placed anew.
"""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import ALWAYS_S, NEVER_S
from optimizer.solve.sisr.chance import chance
from optimizer.solve.sisr.compiled import called, inlined
from optimizer.solve.sisr.labels import begin, from_start, leave, reach
from optimizer.solve.sisr.state import CHANGED, STAMP
from optimizer.solve.sisr.tour import ends, extend
from optimizer.solve.sisr.unloading import IMPOSSIBLE, adopt, place

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State

BLINK = 0.01
ASKED = 40  # near visits whose gaps are looked at
BLOCKED = 3  # tours whose unloadings are placed anew


@called
def insert(P: Arrays, S: State, visit: int) -> bool:
    """Insert a visit where it adds least, if that is less than leaving it out costs."""
    best, row, gap = _cheapest_gap(P, S, visit, P.price[visit])
    best, row, gap = _replaced(P, S, visit, best, row, gap)
    best, row, facility = _opening(P, S, visit, best, row, gap)
    if row < 0:
        return False
    keep(S, row)
    if facility >= 0:
        kind = P.kind[S.tours[row].truck]
        _alone(P, S, kind, visit, facility)
        adopt(P, S, row, 4)
    elif gap >= 0:
        for i in range(S.tours[row].length, gap + 1, -1):
            S.nodes[row, i] = S.nodes[row, i - 1]
        S.nodes[row, gap + 1] = visit
        S.tours[row].length += 1
        extend(P, S, row, gap + 1)
    else:
        stops = _with(P, S, row, -1 - gap, visit)
        _, size = place(P, S, P.kind[S.tours[row].truck], stops)
        adopt(P, S, row, size)
    return True


@called
def begin_tour(P: Arrays, S: State, visit: int) -> bool:
    """Begin a tour with a visit, whatever that costs; return whether a truck may."""
    _ask(P, S, visit)
    _, row, facility = _opening(P, S, visit, IMPOSSIBLE, -1, -1)
    if row < 0:
        return False
    keep(S, row)
    _alone(P, S, P.kind[S.tours[row].truck], visit, facility)
    adopt(P, S, row, 4)
    return True


@called
def keep(S: State, row: int) -> None:
    """Remember a tour as it was before this step."""
    if S.tours[row].kept_row:
        return
    S.tours[row].kept_row = True
    S.changed[S.counts[CHANGED]] = row
    S.counts[CHANGED] += 1
    S.tours[row].kept_length, S.tours[row].kept_eur = S.tours[row].length, S.tours[row].eur
    for i in range(S.tours[row].length):
        S.kept[row, i] = S.nodes[row, i]


@inlined
def may_take(P: Arrays, S: State, row: int, visit: int) -> bool:
    """Whether a row's truck may serve a visit on this day, wherever on its tour."""
    truck = S.tours[row].truck
    if not P.allowed[visit, truck]:
        return False
    kind = P.kind[truck]
    for limit in range(3):
        if S.amount[row, limit] + P.amount[visit, limit] > P.day_limit[kind, limit]:
            return False
    return True


@inlined
def carries(P: Arrays, S: State, row: int, gap: int, visit: int) -> bool:
    """Whether the trip at a gap has room for a visit; behind the last unloading nothing has."""
    trip = S.trip[row, gap]
    if trip >= S.tours[row].trips:
        return False
    kind = P.kind[S.tours[row].truck]
    for limit in range(P.capacity.shape[1]):
        if S.load[row, trip, limit] + P.need[kind, visit, limit] > P.capacity[kind, limit]:
            return False
    return True


@inlined
def in_time(P: Arrays, S: State, row: int, gap: int, visit: int) -> bool:
    """Whether a visit inserted behind position `gap` leaves the tour in time."""
    kind = P.kind[S.tours[row].truck]
    one, following = S.nodes[row, gap], S.nodes[row, gap + 1]
    there_s, leg_s = P.seconds[one, visit], P.seconds[visit, following]
    direct_s = P.seconds[one, following]
    if there_s >= ALWAYS_S or leg_s >= ALWAYS_S:
        return False
    if S.tours[row].driving_s + there_s + leg_s - direct_s > P.kinds[kind].driving_limit:
        return False
    rules, W = P.breaks.number[kind], S.work  # noqa: N806
    on_s = P.service_s[visit]
    start_s = 0
    if gap == 0:
        start_s = leave(P, kind, visit)
        if start_s < S.tours[row].begin_s and rules > 0:
            return _in_time_from_start(P, S, row, kind, visit)
    for taken in range(rules + 1):
        if gap:
            ready_s = reach(P.breaks, kind, S.early, row, gap, P.service_s[one], there_s, taken)
        else:
            ready_s = from_start(P.breaks, kind, start_s, there_s, taken)
        W[0, 0, taken] = begin(P.windows, visit, ready_s)
    for taken in range(rules + 1):
        arrival_s = reach(P.breaks, kind, W, 0, 0, on_s, leg_s, taken)
        if arrival_s < NEVER_S and arrival_s <= S.late[row, gap + 1, taken]:
            return True
    return False


@called
def _in_time_from_start(P: Arrays, S: State, row: int, kind: int, visit: int) -> bool:
    """Try the whole tour: an earlier start may make a break due that was not."""
    S.draft[0], S.draft[1] = S.nodes[row, 0], visit
    for i in range(1, S.tours[row].length):
        S.draft[i + 1] = S.nodes[row, i]
    return ends(P, S, kind, S.tours[row].length + 1) < NEVER_S


@called
def _cheapest_gap(P: Arrays, S: State, visit: int, worth: float) -> tuple[float, int, int]:
    """Return what the cheapest gap adds, its row, and the position before it.

    Gaps that only a trip's load blocks are noted in `S.blocked`.
    """
    for slot in range(BLOCKED):
        S.blocked_eur[slot], S.blocked[slot, 0] = worth, -1
    _ask(P, S, visit)
    best, row, gap = worth, -1, -1
    for number in range(min(ASKED, P.near.shape[1])):
        near = P.near[visit, number]
        at = S.visits[near]
        r = at.row
        if r < 0 or not S.offers[r].takes:
            continue
        added = _added(P, S, visit, r, at.before, near, at.before_eur)
        if added < best and _possible(P, S, visit, r, at.position - 1, added):
            best, row, gap = added, r, at.position - 1
        added = _added(P, S, visit, r, near, at.after, at.after_eur)
        if added < best and _possible(P, S, visit, r, at.position, added):
            best, row, gap = added, r, at.position
    for r in range(len(S.tours)):
        if not S.offers[r].takes:
            continue
        for number in range(S.tours[r].edges):
            at = S.edges[r, number]
            added = _added(P, S, visit, r, at.before, at.after, at.eur)
            if added < best and _possible(P, S, visit, r, at.position, added):
                best, row, gap = added, r, at.position
    return best, row, gap


@called
def _ask(P: Arrays, S: State, visit: int) -> None:
    """Write to `S.offers` what each tour offers a visit."""
    for r in range(len(S.tours)):
        kind = P.kind[S.tours[r].truck]
        S.offers[r].takes = may_take(P, S, r, visit)
        S.offers[r].tariff = P.kinds[kind].tariff
        S.offers[r].service_eur = P.service_s[visit] * P.kinds[kind].eur_per_s


@inlined
def _added(
    P: Arrays, S: State, visit: int, r: int, before: int, after: int, leg_eur: float
) -> float:
    """Return what a visit between two nodes of a tour adds to it."""
    tariff = S.offers[r].tariff
    there_eur = S.offers[r].service_eur + P.euro_to[tariff, visit, before]
    return there_eur + P.euro[tariff, visit, after] - leg_eur


@inlined
def _possible(P: Arrays, S: State, visit: int, r: int, gap: int, added: float) -> bool:
    """Whether a gap is not overlooked and a visit fits into it."""
    if chance(S.random) < BLINK:
        return False
    if not carries(P, S, r, gap, visit):
        _note(S, r, gap, added)
        return False
    return in_time(P, S, r, gap, visit)


@inlined
def _note(S: State, r: int, gap: int, added: float) -> None:
    """Remember a gap blocked by load among the cheapest, one per tour."""
    worst = 0
    for slot in range(BLOCKED):
        if S.blocked[slot, 0] == r:
            if added < S.blocked_eur[slot]:
                S.blocked_eur[slot], S.blocked[slot, 1] = added, gap
            return
        if S.blocked_eur[slot] > S.blocked_eur[worst]:
            worst = slot
    if added < S.blocked_eur[worst]:
        S.blocked_eur[worst], S.blocked[worst, 0], S.blocked[worst, 1] = added, r, gap


@called
def _replaced(
    P: Arrays, S: State, visit: int, best: float, row: int, gap: int
) -> tuple[float, int, int]:
    """Try the blocked gaps with all unloadings placed anew; such a gap g is returned as -1 - g."""
    for slot in range(BLOCKED):
        r = S.blocked[slot, 0]
        if r < 0 or S.blocked_eur[slot] >= best:
            continue
        kind = P.kind[S.tours[r].truck]
        cost, size = place(P, S, kind, _with(P, S, r, S.blocked[slot, 1], visit))
        added = cost + P.kinds[kind].fixed_eur - S.tours[r].busy_eur
        if cost < IMPOSSIBLE and added < best and ends(P, S, kind, size) < NEVER_S:
            best, row, gap = added, r, -1 - S.blocked[slot, 1]
    return best, row, gap


@called
def _with(P: Arrays, S: State, r: int, gap: int, visit: int) -> int:
    """Write the visits of a tour to `S.stops`, with one more behind a position."""
    stops = 0
    for i in range(S.tours[r].length - 1):
        node = S.nodes[r, i]
        if node < P.visits:
            S.stops[stops] = node
            stops += 1
        if i == gap:
            S.stops[stops] = visit
            stops += 1
    return stops


@called
def _opening(
    P: Arrays, S: State, visit: int, best: float, row: int, gap: int
) -> tuple[float, int, int]:
    """Try a truck not in use, one of each kind, and whichever facility is open.

    Returns:
        The cheapest of both, and the facility; -1 when no truck is to be opened.
    """
    S.counts[STAMP] += 1
    facility = -1
    for r in range(len(S.tours)):
        if S.tours[r].length > 2:
            continue
        kind = P.kind[S.tours[r].truck]
        if S.seen[kind] == S.counts[STAMP] or not S.offers[r].takes:
            continue
        S.seen[kind] = S.counts[STAMP]
        tariff = P.kinds[kind].tariff
        to_eur = P.euro[tariff, P.kinds[kind].start, visit] + P.kinds[kind].fixed_eur
        for node in range(P.visits, P.visits + P.facilities):
            added = (
                to_eur
                + P.euro[tariff, visit, node]
                + P.euro[tariff, node, P.kinds[kind].end]
                + (P.service_s[visit] + P.service_s[node]) * P.kinds[kind].eur_per_s
            )
            if added < best:
                _alone(P, S, kind, visit, node)
                if ends(P, S, kind, 4) < NEVER_S:
                    best, row, facility = added, r, node
    return best, row, facility


@inlined
def _alone(P: Arrays, S: State, kind: int, visit: int, facility: int) -> None:
    S.draft[0], S.draft[1] = P.kinds[kind].start, visit
    S.draft[2], S.draft[3] = facility, P.kinds[kind].end
