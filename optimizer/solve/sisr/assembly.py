"""Edge assembly: a plan takes ways over from another one, along a round on which the two differ.

The "EAX" of Y. Nagata and O. Bräysy, "Edge assembly-based memetic algorithm for the capacitated
vehicle routing problem", Networks 54 (2009), for windows in Y. Nagata, O. Bräysy and W. Dullaert,
Computers & Operations Research 37 (2010). The ways of one plan only and those of the other only,
walked forward and backward in turn, close into rounds. Where one plan's ways of a round are
exchanged for the other's, every visit is still come to once and left once. What then goes round
without a depot is left out, like a visit that a tour has no time or room for, or that is on such a
tour and not served by both plans: the search finds a place for it.

Where tours are long, two plans hardly share any; so whole tours (`crossover`) carry little over.
"""

# ruff: noqa: N803

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optimizer.solve.sisr.plan import mended

type Way = tuple[int, int]
type Tours = list[list[int]]

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.plan import Plan

DEPOT = -1  # where all tours start and end
JOINED = 0.7  # share of the rounds with a visit in common with the first that are taken, too


class Round(NamedTuple):
    """An "AB-cycle": ways of one plan, and those of the other that may take their place."""

    leaving: list[Way]
    coming: list[Way]

    @property
    def visits(self) -> set[int]:
        """What it comes to, the depot left aside."""
        return {node for ways in self for way in ways for node in way} - {DEPOT}


def assembled(
    P: Arrays, one: Plan, other: Plan, trucks: Sequence[int], random: np.random.Generator
) -> Plan | None:
    """Return a plan with some ways of another one; None where their ways are the same.

    Args:
        P: the problem.
        one: the plan that most of it is taken from.
        other: the plan that some ways are taken from.
        trucks: all that may drive, alike.
        random: what decides by chance.
    """
    both = np.ones(P.visits, bool)
    both[one.left_out] = both[other.left_out] = False
    ours, theirs = _stops(P, one, both), _stops(P, other, both)
    count = max(len(ours), len(theirs))
    ours += [[] for _ in range(count - len(ours))]
    theirs += [[] for _ in range(count - len(theirs))]
    ways = Counter(_ways(ours))
    rounds = _rounds(ways, Counter(_ways(theirs)), random)
    if not rounds:
        return None
    for leaving, coming in _some(rounds, random):
        ways.subtract(leaving)
        ways.update(coming)
    known = {tuple(tour): one.tours[truck] for truck, tour in zip(one.used, ours, strict=False)}
    tours = [tour for tour in _tours(ways) if tour]
    nodes = [known.get(tuple(tour), _unloaded(P, tour, trucks[0])) for tour in tours]
    return mended(P, dict(zip(trucks, nodes, strict=False)))


def _stops(P: Arrays, plan: Plan, wanted: NDArray[np.bool_]) -> Tours:
    """Return the visits of each truck in use that are wanted."""
    visits = [plan.tours[truck][plan.tours[truck] < P.visits] for truck in plan.used]
    return [tour[wanted[tour]].tolist() for tour in visits]


def _unloaded(P: Arrays, tour: list[int], truck: int) -> NDArray[np.int32]:
    """Return the nodes of a tour that unloads once, at its end."""
    kind = P.kinds[P.kind[truck]]
    return np.array([*tour, P.via[kind["tariff"], tour[-1], kind["end"]]], np.int32)


def _ways(tours: Tours) -> Iterable[Way]:
    for tour in tours:
        yield from zip([DEPOT, *tour], [*tour, DEPOT], strict=True)


def _rounds(ours: Counter[Way], theirs: Counter[Way], random: np.random.Generator) -> list[Round]:
    """Return the rounds that all ways add up to which only one of two plans has."""
    leaving, coming = defaultdict(list), defaultdict(list)
    for way in (ours - theirs).elements():
        leaving[way[0]].append(way)
    for way in (theirs - ours).elements():
        coming[way[1]].append(way)
    rounds: list[Round] = []
    for start in random.permutation(list(leaving)) if leaving else ():
        while leaving[int(start)]:
            rounds += _closed(int(start), leaving, coming, random)
    return rounds


def _closed(
    node: int,
    leaving: dict[int, list[Way]],
    coming: dict[int, list[Way]],
    random: np.random.Generator,
) -> list[Round]:
    """Walk from a node until one is met again, and on from there until all is closed."""
    walked: list[tuple[Way, Way]] = []
    rounds: list[Round] = []
    while True:
        way = _drawn(leaving[node], random)
        back = _drawn(coming[way[1]], random)
        walked.append((way, back))
        node = back[0]
        met = next((at for at, (first, _) in enumerate(walked) if first[0] == node), None)
        if met is None:
            continue
        rounds.append(Round([one for one, _ in walked[met:]], [two for _, two in walked[met:]]))
        del walked[met:]
        if not walked:
            return rounds


def _drawn(ways: list[Way], random: np.random.Generator) -> Way:
    return ways.pop(int(random.integers(len(ways))))


def _some(rounds: Sequence[Round], random: np.random.Generator) -> list[Round]:
    """Return one of the rounds and most of those that have a visit in common with it."""
    first = int(random.integers(len(rounds)))
    met = rounds[first].visits
    return [
        one
        for number, one in enumerate(rounds)
        if number == first or (met & one.visits and random.random() < JOINED)
    ]


def _tours(ways: Counter[Way]) -> Tours:
    """Return the tours that ways add up to; what goes round without the depot is in none."""
    following = {way[0]: way[1] for way, count in ways.items() if count > 0 and way[0] != DEPOT}
    tours: Tours = []
    for way, count in ways.items():
        if way[0] != DEPOT:
            continue
        for _ in range(count):
            tour, node = [], way[1]
            while node != DEPOT:
                tour.append(node)
                node = following[node]
            tours.append(tour)
    return tours
