"""Everything that is known about a tour: labels, loads and cost."""

# ruff: noqa: N803
# Fields of records have no type.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.solve.sisr.arrays import NEVER_S
from optimizer.solve.sisr.compiled import called, compiled, inlined
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
    if not label(P, S, r):
        return False
    price(P, S, r)
    return True


@compiled
def label(P: Arrays, S: State, r: int) -> bool:
    """Recompute all but what waiting and breaks cost; return whether every rule is kept."""
    kind, last = P.kind[S.tours[r].truck], S.tours[r].length - 1
    if last == 1:
        return _empty(P, S, r, kind)
    S.tours[r].begin_s = leave(P, kind, S.nodes[r, 1])
    if not _carry(P, S, r, kind) or not _forward(P, S, r, kind, 1, last + 1):
        S.tours[r].eur = S.tours[r].busy_eur = NEVER_S
        return False
    _backward(P, S, r, kind, last, 0)
    return True


@called
def price(P: Arrays, S: State, r: int) -> None:
    """Set what a tour costs, waiting and breaks included, from what else is known about it."""
    kind = P.kind[S.tours[r].truck]
    S.tours[r].eur = S.tours[r].busy_eur
    if S.tours[r].length == 2 or S.tours[r].busy_eur >= NEVER_S:
        return
    if P.kinds[kind].eur_per_s > 0 or P.kinds[kind].overtime_eur_per_s > 0:
        S.tours[r].eur += _idle_eur(P, S, r, kind)


@compiled
def extend(P: Arrays, S: State, r: int, at: int) -> bool:
    """Do what `label` does for a tour that has grown by the visit at a position only.

    What lies before it keeps its earliest, what lies behind it its latest times, until a wait has
    taken up the change.
    """
    kind = P.kind[S.tours[r].truck]
    if at == 1 and leave(P, kind, S.nodes[r, 1]) != S.tours[r].begin_s:
        return label(P, S, r)
    _shift(P, S, r, at)
    _join(P, S, r, kind, at)
    if not _forward(P, S, r, kind, at, at + 1):
        return label(P, S, r)
    _backward(P, S, r, kind, at, at)
    return True


@called
def _shift(P: Arrays, S: State, r: int, at: int) -> None:
    """Move what is known about all positions behind one that is new."""
    rules = S.early.shape[2]
    for i in range(S.tours[r].length - 1, at, -1):
        node = S.nodes[r, i]
        if node < P.visits:
            S.visits[node].position = i
        S.trip[r, i], S.leg_s[r, i] = S.trip[r, i - 1], S.leg_s[r, i - 1]
        for taken in range(rules):
            S.early[r, i, taken] = S.early[r, i - 1, taken]
            S.late[r, i, taken] = S.late[r, i - 1, taken]


@called
def _join(P: Arrays, S: State, r: int, kind: int, at: int) -> None:
    """Add a visit to the loads, costs and gaps of its tour."""
    one, visit, following = S.nodes[r, at - 1], S.nodes[r, at], S.nodes[r, at + 1]
    tariff = P.kinds[kind].tariff
    there_s, leg_s = P.seconds[one, visit], P.seconds[visit, following]
    there_eur, leg_eur = P.euro[tariff, one, visit], P.euro[tariff, visit, following]
    S.leg_s[r, at - 1], S.leg_s[r, at] = there_s, leg_s
    trip = S.trip[r, at - 1]
    S.trip[r, at] = trip
    for limit in range(P.capacity.shape[1]):
        S.load[r, trip, limit] += P.need[kind, visit, limit]
    for limit in range(3):
        S.amount[r, limit] += P.amount[visit, limit]
    S.visits[visit].row, S.visits[visit].position = r, at
    S.visits[visit].before, S.visits[visit].before_eur = one, there_eur
    S.visits[visit].after, S.visits[visit].after_eur = following, leg_eur
    if one < P.visits:
        S.visits[one].after, S.visits[one].after_eur = visit, there_eur
    if following < P.visits:
        S.visits[following].before, S.visits[following].before_eur = visit, leg_eur
    tour = S.tours[r]
    tour.driving_s += there_s + leg_s - P.seconds[one, following]
    tour.served_s += P.service_s[visit]
    tour.busy_eur += (
        there_eur
        + leg_eur
        - P.euro[tariff, one, following]
        + P.service_s[visit] * P.kinds[kind].eur_per_s
    )
    kept = 0
    for number in range(tour.edges):
        position = S.edges[r, number].position
        if position != at - 1:
            moved = position + 1 if position >= at else position
            _edge(S, r, kept, moved, S.edges[r, number].eur)
            kept += 1
    if one >= P.visits:
        _edge(S, r, kept, at - 1, there_eur)
        kept += 1
    if P.visits <= following < P.visits + P.facilities:
        _edge(S, r, kept, at, leg_eur)
        kept += 1
    tour.edges = kept


