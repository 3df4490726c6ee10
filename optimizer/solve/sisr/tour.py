"""Everything that is known about a tour: labels, loads and cost."""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import NEVER_S
from optimizer.solve.sisr.compiled import compiled, inlined
from optimizer.solve.sisr.labels import (
    begin,
    latest_departure,
    latest_end,
    latest_ready,
    leave,
    reach,
)

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.state import State


@compiled
def refresh(P: Arrays, S: State, r: int) -> bool:
    """Recompute all that is known about a tour; return whether it keeps every rule."""
    kind = P.kind[S.tours[r].truck]
    if S.tours[r].length == 2:
        return _empty(P, S, r, kind)
    fits = _carry(P, S, r, kind)
    in_time = _forward(P, S, r, kind)
    if not (fits and in_time):
        S.tours[r].eur = S.tours[r].busy_eur = NEVER_S
        return False
    _backward(P, S, r, kind, P.kinds[kind].shift_to)
    idle_s = S.tours[r].end_s - S.tours[r].begin_s - S.tours[r].driving_s - _served(P, S, r)
    if idle_s > 0 and P.kinds[kind].eur_per_s > 0:
        idle_s -= _slack(P, S, r, kind)
    S.tours[r].eur = S.tours[r].busy_eur + idle_s * P.kinds[kind].eur_per_s
    return True


@inlined
def _empty(P: Arrays, S: State, r: int, kind: int) -> bool:
    S.tours[r].trips = S.trip[r, 0] = S.trip[r, 1] = 0
    S.tours[r].driving_s = 0
    S.tours[r].begin_s = S.tours[r].end_s = P.kinds[kind].shift_from
    S.tours[r].eur = S.tours[r].busy_eur = 0.0
    S.amount[r, :] = 0.0
    return True


@inlined
def _served(P: Arrays, S: State, r: int) -> int:
    served_s = 0
    for i in range(1, S.tours[r].length - 1):
        served_s += P.service_s[S.nodes[r, i]]
    return served_s


@inlined
def _carry(P: Arrays, S: State, r: int, kind: int) -> bool:
    """Set trips, loads, amounts of the day, costs; return whether all are within limits."""
    tariff, last = P.kinds[kind].tariff, S.tours[r].length - 1
    S.amount[r, :] = 0.0
    S.load[r, 0, :] = 0.0
    trip, driving_s, service_s, euro, fits = 0, 0, 0, P.kinds[kind].fixed_eur, True
    S.trip[r, 0] = 0
    for i in range(1, last + 1):
        one, node = S.nodes[r, i - 1], S.nodes[r, i]
        driving_s += P.seconds[one, node]
        S.leg_eur[r, i - 1] = P.euro[tariff, one, node]
        euro += S.leg_eur[r, i - 1]
        service_s += P.service_s[node]
        if node < P.visits:
            S.visits[node].row, S.visits[node].position = r, i
            S.amount[r, :] += P.amount[node]
            for limit in range(P.capacity.shape[1]):
                S.load[r, trip, limit] += P.need[kind, node, limit]
                fits = fits and S.load[r, trip, limit] <= P.capacity[kind, limit]
        elif i < last:
            S.unload[r, trip] = i
            trip += 1
            S.load[r, trip, :] = 0.0
        S.trip[r, i] = trip
    S.tours[r].trips = trip
    S.tours[r].driving_s = driving_s
    S.tours[r].busy_eur = euro + service_s * P.kinds[kind].eur_per_s
    for limit in range(3):
        fits = fits and S.amount[r, limit] <= P.day_limit[kind, limit]
    return fits and driving_s <= P.kinds[kind].driving_limit


