"""A problem divided into zones, and a plan into neighbourhoods of tours."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from optimizer.solve.decomposition.embedding import coordinates
from optimizer.solve.decomposition.subset import Part, part_of
from optimizer.solve.decomposition.zones import divided, skewed
from optimizer.solve.facts import kind_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from optimizer.model import Problem

    Tours = Mapping[int, tuple[int, ...]]  # nodes by truck

SPARE = 2  # trucks of each kind ready in a neighbourhood besides those in use


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Some tours near each other, with what is left out there and a few spare trucks.

    Attributes:
        part: their visits and trucks as a problem.
        tours: nodes of each of the part's trucks, by the part's numbers.
    """

    part: Part
    tours: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How large neighbourhoods are to be, on average.

    Attributes:
        visits: of a neighbourhood, about.
        tours: at least, for which it may hold more visits.
        most: visits, even if these are fewer tours.
    """

    visits: int
    tours: int = 1
    most: int = 1500

    def count(self, visits: int, tours: int) -> int:
        """Return how many neighbourhoods some visits and tours make."""
        wished = min(round(visits / self.visits), tours // self.tours)
        return max(1, wished, -(-visits // self.most))


class Map:
    """Where the visits of a problem lie, and how heavy they are.

    Attributes:
        places: (locations, 2) coordinates.
        at: (visits, 2) coordinates.
        weight: (visits,) a visit's share of all visits, plus its share of all kilograms or of all
            litres, whichever is larger.
    """

    def __init__(self, problem: Problem) -> None:
        depot = problem.trucks[0].start
        where = np.array([visit.location for visit in problem.visits], np.int64)
        self.problem = problem
        self.places = coordinates(problem.travel, depot)
        self.at = self.places[where]
        amounts = np.array([[sum(v.kg), sum(v.litres)] for v in problem.visits], np.float64)
        shares = amounts / np.maximum(amounts.sum(axis=0), 1e-9)
        self.weight: NDArray[np.float64] = shares.max(axis=1) + 1 / len(where)

    def zones(self, size: Size) -> list[Part]:
        """Return balanced zones, with a share of the trucks each."""
        count = size.count(len(self.at), len(self.problem.trucks))
        zones = divided(self.at, self.weight, count)
        return [
            part_of(self.problem, sorted(zone.tolist()), sorted(trucks))
            for zone, trucks in zip(zones, self._dealt(zones), strict=True)
        ]

    def _dealt(self, zones: Sequence[NDArray[np.int64]]) -> list[list[int]]:
        """Deal out the trucks, all and those of each kind by weight, to zones near their start."""
        trucks = self.problem.trucks
        share = np.array([self.weight[zone].sum() for zone in zones]) / self.weight.sum()
        middles = np.array([self.at[zone].mean(axis=0) for zone in zones])
        starts = self.places[[truck.start for truck in trucks]]
        apart = np.linalg.norm(starts[:, None] - middles, axis=2)
        if len({truck.start for truck in trucks}) == 1:
            apart[:] = 0.0
        apart /= max(apart.max(), 1e-9)
        dealt: list[list[int]] = [[] for _ in zones]
        lack = np.zeros(len(zones))
        for alike in _kinds(self.problem, range(len(trucks))):
            mine = np.zeros(len(zones))
            for truck in alike:
                lack, mine = lack + share, mine + share
                zone = int((lack + mine - apart[truck]).argmax())
                lack[zone] -= 1
                mine[zone] -= 1
                dealt[zone].append(truck)
        return dealt

    def neighbourhoods(
        self, tours: Tours, size: Size, random: np.random.Generator
    ) -> Iterator[Neighbourhood]:
        """Yield disjoint neighbourhoods that hold all tours, cut differently every time.

        Args:
            tours: the plan.
            size: of the neighbourhoods.
            random: numbers.
        """
        used = [truck for truck, nodes in tours.items() if nodes]
        if not used:
            for zone in self.zones(size):
                yield Neighbourhood(zone, ((),) * len(zone.trucks))
            return
        served = {truck: self._visits(tours[truck]) for truck in used}
        middles = np.array([self._middle(truck, served[truck]) for truck in used])
        weights = np.array([float(len(served[truck])) for truck in used])
        count = size.count(len(self.at), len(used))
        shares = [
            [used[index] for index in share]
            for share in divided(skewed(middles, random), weights, count)
        ]
        absent = self._absent(served, shares)
        spare = self._spare(tours, shares, absent, random)
        for share, out, idle in zip(shares, absent, spare, strict=True):
            visits = sorted([*out, *(visit for truck in share for visit in served[truck])])
            part = part_of(self.problem, visits, [*share, *idle])
            yield Neighbourhood(part, tuple(part.inner(tours.get(t, ())) for t in part.trucks))

    def _middle(self, truck: int, visits: Sequence[int]) -> NDArray[np.float64]:
        """Return the middle of a tour; of one that only unloads, where it starts."""
        start = self.problem.trucks[truck].start
        middle: NDArray[np.float64] = (
            self.at[visits].mean(axis=0) if len(visits) else self.places[start]
        )
        return middle

    def _visits(self, nodes: Iterable[int]) -> list[int]:
        return [node for node in nodes if node < len(self.at)]

    def _absent(
        self, served: Mapping[int, list[int]], shares: Sequence[Sequence[int]]
    ) -> list[list[int]]:
        """Return the visits left out by share: where the nearest tour is that may take them."""
        absent: list[list[int]] = [[] for _ in shares]
        share_of = {truck: index for index, share in enumerate(shares) for truck in share}
        there = [(visit, truck) for truck, visits in served.items() for visit in visits]
        left = np.ones(len(self.at), bool)
        left[[visit for visit, _ in there]] = False
        out = np.flatnonzero(left)
        if not len(out):
            return absent
        places = self.at[[visit for visit, _ in there]]
        nearest = np.asarray(cKDTree(places).query(self.at[out])[1], np.int64)
        for visit, near in zip(out.tolist(), nearest.tolist(), strict=True):
            may = self.problem.visits[visit].trucks
            if may is not None and there[near][1] not in may:
                far = np.square(places - self.at[visit]).sum(axis=1)
                far[[truck not in may for _, truck in there]] = np.inf
                near = int(far.argmin())
            absent[share_of[there[near][1]]].append(visit)
        return absent

    def _spare(
        self,
        tours: Tours,
        shares: Sequence[Sequence[int]],
        absent: Sequence[Sequence[int]],
        random: np.random.Generator,
    ) -> list[list[int]]:
        """Deal out some of the trucks not in use, first where a visit left out needs them."""
        spare: list[list[int]] = [[] for _ in shares]
        idle = {truck for truck in range(len(self.problem.trucks)) if not tours.get(truck)}
        for share, out, mine in zip(shares, absent, spare, strict=True):
            for visit in out:
                may = self.problem.visits[visit].trucks
                if may is not None and may.isdisjoint([*share, *mine]) and may & idle:
                    mine.append(min(may & idle))
                    idle.discard(mine[-1])
        for alike in _kinds(self.problem, sorted(idle)):
            random.shuffle(alike)
            order = random.permutation(len(shares)).tolist() * SPARE
            for index, truck in zip(order, alike, strict=False):
                spare[index].append(truck)
        return spare


def _kinds(problem: Problem, trucks: Iterable[int]) -> list[list[int]]:
    """Return trucks in lists of those that are alike but for their name."""
    kinds: defaultdict[object, list[int]] = defaultdict(list)
    for truck in trucks:
        kinds[kind_key(problem.trucks[truck])].append(truck)
    return list(kinds.values())