@called
def _idle_eur(P: Arrays, S: State, r: int, kind: int) -> float:
    """Return what waiting and breaks cost, and the hours beyond those paid as usual."""
    busy_s = S.tours[r].driving_s + S.tours[r].served_s
    length_s = S.tours[r].end_s - S.tours[r].begin_s
    if length_s > busy_s:
        length_s -= _slack(P, S, r, kind)
    over_s = max(0, length_s - P.kinds[kind].overtime_after_s)
    return (length_s - busy_s) * P.kinds[kind].eur_per_s + over_s * P.kinds[kind].overtime_eur_per_s


@called
def _empty(P: Arrays, S: State, r: int, kind: int) -> bool:
    S.tours[r].trips = S.tours[r].edges = S.trip[r, 0] = S.trip[r, 1] = 0
    S.tours[r].driving_s = S.tours[r].served_s = 0
    S.tours[r].begin_s = S.tours[r].end_s = P.kinds[kind].shift_from
    S.tours[r].eur = S.tours[r].busy_eur = 0.0
    for limit in range(3):
        S.amount[r, limit] = 0.0
    return True


@called
def _carry(P: Arrays, S: State, r: int, kind: int) -> bool:
    """Set trips, loads, amounts of the day, costs; return whether all are within limits."""
    tariff, last, limits = P.kinds[kind].tariff, S.tours[r].length - 1, P.capacity.shape[1]
    trip, edges, driving_s, served_s = 0, 0, 0, 0
    euro, fits = P.kinds[kind].fixed_eur, True
    stops, kg, litres = 0.0, 0.0, 0.0
    for limit in range(limits):
        S.load[r, 0, limit] = 0.0
    S.trip[r, 0] = 0
    one = S.nodes[r, 0]
    for i in range(1, last + 1):
        node = S.nodes[r, i]
        leg_s, leg_eur = P.seconds[one, node], P.euro[tariff, one, node]
        S.leg_s[r, i - 1] = leg_s
        driving_s += leg_s
        euro += leg_eur
        served_s += P.service_s[node]
        if one < P.visits:
            S.visits[one].after, S.visits[one].after_eur = node, leg_eur
        if one >= P.visits or P.visits <= node < P.visits + P.facilities:
            _edge(S, r, edges, i - 1, leg_eur)
            edges += 1
        if node < P.visits:
            S.visits[node].row, S.visits[node].position = r, i
            S.visits[node].before, S.visits[node].before_eur = one, leg_eur
            stops += P.amount[node, 0]
            kg += P.amount[node, 1]
            litres += P.amount[node, 2]
            for limit in range(limits):
                load = S.load[r, trip, limit] + P.need[kind, node, limit]
                S.load[r, trip, limit] = load
                fits = fits and load <= P.capacity[kind, limit]
        elif i < last:
            trip += 1
            for limit in range(limits):
                S.load[r, trip, limit] = 0.0
        S.trip[r, i] = trip
        one = node
    tour = S.tours[r]
    tour.trips, tour.driving_s, tour.served_s, tour.edges = trip, driving_s, served_s, edges
    tour.busy_eur = euro + served_s * P.kinds[kind].eur_per_s
    S.amount[r, 0], S.amount[r, 1], S.amount[r, 2] = stops, kg, litres
    return (
        fits
        and stops <= P.day_limit[kind, 0]
        and kg <= P.day_limit[kind, 1]
        and litres <= P.day_limit[kind, 2]
        and driving_s <= P.kinds[kind].driving_limit
    )


@inlined
def _edge(S: State, r: int, number: int, position: int, leg_eur: float) -> None:
    """Note a gap next to the start or to an unloading."""
    edge = S.edges[r, number]
    edge.position, edge.eur = position, leg_eur
    edge.before, edge.after = S.nodes[r, position], S.nodes[r, position + 1]