@inlined
def _forward(P: Arrays, S: State, r: int, kind: int) -> bool:
    """Set the earliest times; return whether the tour can be driven in time."""
    last = S.tours[r].length - 1
    start_s = leave(P, kind, S.nodes[r, 1])
    S.tours[r].begin_s = start_s
    S.early[r, 0, :] = NEVER_S
    S.early[r, 0, 0] = start_s
    for i in range(1, last + 1):
        one, node = S.nodes[r, i - 1], S.nodes[r, i]
        reach(
            P.breaks, kind, S.early[r, i - 1], P.service_s[one], P.seconds[one, node], S.early[r, i]
        )
        alive = False
        for taken in range(P.breaks.number[kind] + 1):
            S.early[r, i, taken] = begin(P.windows, node, S.early[r, i, taken])
            alive = alive or S.early[r, i, taken] < NEVER_S
        if not alive:
            return False
    S.tours[r].end_s = NEVER_S
    for taken in range(P.breaks.number[kind] + 1):
        end_s = S.early[r, last, taken]
        if end_s <= latest_end(P.breaks, kind, start_s, taken, P.kinds[kind].shift_to):
            S.tours[r].end_s = min(S.tours[r].end_s, end_s)
    return S.tours[r].end_s < NEVER_S


@inlined
def _backward(P: Arrays, S: State, r: int, kind: int, end_s: int) -> None:
    """Set the latest times of a tour that has to end by some time."""
    last = S.tours[r].length - 1
    for taken in range(P.breaks.number[kind] + 1):
        S.late[r, last, taken] = latest_end(P.breaks, kind, S.tours[r].begin_s, taken, end_s)
    for i in range(last - 1, 0, -1):
        node = S.nodes[r, i]
        travel_s = P.seconds[node, S.nodes[r, i + 1]]
        for taken in range(P.breaks.number[kind] + 1):
            leave_s = latest_departure(P.breaks, kind, S.late[r, i + 1], travel_s, taken)
            S.late[r, i, taken] = latest_ready(P.windows, node, leave_s - P.service_s[node])


@inlined
def _slack(P: Arrays, S: State, r: int, kind: int) -> int:
    """Return by how much the tour can start later and still end at the same time."""
    late, earlier = S.label, S.other
    last = S.tours[r].length - 1
    for taken in range(P.breaks.number[kind] + 1):
        late[taken] = latest_end(P.breaks, kind, S.tours[r].begin_s, taken, S.tours[r].end_s)
    for i in range(last - 1, 0, -1):
        node = S.nodes[r, i]
        travel_s = P.seconds[node, S.nodes[r, i + 1]]
        for taken in range(P.breaks.number[kind] + 1):
            leave_s = latest_departure(P.breaks, kind, late, travel_s, taken)
            earlier[taken] = latest_ready(P.windows, node, leave_s - P.service_s[node])
        late, earlier = earlier, late
    travel_s = P.seconds[S.nodes[r, 0], S.nodes[r, 1]]
    return max(0, latest_departure(P.breaks, kind, late, travel_s, 0) - S.tours[r].begin_s)


@compiled
def ends(P: Arrays, S: State, kind: int, size: int) -> int:
    """Return when the tour along `S.draft[:size]` ends; NEVER_S when it breaks a rule of time."""
    start_s = leave(P, kind, S.draft[1])
    now, following = S.label, S.other
    now[:] = NEVER_S
    now[0] = start_s
    driving_s = 0
    for i in range(1, size):
        one, node = S.draft[i - 1], S.draft[i]
        driving_s += P.seconds[one, node]
        reach(P.breaks, kind, now, P.service_s[one], P.seconds[one, node], following)
        alive = False
        for taken in range(P.breaks.number[kind] + 1):
            following[taken] = begin(P.windows, node, following[taken])
            alive = alive or following[taken] < NEVER_S
        if not alive:
            return NEVER_S
        now, following = following, now
    if driving_s > P.kinds[kind].driving_limit:
        return NEVER_S
    best = NEVER_S
    for taken in range(P.breaks.number[kind] + 1):
        if now[taken] <= latest_end(P.breaks, kind, start_s, taken, P.kinds[kind].shift_to):
            best = min(best, now[taken])
    return best
