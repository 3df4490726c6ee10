"""Whole plans between phases of the search, and the way from and to the model's solutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.days import solution_of
from optimizer.solve.search import Day
from optimizer.solve.sisr.annealing import ready, total
from optimizer.solve.sisr.state import ABSENT, LEFT_OUT, State, new_state
from optimizer.solve.sisr.tour import refresh
from optimizer.solve.sisr.unloading import IMPOSSIBLE, adopt, place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from optimizer.model import Solution
    from optimizer.solve.route import Builder
    from optimizer.solve.sisr.arrays import Arrays

    Nodes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: the nodes of each truck's tour, start and end not included, and its cost."""

    tours: dict[int, Nodes]
    left_out: Nodes
    eur: float

    @property
    def used(self) -> list[int]:
        """The trucks that have something to do."""
        return [truck for truck, nodes in self.tours.items() if len(nodes)]


def plan_of(S: State, eur: float) -> Plan:  # noqa: N803
    """Return the plan that a state holds."""
    tours = {
        int(truck): S.nodes[r, 1 : S.tours["length"][r] - 1].copy()
        for r, truck in enumerate(S.tours["truck"])
    }
    return Plan(tours, S.left_out[: S.counts[LEFT_OUT]].copy(), eur)


def plan_from(P: Arrays, origin: Sequence[Sequence[int]], solution: Solution) -> Plan:  # noqa: N803
    """Return a solution as a plan; what the arrays cannot express is left out.

    Args:
        P: the problem.
        origin: the problem's nodes behind each node of the arrays.
        solution: where to begin.
    """
    node_of = {old: new for new, group in enumerate(origin) for old in group}
    tours: dict[int, Nodes] = {}
    seen: set[int] = set()
    for tour in solution.tours:
        nodes: list[int] = []
        for old in tour.nodes:
            new = node_of.get(old, -1)
            if new < 0 or new in seen:
                continue
            if new < P.visits:
                seen.add(new)
            nodes.append(new)
        tours[tour.truck] = np.array(nodes, np.int32)
    return mended(P, tours)


def mended(P: Arrays, tours: Mapping[int, Nodes]) -> Plan:  # noqa: N803
    """Return a plan of tours that may break rules: what cannot be kept is left out.

    Unloadings of nothing are dropped.

    Args:
        P: the problem.
        tours: nodes per truck, each visit at most once.
    """
    tours = {truck: _tidied(P, nodes) for truck, nodes in tours.items()}
    served = np.concatenate([np.zeros(0, np.int32), *tours.values()])
    absent = np.setdiff1d(np.arange(P.visits, dtype=np.int32), served)
    state = new_state(P, tours, absent, range(P.visits), 0)
    for r in range(len(state.tours)):
        if not refresh(P, state, r):
            _repair(P, state, r)
    return plan_of(state, total(P, state))


def _tidied(P: Arrays, nodes: Nodes) -> Nodes:  # noqa: N803
    """Return a tour without unloadings that follow no visit."""
    visit = nodes < P.visits
    return np.compress(visit | np.append(False, visit)[:-1], nodes)


def _repair(P: Arrays, S: State, r: int) -> None:  # noqa: N803
    """Place a tour's unloadings anew; what then has no room or time on it is left out."""
    row = S.nodes[r, : S.tours["length"][r]]
    stops = row[1:-1][row[1:-1] < P.visits].tolist()
    if not _served(P, S, r, stops):
        kept: list[int] = []
        for stop in stops:
            if _served(P, S, r, [*kept, stop]):
                kept.append(stop)
        absent = np.setdiff1d(stops, kept)
        S.visits["row"][absent] = ABSENT
        out = S.counts[LEFT_OUT]
        S.left_out[out : out + len(absent)] = absent
        S.counts[LEFT_OUT] = out + len(absent)
        _served(P, S, r, kept)


def _served(P: Arrays, S: State, r: int, stops: list[int]) -> bool:  # noqa: N803
    """Make a tour of some visits, in their order; return whether it keeps every rule."""
    if not stops:
        S.nodes[r, 1], S.tours["length"][r] = P.kinds["end"][P.kind[S.tours["truck"][r]]], 2
        return bool(refresh(P, S, r))
    S.stops[: len(stops)] = stops
    cost, size = place(P, S, int(P.kind[S.tours["truck"][r]]), len(stops))
    return bool(cost < IMPOSSIBLE and adopt(P, S, r, size) and refresh(P, S, r))


def solution_from(
    builder: Builder, origin: Sequence[Sequence[int]], plan: Plan, engine: str, seed: int
) -> Solution:
    """Return a plan as a solution of the problem; tours start as late as they may."""
    facts = builder.facts
    routes = [
        builder.build(truck, [old for node in plan.tours[truck] for old in origin[node]])
        if truck in plan.tours and len(plan.tours[truck])
        else None
        for truck in range(len(facts.kinds))
    ]
    served = {visit for route in routes if route for visit in route.visits}
    absent = frozenset(range(facts.visits)) - served
    return solution_of(builder, Day(tuple(routes), absent, plan.eur), engine, seed)


def cost_of(P: Arrays, plan: Plan) -> float:  # noqa: N803
    """Return what a plan costs, with the price of what it leaves out."""
    members = [*(int(n) for t in plan.tours.values() for n in t if n < P.visits), *plan.left_out]
    return float(ready(P, new_state(P, plan.tours, plan.left_out, members, 0)))
