"""More trucks than there are, for a while.

A fleet that is only just large enough is hard to fill: what does not fit is squeezed in at the
price of long ways. With some trucks more everything finds its place at once, tours become short,
and then the trucks too many are given up one by one, each time with good tours to start from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from optimizer.solve.sisr.arrays import Arrays
    from optimizer.solve.sisr.plan import Plan

LEAST = 3  # trucks added of each sort, and half as many as there are


def alike(P: Arrays) -> list[list[int]]:  # noqa: N803
    """Return the trucks that are alike in all that counts."""
    groups: dict[object, list[int]] = {}
    for truck, kind in enumerate(P.kind):
        groups.setdefault((int(kind), P.allowed[:, truck].tobytes()), []).append(truck)
    return list(groups.values())


def with_more_trucks(P: Arrays) -> Arrays:  # noqa: N803
    """Return a problem with copies of its trucks, numbered behind them."""
    copies = [group[0] for group in alike(P) for _ in range(max(LEAST, len(group) // 2))]
    return P._replace(
        kind=np.concatenate([P.kind, P.kind[copies]]),
        allowed=np.ascontiguousarray(np.hstack([P.allowed, P.allowed[:, copies]])),
    )


def surplus(P: Arrays, real: Arrays, plan: Plan) -> list[int]:  # noqa: N803
    """Return the trucks in use of which there are too many, the least loaded first."""
    trucks: list[int] = []
    for group in alike(P):
        used = [truck for truck in group if len(plan.tours.get(truck, ()))]
        if len(used) > sum(truck < len(real.kind) for truck in group):
            trucks += used
    return sorted(trucks, key=lambda truck: len(plan.tours[truck]))


def renamed(P: Arrays, real: Arrays, plan: Plan) -> Plan:  # noqa: N803
    """Return a plan without surplus in which trucks that there are drive all tours."""
    tours = {}
    for group in alike(P):
        ours = [truck for truck in group if truck < len(real.kind)]
        used = [plan.tours[truck] for truck in group if len(plan.tours.get(truck, ()))]
        empty = np.zeros(0, np.int32)
        tours.update(dict(zip(ours, used + [empty] * (len(ours) - len(used)), strict=True)))
    return replace(plan, tours=tours)
