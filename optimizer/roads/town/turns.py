"""Turn restrictions at main roads."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from optimizer.roads.town.ranks import RESIDENTIAL, SECONDARY
from optimizer.roads.town.streets import Town

_SHARE_OF_LEFT_TURNS = 0.25
_SHARE_OF_U_TURNS = 0.2
_LEFT = (np.sin(np.radians(45)), np.cos(np.radians(135)))


@dataclass(frozen=True, slots=True)
class Restriction:
    """From one way, over a node, not into another (or the same) way."""

    kind: str  # no_left_turn or no_u_turn
    from_way: int
    via_node: int
    to_way: int


def forbid_turns(rng: Generator, town: Town) -> list[Restriction]:
    """Forbid some left turns off main roads, and turning round at some of their crossings.

    Going straight on or right stays allowed, so that nothing is cut off.
    """
    found = []
    for node, arms in enumerate(_arms(town)):
        if len(arms) < 3:
            continue
        for arm in arms:
            if town.plan.rank[arm.street] < SECONDARY:
                continue
            found += [
                Restriction("no_left_turn", arm.street, node, other.street)
                for other in arms
                if _may_forbid(town, arm, other) and rng.random() < _SHARE_OF_LEFT_TURNS
            ]
            if rng.random() < _SHARE_OF_U_TURNS:
                found.append(Restriction("no_u_turn", arm.street, node, arm.street))
    return found


@dataclass(frozen=True, slots=True)
class _Arm:
    street: int
    leaving: tuple[float, float]  # direction, length 1
    may_leave: bool


def _arms(town: Town) -> list[list[_Arm]]:
    plan = town.plan
    along = (plan.xy[plan.ends[:, 1]] - plan.xy[plan.ends[:, 0]]) / plan.length_m[:, None]
    arms: list[list[_Arm]] = [[] for _ in plan.xy]
    for street, ((start, end), (east, north)) in enumerate(
        zip(plan.ends.tolist(), along.tolist(), strict=True)
    ):
        arms[start].append(_Arm(street, (east, north), may_leave=True))
        arms[end].append(_Arm(street, (-east, -north), may_leave=not town.oneway[street]))
    return arms


def _may_forbid(town: Town, arm: _Arm, other: _Arm) -> bool:
    """Whether other leads left, off the main road that one comes in on."""
    if other.street == arm.street or not other.may_leave:
        return False
    if town.plan.rank[other.street] != RESIDENTIAL:
        return False
    east, north = -arm.leaving[0], -arm.leaving[1]  # coming in
    sine = east * other.leaving[1] - north * other.leaving[0]
    cosine = east * other.leaving[0] + north * other.leaving[1]
    return bool(sine > _LEFT[0] and cosine > _LEFT[1])
