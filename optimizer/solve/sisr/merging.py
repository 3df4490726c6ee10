"""Visits at one place with the same rules are one visit to the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from optimizer.solve.facts import Facts

SHARE = 0.25  # of a trip that merged visits may fill; larger lumps would not pack well
LONGEST_S = 1800  # service of merged visits together


def merged(facts: Facts) -> list[list[int]]:
    """Return groups of visits to be made one right after the other, in that order.

    Only mandatory visits are merged: of two prizes one may be worth it, and the other not. The
    longest service comes last, so that the group's window closes as late as it can.
    """
    leader = _places(facts)
    groups: list[list[int]] = []
    open_group: dict[object, list[int]] = {}
    for visit in range(facts.visits):
        stop = facts.problem.visits[visit]
        if not stop.mandatory:
            groups.append([visit])
            continue
        key = (leader[visit], stop.windows, stop.trucks, tuple(k.takes[visit] for k in facts.kinds))
        group = open_group.get(key)
        if group is not None and _together(facts, [*group, visit]):
            group.append(visit)
        else:
            open_group[key] = [visit]
            groups.append(open_group[key])
    return [sorted(group, key=lambda visit: facts.service_s[visit]) for group in groups]


def _together(facts: Facts, group: list[int]) -> bool:
    """Whether a group is small enough, and each of its windows stays open long enough."""
    lasting = [facts.service_s[visit] for visit in group]
    before_s = sum(lasting) - max(lasting)
    return (
        sum(lasting) <= LONGEST_S
        and all(begin <= end - before_s for begin, end in facts.windows[group[0]])
        and all(
            bool((kind.need[group].sum(axis=0) <= SHARE * kind.capacity).all())
            for kind in set(facts.kinds)
        )
        and all(
            kind.truck.max_stops is None or len(group) <= SHARE * kind.truck.max_stops
            for kind in set(facts.kinds)
        )
    )


def _places(facts: Facts) -> list[int]:
    """Return for each visit the first visit from which it cannot be told by any way."""
    at = np.array([facts.location[visit] for visit in range(facts.visits)], dtype=np.int64)
    first: list[int] = []
    for visit, place in enumerate(at):
        known = at[:visit]
        close = np.flatnonzero(
            (facts.seconds[place, known] == 0)
            & (facts.seconds[known, place] == 0)
            & (facts.km[place, known] == 0)
            & (facts.km[known, place] == 0)
        )
        same = [one for one in close if _indistinct(facts, int(at[one]), int(place))]
        first.append(first[same[0]] if same else visit)
    return first


def _indistinct(facts: Facts, one: int, other: int) -> bool:
    if one == other:
        return True
    return all(
        bool((table[one] == table[other]).all() and (table[:, one] == table[:, other]).all())
        for table in (facts.seconds, facts.km)
    )
