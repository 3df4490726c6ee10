"""Crossover: a plan takes some tours over from another one.

The "selective route exchange" of Y. Nagata and O. Bräysy, "Edge assembly-based memetic algorithm
for the capacitated vehicle routing problem", Networks 54 (2009), in the form of Y. Nagata,
O. Bräysy and W. Dullaert, Computers & Operations Research 37 (2010): tours of one quarter of the
town in one plan make way for those of the other plan that serve most of the same visits. What is
then served twice is taken out of one of the tours, what is not served any more is left out: the
search finds places for it.
"""

# ruff: noqa: N803

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.sisr.plan import mended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.plan import Plan

    Nodes = NDArray[np.int32]


def crossover(
    P: Arrays, one: Plan, other: Plan, alike: Sequence[Sequence[int]], random: np.random.Generator
) -> Plan | None:
    """Return a plan with some tours of another one; None where they are the same in both.

    Args:
        P: the problem.
        one: the plan that most of it is taken from.
        other: the plan that some tours are taken from.
        alike: groups of trucks that may drive each other's tours.
        random: what decides by chance.
    """
    if not one.used or not other.used:
        return None
    leaving = _quarter(P, one, random)
    left = np.isin(np.arange(P.visits), _nodes(one, leaving))
    coming = _serving(P, other, left, len(leaving), random)
    if {one.tours[t].tobytes() for t in leaving} == {other.tours[t].tobytes() for t in coming}:
        return None
    twice = np.isin(np.arange(P.visits), _nodes(other, coming)) & ~left
    tours = {truck: one.tours[truck] for truck in one.used if truck not in leaving}
    added = {truck: other.tours[truck] for truck in coming}
    loser = added if random.random() < 0.5 else tours
    loser.update({truck: _without(P, nodes, twice) for truck, nodes in loser.items()})
    for group in alike:
        seats = iter([truck for truck in group if truck not in tours])
        tours.update(zip(seats, [added[t] for t in group if t in added], strict=False))
    return mended(P, tours)


def _quarter(P: Arrays, plan: Plan, random: np.random.Generator) -> list[int]:
    """Return the trucks of some tours that come nearest to a random visit, half of all at most."""
    used, place = plan.used, int(random.integers(P.visits))
    far = [P.euro[0, place, _visits(P, plan.tours[truck])].min(initial=np.inf) for truck in used]
    count = int(random.integers(1, max(2, len(used) // 2) + 1))
    return [used[index] for index in np.argsort(far, kind="stable")[:count]]


def _serving(
    P: Arrays, plan: Plan, wanted: NDArray[np.bool_], count: int, random: np.random.Generator
) -> list[int]:
    """Return the trucks whose visits are most often among those wanted."""
    used = [plan.used[index] for index in random.permutation(len(plan.used))]
    share = [-wanted[_visits(P, plan.tours[truck])].mean() for truck in used]
    return [used[index] for index in np.argsort(share, kind="stable")[:count]]


def _nodes(plan: Plan, trucks: Sequence[int]) -> Nodes:
    return np.concatenate([plan.tours[truck] for truck in trucks])


def _visits(P: Arrays, nodes: Nodes) -> Nodes:
    return nodes[nodes < P.visits]


def _without(P: Arrays, nodes: Nodes, unwanted: NDArray[np.bool_]) -> Nodes:
    """Return a tour without some visits."""
    facility = nodes >= P.visits
    return nodes[facility | ~unwanted[np.where(facility, 0, nodes)]]
