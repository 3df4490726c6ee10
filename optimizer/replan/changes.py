"""What a new plan changes of the published one, and what that is worth avoiding.

A driver who knows the next stops is quicker than one who is surprised at each; residents were told
a time. So each change has a price, and other tours than those an event hits change only within a
limit.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.replan.insertion import Bench, Route


@dataclass(frozen=True, slots=True)
class ReplanRules:
    """How much a published plan may change.

    Attributes:
        moved_eur: price of a pending stop that goes to another truck; one whose truck is out of
            order has no choice, and no price.
        reordered_eur: price of a pending stop that is out of its published order.
        most_changed: share of the other tours' pending stops that may be moved or re-ordered.
        neighbours: how many tours may help.
    """

    moved_eur: float = 3.0
    reordered_eur: float = 1.5
    most_changed: float = 0.2
    neighbours: int = 3


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of the stops that were published, as visits of the rest of the day.

    Attributes:
        moved: visit, truck before, truck now.
        reordered: visit, truck.
        dropped: visit, truck before.
        others_share: moved, re-ordered or dropped among the pending stops of tours no event hits.
    """

    moved: tuple[tuple[int, int, int], ...]
    reordered: tuple[tuple[int, int], ...]
    dropped: tuple[tuple[int, int], ...]
    others_share: float

    def price_eur(self, rules: ReplanRules) -> float:
        """Return what these changes cost beyond the tours."""
        return len(self.moved) * rules.moved_eur + len(self.reordered) * rules.reordered_eur


def changes(bench: Bench, routes: Sequence[Route]) -> Changes:
    """Compare tours with the published ones."""
    rest = bench.rest
    now = {v: t for t, route in enumerate(routes) for v in bench.visits_of(route.nodes)}
    moved: list[tuple[int, int, int]] = []
    reordered: list[tuple[int, int]] = []
    dropped: list[tuple[int, int]] = []
    touched_others = pending_others = 0
    for truck, nodes in enumerate(rest.published):
        visits = bench.visits_of(nodes)
        here = set(bench.visits_of(routes[truck].nodes))
        gone = [(v, truck, now[v]) for v in visits if v in now and v not in here]
        lost = [(v, truck) for v in visits if v not in now]
        place = {visit: index for index, visit in enumerate(visits)}
        kept = [visit for visit in bench.visits_of(routes[truck].nodes) if visit in place]
        shuffled = [(kept[i], truck) for i in out_of_order([place[v] for v in kept])]
        moved += gone
        reordered += shuffled
        dropped += lost
        if truck not in rest.hit:
            pending_others += len(visits)
            touched_others += len(gone) + len(lost) + len(shuffled)
    share = touched_others / pending_others if pending_others else 0.0
    return Changes(tuple(moved), tuple(reordered), tuple(dropped), share)


def out_of_order(places: Sequence[int]) -> list[int]:
    """Return the fewest indices without which a sequence rises: what was re-ordered.

    The rest is a longest increasing subsequence (Schensted 1961, by patience sorting).
    """
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, place in enumerate(places):
        pile = bisect_left(tails, place)
        before.append(ends[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(place)
            ends.append(index)
        else:
            tails[pile], ends[pile] = place, index
    kept = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return [index for index in range(len(places)) if index not in kept]
