"""Tours under search, and what is known about each of their gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays

    Nodes = Sequence[int] | NDArray[np.int32]

ABSENT, FOREIGN = -1, -2  # rows of visits that are in no tour, or belong to another search
CHANGED, LEFT_OUT, STAMP, OPENS = range(4)  # indices of `State.counts`; OPENS: visit or ABSENT


TOUR = np.dtype(
    [
        ("truck", np.int64),
        ("length", np.int64),  # of its nodes, start and end included
        ("trips", np.int64),
        ("edges", np.int64),  # gaps next to its start and its unloadings
        ("begin_s", np.int64),
        ("end_s", np.int64),
        ("driving_s", np.int64),
        ("served_s", np.int64),
        ("eur", np.float64),
        ("busy_eur", np.float64),  # without what waiting and breaks cost
        ("kept_length", np.int64),  # before the step
        ("kept_eur", np.float64),
        ("kept_row", np.bool_),  # whether it changed in this step
    ],
    align=True,
)
VISIT = np.dtype(  # half a cache line: looking for a gap reads many of them
    [
        ("row", np.int32),  # of its tour, or ABSENT or FOREIGN
        ("position", np.int32),
        ("before", np.int32),  # nodes next to it, and what the ways from and to them cost
        ("after", np.int32),
        ("before_eur", np.float32),
        ("after_eur", np.float32),
        ("missed", np.int32),  # how often it was left out though mandatory
        ("marked", np.bool_),
    ],
    align=True,
)
GAP = np.dtype(
    [
        ("position", np.int32),  # the one before it
        ("before", np.int32),  # nodes on both sides
        ("after", np.int32),
        ("eur", np.float32),  # what the way between them costs
    ],
    align=True,
)
OFFER = np.dtype(  # what a tour offers the visit that is being inserted
    [
        ("service_eur", np.float64),
        ("tariff", np.int32),
        ("takes", np.bool_),  # whether its truck may serve it today, wherever on its tour
    ],
    align=True,
)


class State(NamedTuple):
    """Rows of tours; position 0 of a row is the tour's start, its last position the end.

    Attributes:
        tours: (rows,) of dtype TOUR.
        visits: (visits,) of dtype VISIT.
        nodes: (rows, positions).
        early: (rows, positions, breaks + 1) earliest start of service, by breaks taken; `late`
            the latest arrival, a break on the way included, from which the rest is in time.
        trip: (rows, positions) which trip a position belongs to.
        load: (rows, trips, limits) what a trip carries.
        leg_s: (rows, positions) length of the way to the next position.
        edges: (rows, gaps) of dtype GAP: the gap at the start, and two next to each unloading.
        amount: (rows, 3) stops, kg and litres of the day.
        left_out: visits in no tour; counts[LEFT_OUT] of them.
        kept: nodes of tours before a step; counts[CHANGED] rows in `changed`.
        kept_out: `left_out` before a step.
        stops, draft, cheapest, before, queue, loads: room for the dynamic programme.
        work: (1, 2, breaks + 1) room for labels under test.
        picked, order: visits of a step and the key by which they are put back.
        strings: room for the strings of a step: row, trip.
        offers: (rows,) of dtype OFFER.
        blocked: (few, 2) row and gap where only load forbids an insertion; `blocked_eur` its cost.
        seen: (kinds,) stamps.
        random: state of the random numbers.
    """

    tours: NDArray[np.void]
    visits: NDArray[np.void]
    nodes: NDArray[np.int32]
    early: NDArray[np.int64]
    late: NDArray[np.int64]
    trip: NDArray[np.int32]
    load: NDArray[np.float64]
    leg_s: NDArray[np.int64]
    edges: NDArray[np.void]
    amount: NDArray[np.float64]
    left_out: NDArray[np.int32]
    kept: NDArray[np.int32]
    changed: NDArray[np.int64]
    kept_out: NDArray[np.int32]
    stops: NDArray[np.int32]
    draft: NDArray[np.int32]
    cheapest: NDArray[np.float64]
    before: NDArray[np.int64]
    queue: NDArray[np.int64]
    loads: NDArray[np.float64]
    work: NDArray[np.int64]
    picked: NDArray[np.int32]
    order: NDArray[np.float64]
    strings: NDArray[np.int64]
    offers: NDArray[np.void]
    blocked: NDArray[np.int64]
    blocked_eur: NDArray[np.float64]
    seen: NDArray[np.int64]
    random: NDArray[np.uint64]
    counts: NDArray[np.int64]


def new_state(
    P: Arrays,  # noqa: N803
    tours: Mapping[int, Nodes],
    left_out: Nodes,
    members: Nodes,
    seed: int,
) -> State:
    """Return a state with these tours, their labels not yet set.

    Args:
        P: the problem.
        tours: nodes per truck, start and end not included.
        left_out: visits in no tour.
        members: all visits that belong to this search.
        seed: of the random numbers.
    """
    rows, size = len(tours), 2 * len(members) + 4
    breaks, limits = int(P.breaks.number.max()) + 1, P.capacity.shape[1]
    state = State(
        tours=np.zeros(rows, np.dtype((np.record, TOUR))),
        visits=np.zeros(P.visits, np.dtype((np.record, VISIT))),
        nodes=np.zeros((rows, size), np.int32),
        early=np.zeros((rows, size, breaks), np.int64),
        late=np.zeros((rows, size, breaks), np.int64),
        trip=np.zeros((rows, size), np.int32),
        load=np.zeros((rows, size // 2 + 1, limits)),
        leg_s=np.zeros((rows, size), np.int64),
        edges=np.zeros((rows, size), np.dtype((np.record, GAP))),
        amount=np.zeros((rows, 3)),
        left_out=np.zeros(len(members) + 1, np.int32),
        kept=np.zeros((rows, size), np.int32),
        changed=np.zeros(rows, np.int64),
        kept_out=np.zeros(len(members) + 1, np.int32),
        stops=np.zeros(size, np.int32),
        draft=np.zeros(size, np.int32),
        cheapest=np.zeros(size),
        before=np.zeros(size, np.int64),
        queue=np.zeros(size, np.int64),
        loads=np.zeros((size, limits)),
        work=np.zeros((1, 2, breaks), np.int64),
        picked=np.zeros(len(members) + 1, np.int32),
        order=np.zeros(len(members) + 1),
        strings=np.zeros((64, 2), np.int64),
        offers=np.zeros(rows, np.dtype((np.record, OFFER))),
        blocked=np.zeros((8, 2), np.int64),
        blocked_eur=np.zeros(8),
        seen=np.zeros(len(P.kinds), np.int64),
        random=np.array([(seed * 7919 + 88172645463325252) % 2**64], np.uint64),
        counts=np.zeros(4, np.int64),
    )
    state.visits["row"] = FOREIGN
    state.visits["row"][list(members)] = ABSENT
    for r, (truck, nodes) in enumerate(tours.items()):
        kind = P.kind[truck]
        state.tours["truck"][r] = truck
        state.nodes[r, 0] = P.kinds["start"][kind]
        state.nodes[r, 1 : 1 + len(nodes)] = nodes
        state.nodes[r, 1 + len(nodes)] = P.kinds["end"][kind]
        state.tours["length"][r] = len(nodes) + 2
    state.left_out[: len(left_out)] = left_out
    state.counts[LEFT_OUT] = len(left_out)
    return state
