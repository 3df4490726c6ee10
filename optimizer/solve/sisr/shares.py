"""Shares of a plan, one for each thread, and the plan that they make together again."""

# ruff: noqa: N803

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.sisr.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from optimizer.solve.sisr.arrays import Arrays


def shares(
    P: Arrays, plan: Plan, count: int, between: bool, random: np.random.Generator
) -> list[Plan]:
    """Divide the tours of a plan; what is left out goes with the nearest visit that is not.

    Args:
        P: the problem.
        plan: the plan.
        count: of shares.
        between: whether by nearness to a random tour or to the one farthest from it, which
            parts the town by a line; else by nearness to the random one alone, which makes a ring.
        random: what decides by chance.
    """
    used = plan.used
    middle = {truck: _middle(P, plan.tours[truck]) for truck in used}
    one = middle[used[int(random.integers(len(used)))]]
    far = np.array([P.euro[0, one, middle[truck]] for truck in used], np.float64)
    if between:
        other = middle[used[int(far.argmax())]]
        far -= np.array([P.euro[0, other, middle[truck]] for truck in used])
    order = [used[index] for index in np.argsort(far, kind="stable")]
    trucks = [[int(truck) for truck in some] for some in np.array_split(order, count)]
    for index, truck in enumerate(truck for truck in plan.tours if not len(plan.tours[truck])):
        trucks[index % count].append(truck)
    share_of = {
        int(visit): index
        for index, some in enumerate(trucks)
        for truck in some
        for visit in plan.tours[truck]
    }
    left_out: list[list[int]] = [[] for _ in trucks]
    for visit in plan.left_out:
        near = (share_of[int(v)] for v in P.near[visit] if int(v) in share_of)
        left_out[next(near, 0)].append(int(visit))
    return [
        Plan({truck: plan.tours[truck] for truck in some}, np.array(absent, np.int32), 0.0)
        for some, absent in zip(trucks, left_out, strict=True)
    ]


def joined(parts: Sequence[Plan]) -> Plan:
    """Return the plan of all tours of some shares."""
    tours = {truck: nodes for part in parts for truck, nodes in part.tours.items()}
    left_out = np.concatenate([part.left_out for part in parts])
    return Plan(tours, left_out, sum(part.eur for part in parts))


def visits_of(P: Arrays, plan: Plan) -> NDArray[np.int32]:
    """Return all visits of a share, served or left out."""
    nodes = np.concatenate([*plan.tours.values(), plan.left_out])
    return nodes[nodes < P.visits].astype(np.int32)


def _middle(P: Arrays, nodes: NDArray[np.int32]) -> int:
    """Return the visit of a tour that is nearest to all its others."""
    visits = nodes[nodes < P.visits]
    sample = visits[:: max(1, len(visits) // 30)]
    return int(sample[P.euro[0][np.ix_(sample, sample)].sum(axis=1).argmin()])
