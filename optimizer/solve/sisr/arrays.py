"""The problem as arrays: what compiled code reads.

Nodes are numbered: visits (merged ones once), then facilities, then the places where tours start
and end. Trucks that are equal but for their name are of one kind; kinds whose ways cost the same
share a tariff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optimizer.solve.facts import FAR_EUR, FAR_S
from optimizer.solve.sisr.merging import merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from optimizer.model import Truck
    from optimizer.solve.facts import Facts, Kind

    Ints = NDArray[np.int64]
    Labels = NDArray[np.int64]  # (rows, positions, breaks + 1)
    Floats = NDArray[np.float64]

NEVER_S = 1 << 40  # later than every time; sums of it do not overflow
ALWAYS_S = FAR_S // 2  # closing time of what never closes; where there is no road is beyond it
# What a mandatory visit left out costs: beyond any day's cost; as `FULL_EUR` in the plain search.
MANDATORY_EUR = 1e7
NO_LIMIT = 1e15
NEAR = 100  # neighbours known of each visit
NARROW = 0.25  # window, as a share of the longest shift
LATE = 0.3  # weight in nearness of coming too late, against the same time of driving


class Windows(NamedTuple):
    """When service may start.

    Attributes:
        opens: (n, windows) starts of spans in order; `closes` their ends.
        spans: (n,) number of spans.
    """

    opens: Ints
    closes: Ints
    spans: Ints


class Breaks(NamedTuple):
    """The breaks of each kind of truck.

    Attributes:
        number: (kinds,) of breaks.
        chain_s: (kinds, b, b) duration of m breaks in a row from break t on, at [t, m]; likewise
            `chain_ready`, the earliest time after them, and `chain_latest`, by when the first has
            to be under way.
        due_clock: (kinds, b) a break is owed by tours that end later than this; `due_after`: and
            last longer than this.
    """

    number: Ints
    chain_s: Ints
    chain_ready: Ints
    chain_latest: Ints
    due_clock: Ints
    due_after: Ints


KIND = np.dtype(
    [
        ("start", np.int64),  # nodes
        ("end", np.int64),
        ("shift_from", np.int64),
        ("shift_to", np.int64),
        ("driving_limit", np.int64),
        ("tariff", np.int64),
        ("fixed_eur", np.float64),
        ("eur_per_s", np.float64),
        ("overtime_after_s", np.int64),
        ("overtime_eur_per_s", np.float64),
    ]
)


class Arrays(NamedTuple):
    """A problem for compiled code.

    Attributes:
        visits: number of visits; likewise `facilities`.
        seconds: (n, n) travel time from row to column.
        euro: (tariffs, n, n) cost of the same way; `euro_to` is its transpose.
        via: (tariffs, n, n) the facility on the cheapest way between two nodes, as a node.
        service_s: (n,) time at a node.
        windows: when service may start at a node.
        breaks: of each kind.
        need: (kinds, visits, limits) what a visit takes of each limit of a trip.
        capacity: (kinds, limits) these limits.
        amount: (visits, 3) stops, kg and litres that count against a day's limits.
        day_limit: (kinds, 3) these limits.
        price: (visits,) euro that leaving a visit out costs.
        allowed: (visits, trucks) whether a truck may serve a visit.
        near: (visits, few) the nearest other visits in way and time, nearest first.
        mostly_narrow: whether most visits have narrow windows, see `NARROW`.
        kind: (trucks,) the kind of each truck.
        kinds: (kinds,) of dtype KIND.
    """

    visits: int
    facilities: int
    seconds: NDArray[np.int32]
    euro: NDArray[np.float32]
    euro_to: NDArray[np.float32]
    via: NDArray[np.int32]
    service_s: Ints
    windows: Windows
    breaks: Breaks
    need: Floats
    capacity: Floats
    amount: Floats
    day_limit: Floats
    price: Floats
    allowed: NDArray[np.bool_]
    near: NDArray[np.int32]
    mostly_narrow: bool
    kind: Ints
    kinds: NDArray[np.void]


def has_clock(P: Arrays) -> bool:  # noqa: N803
    """Whether any visit has a window, or any truck owes a break."""
    return bool((P.windows.closes[: P.visits] < ALWAYS_S).any() or P.breaks.number.any())


def hours_s(P: Arrays, kinds: Sequence[int]) -> float:  # noqa: N803
    """Return how long trucks of some kinds may work together, without the breaks of full days."""
    shift_s = P.kinds["shift_to"][kinds] - P.kinds["shift_from"][kinds]
    break_s = P.breaks.chain_s[kinds, 0, P.breaks.number[kinds]]
    return float((shift_s - break_s).sum())


def arrays_of(
    facts: Facts, groups: Sequence[Sequence[int]] | None = None
) -> tuple[Arrays, list[Sequence[int]]]:
    """Return the arrays, and the problem's nodes behind each of their nodes but the last.

    Args:
        facts: the problem.
        groups: visits that are one to the search, where it is known already.
    """
    problem = facts.problem
    groups = merged(facts) if groups is None else groups
    stations = facts.take_all_of(range(facts.visits))
    kinds = list(dict.fromkeys(facts.kinds))
    ends = sorted({place for kind in kinds for place in (kind.truck.start, kind.truck.end)})
    places = np.array(
        [facts.location[group[0]] for group in groups]
        + [facts.location[node] for node in stations]
        + ends
    )
    terminal = {place: len(groups) + len(stations) + i for i, place in enumerate(ends)}
    square = np.ix_(places, places)
    seconds = np.ascontiguousarray(facts.seconds[square], np.int32)
    tariffs = list(dict.fromkeys((k.truck.eur_per_km, k.truck.eur_per_h) for k in kinds))
    first_with = [
        next(k for k in kinds if (k.truck.eur_per_km, k.truck.eur_per_h) == t) for t in tariffs
    ]
    euro = np.stack([kind.cost[square] for kind in first_with]).astype(np.float32)
    trucks = problem.trucks
    service = [sum(facts.service_s[v] for v in group) for group in groups]
    service += [facts.service_s[node] for node in stations] + [0] * len(ends)
    windows = _windows(facts, groups, stations, len(places))
    need, capacity = _limits(kinds, groups)
    arrays = Arrays(
        visits=len(groups),
        facilities=len(stations),
        seconds=seconds,
        euro=euro,
        euro_to=np.ascontiguousarray(euro.transpose(0, 2, 1)),
        via=_via(euro, first_with, service, len(groups), len(stations)),
        service_s=np.array(service, np.int64),
        windows=windows,
        breaks=_breaks(kinds),
        need=need,
        capacity=capacity,
        amount=_amounts(facts, groups),
        day_limit=np.array([_day_limits(kind) for kind in kinds], np.float64),
        price=np.array([_price(facts, group) for group in groups], np.float64),
        allowed=np.array(
            [[all(facts.allowed(v, t) for v in group) for t in range(len(trucks))]
             for group in groups], bool,
        ).reshape(len(groups), len(trucks)),
        near=_near(euro[0], seconds, service, windows, len(groups)),
        mostly_narrow=_mostly_narrow(windows, len(groups), kinds),
        kind=np.array([kinds.index(kind) for kind in facts.kinds], np.int64),
        kinds=np.array(
            [
                (
                    terminal[kind.truck.start],
                    terminal[kind.truck.end],
                    kind.truck.shift.earliest_s,
                    kind.truck.shift.latest_s,
                    _driving_s(kind.truck),
                    tariffs.index((kind.truck.eur_per_km, kind.truck.eur_per_h)),
                    kind.truck.fixed_eur,
                    kind.eur_per_s,
                    NEVER_S if kind.truck.overtime_after_s is None else kind.truck.overtime_after_s,
                    kind.overtime_eur_per_s,
                )
                for kind in kinds
            ],
            np.dtype((np.record, KIND)),
        ),
    )  # fmt: skip
    return arrays, [*groups, *([node] for node in stations)]


def _driving_s(truck: Truck) -> int:
    """Return the driving of a day from which on a rule may be broken.

    Who drives no more in all than is allowed between two breaks keeps that rule wherever the
    breaks are. This is more than the rule asks; days that need more driving are left to others.
    """
    limits = (truck.max_driving_s, truck.max_driving_between_breaks_s)
    return min((limit for limit in limits if limit is not None), default=NEVER_S)


def _windows(
    facts: Facts, groups: Sequence[Sequence[int]], stations: Sequence[int], nodes: int
) -> Windows:
    """Return when service may start; a group's close before its last member's."""
    most = max([1, *(len(windows) for windows in facts.windows)])
    opens = np.zeros((nodes, most), np.int64)
    closes = np.full((nodes, most), ALWAYS_S, np.int64)
    spans = np.ones(nodes, np.int64)
    for node, group in enumerate([*groups, *([node] for node in stations)]):
        before_s = sum(facts.service_s[member] for member in group[:-1])
        for number, (begin, end) in enumerate(facts.windows[group[0]]):
            opens[node, number], closes[node, number] = begin, end - before_s
        spans[node] = max(1, len(facts.windows[group[0]]))
    return Windows(opens, closes, spans)


def _mostly_narrow(windows: Windows, visits: int, kinds: Sequence[Kind]) -> bool:
    """Return whether most visits have to be begun within a small part of the longest shift."""
    shifts = [kind.truck.shift.latest_s - kind.truck.shift.earliest_s for kind in kinds]
    longest_s = max(shifts, default=0)
    width_s = (windows.closes - windows.opens)[:visits]
    known = np.arange(width_s.shape[1]) < windows.spans[:visits, None]
    narrow = np.where(known, width_s, 0).sum(axis=1) < NARROW * longest_s
    return bool(2 * narrow.sum() > visits)


def _limits(kinds: Sequence[Kind], groups: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    most = max([1, *(len(kind.capacity) for kind in kinds)])
    need = np.zeros((len(kinds), len(groups), most))
    capacity = np.full((len(kinds), most), NO_LIMIT)
    for index, kind in enumerate(kinds):
        capacity[index, : len(kind.capacity)] = kind.capacity
        for node, group in enumerate(groups):
            need[index, node, : len(kind.capacity)] = kind.need[list(group)].sum(axis=0)
    return need, capacity


def _amounts(facts: Facts, groups: Sequence[Sequence[int]]) -> Floats:
    visits = facts.problem.visits
    return np.array(
        [
            (
                len(group),
                sum(sum(visits[v].kg) for v in group),
                sum(sum(visits[v].litres) for v in group),
            )
            for group in groups
        ],
        np.float64,
    ).reshape(len(groups), 3)


def _day_limits(kind: Kind) -> tuple[float, float, float]:
    truck = kind.truck
    limits = (truck.max_stops, truck.max_kg, truck.max_litres)
    stops, kg, litres = (NO_LIMIT if limit is None else limit + 5e-7 for limit in limits)
    return stops, kg, litres


def _price(facts: Facts, group: Sequence[int]) -> float:
    prizes = [facts.prize[visit] for visit in group]
    return sum(MANDATORY_EUR if prize is None else prize for prize in prizes)


def _near(
    euro: NDArray[np.float32],
    seconds: NDArray[np.int32],
    service: Sequence[int],
    windows: Windows,
    visits: int,
) -> NDArray[np.int32]:
    """Return each visit's nearest others, in way and in time; ties in the order of the visits.

    The proximity of T. Vidal, T. G. Crainic, M. Gendreau and C. Prins, "A hybrid genetic algorithm
    with adaptive diversity management for a large class of vehicle routing problems with
    time-windows", Computers & Operations Research 40 (2013), without its part for waiting: visits
    that are too late after each other in either order are farther apart.
    """
    way = euro[:visits, :visits]
    far = way + way.T
    if visits and windows.closes[:visits].min() < ALWAYS_S:
        apart = _apart(way, seconds[:visits, :visits], service, windows)
        far += 2 * np.minimum(apart, apart.T)
    np.fill_diagonal(far, 2 * FAR_EUR)
    few = max(0, min(NEAR, visits - 1))
    return np.argsort(far, axis=1, kind="stable")[:, :few].astype(np.int32)


def _apart(
    way: NDArray[np.float32],
    leg_s: NDArray[np.int32],
    service: Sequence[int],
    windows: Windows,
) -> NDArray[np.float32]:
    """Return what coming too late at a visit right behind another weighs."""
    visits = len(way)
    roads = leg_s < ALWAYS_S
    eur_per_s = way[roads].sum() / max(1.0, float(leg_s[roads].sum()))
    closes = windows.closes[np.arange(visits), windows.spans[:visits] - 1]
    ready_s = windows.opens[:visits, :1] + np.array(service[:visits], np.int64)[:, None] + leg_s
    late_s = np.maximum(0, ready_s - closes)
    weighed: NDArray[np.float32] = (LATE * eur_per_s * late_s).astype(np.float32)
    return weighed


def _via(
    euro: NDArray[np.float32],
    kinds: Sequence[Kind],
    service: Sequence[int],
    visits: int,
    count: int,
) -> NDArray[np.int32]:
    via = np.zeros(euro.shape, np.int32)
    for number, kind in enumerate(kinds):
        best = np.full(euro.shape[1:], np.inf, np.float32)
        for node in range(visits, visits + count):
            unload = np.float32(service[node] * kind.eur_per_s)
            total = euro[number, :, node, None] + euro[number, None, node, :] + unload
            better = total < best
            via[number][better] = node
            best[better] = total[better]
    return via


def _breaks(kinds: Sequence[Kind]) -> Breaks:
    return Breaks(
        np.array([len(kind.truck.breaks) for kind in kinds], np.int64),
        *_chains(kinds),
        _of_breaks(kinds, "earliest_start_s"),
        _of_breaks(kinds, "due_after_s"),
    )


def _of_breaks(kinds: Sequence[Kind], name: str) -> Ints:
    most = max(len(kind.truck.breaks) for kind in kinds)
    found = np.zeros((len(kinds), max(1, most)), np.int64)
    for index, kind in enumerate(kinds):
        for number, rule in enumerate(kind.truck.breaks):
            found[index, number] = getattr(rule, name)
    return found


def _chains(kinds: Sequence[Kind]) -> tuple[Ints, Ints, Ints]:
    """Return what a run of breaks on one leg adds up to; see `labels.reach`."""
    most = 1 + max(len(kind.truck.breaks) for kind in kinds)
    lasting = np.zeros((len(kinds), most, most), np.int64)
    ready = np.zeros_like(lasting)
    latest = np.full_like(lasting, -1)
    for index, kind in enumerate(kinds):
        rules = kind.truck.breaks
        for first in range(len(rules)):
            for count in range(1, len(rules) - first + 1):
                run = rules[first : first + count]
                after = [sum(rule.duration_s for rule in run[i:]) for i in range(count)]
                lasting[index, first, count] = after[0]
                ready[index, first, count] = max(
                    rule.earliest_start_s + rest for rule, rest in zip(run, after, strict=True)
                )
                bound = min(
                    rule.latest_start_s - (after[0] - rest)
                    for rule, rest in zip(run, after, strict=True)
                )
                possible = all(
                    earlier.earliest_start_s + after[i] - after[j] <= later.latest_start_s
                    for j, later in enumerate(run)
                    for i, earlier in enumerate(run[: j + 1])
                )
                latest[index, first, count] = bound if possible else -NEVER_S
    return lasting, ready, latest