@called
def _forward(P: Arrays, S: State, r: int, kind: int, first: int, known: int) -> bool:
    """Set the earliest times; return whether the tour can be driven in time.

    It begins with position `first`. From `known` on the times are those of before: where one is
    right yet, so are all behind it.
    """
    last, rules, start_s = S.tours[r].length - 1, P.breaks.number[kind], S.tours[r].begin_s
    S.early[r, 0, 0] = start_s
    for taken in range(1, rules + 1):
        S.early[r, 0, taken] = NEVER_S
    one = S.nodes[r, first - 1]
    for i in range(first, last + 1):
        node = S.nodes[r, i]
        on_s, travel_s = P.service_s[one], S.leg_s[r, i - 1]
        alive, same = False, i >= known
        for taken in range(rules + 1):
            ready_s = reach(P.breaks, kind, S.early, r, i - 1, on_s, travel_s, taken)
            start = begin(P.windows, node, ready_s)
            same = same and start == S.early[r, i, taken]
            S.early[r, i, taken] = start
            alive = alive or start < NEVER_S
        if not alive:
            return False
        if same:
            return True
        one = node
    best = NEVER_S
    for taken in range(rules + 1):
        end_s = S.early[r, last, taken]
        if end_s <= latest_end(P.breaks, kind, start_s, taken, P.kinds[kind].shift_to):
            best = min(best, end_s)
    S.tours[r].end_s = best
    return best < NEVER_S


@called
def _backward(P: Arrays, S: State, r: int, kind: int, first: int, known: int) -> None:
    """Set the latest times of a tour; as `_forward`, from the other end.

    It begins with position `first`; before `known` the times are those of before.
    """
    last, rules = S.tours[r].length - 1, P.breaks.number[kind]
    if first == last:
        for taken in range(rules + 1):
            S.late[r, last, taken] = latest_end(
                P.breaks, kind, S.tours[r].begin_s, taken, P.kinds[kind].shift_to
            )
    for i in range(min(first, last - 1), 0, -1):
        node = S.nodes[r, i]
        travel_s, same = S.leg_s[r, i], i < known
        for taken in range(rules + 1):
            leave_s = latest_departure(P.breaks, kind, S.late, r, i + 1, travel_s, taken)
            latest = latest_ready(P.windows, node, leave_s - P.service_s[node])
            same = same and latest == S.late[r, i, taken]
            S.late[r, i, taken] = latest
        if same:
            return


@called
def _slack(P: Arrays, S: State, r: int, kind: int) -> int:
    """Return by how much the tour can start later and still end at the same time."""
    last, rules, W, now = S.tours[r].length - 1, P.breaks.number[kind], S.work, 0  # noqa: N806
    for taken in range(rules + 1):
        W[0, 0, taken] = latest_end(P.breaks, kind, S.tours[r].begin_s, taken, S.tours[r].end_s)
    for i in range(last - 1, 0, -1):
        node = S.nodes[r, i]
        travel_s = S.leg_s[r, i]
        for taken in range(rules + 1):
            leave_s = latest_departure(P.breaks, kind, W, 0, now, travel_s, taken)
            W[0, 1 - now, taken] = latest_ready(P.windows, node, leave_s - P.service_s[node])
        now = 1 - now
    leave_s = latest_departure(P.breaks, kind, W, 0, now, S.leg_s[r, 0], 0)
    return max(0, leave_s - S.tours[r].begin_s)


@compiled
def ends(P: Arrays, S: State, kind: int, size: int) -> int:
    """Return when the tour along `S.draft[:size]` ends; NEVER_S when it breaks a rule of time."""
    rules, W, now, driving_s = P.breaks.number[kind], S.work, 0, 0  # noqa: N806
    start_s = leave(P, kind, S.draft[1])
    W[0, 0, 0] = start_s
    for taken in range(1, rules + 1):
        W[0, 0, taken] = NEVER_S
    one = S.draft[0]
    for i in range(1, size):
        node = S.draft[i]
        on_s, travel_s = P.service_s[one], P.seconds[one, node]
        driving_s += travel_s
        alive = False
        for taken in range(rules + 1):
            ready_s = reach(P.breaks, kind, W, 0, now, on_s, travel_s, taken)
            start = begin(P.windows, node, ready_s)
            W[0, 1 - now, taken] = start
            alive = alive or start < NEVER_S
        if not alive:
            return NEVER_S
        now, one = 1 - now, node
    if driving_s > P.kinds[kind].driving_limit:
        return NEVER_S
    best = NEVER_S
    for taken in range(rules + 1):
        end_s = W[0, now, taken]
        if end_s <= latest_end(P.breaks, kind, start_s, taken, P.kinds[kind].shift_to):
            best = min(best, end_s)
    return best
