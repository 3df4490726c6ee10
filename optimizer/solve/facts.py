"""A problem as the engines see it: plain lists and arrays, equal trucks folded into one kind."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations, pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np

from optimizer.model import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from optimizer.model import Facility, Problem, Truck, Visit

    Amounts = tuple[float, ...]

FAR_S = 10**9  # travel time where there is no road: misses every window, and sums stay small
FAR_KM = 1e9  # length of a way where there is no road
FAR_EUR = 1e9  # what driving any way costs at most


class Facts:
    """A problem, prepared for many quick questions.

    Attributes:
        seconds: (L, L) travel time between locations, FAR_S where there is no road; likewise
            `travel_s` as nested lists, quicker to ask for one; `km`, FAR_KM where there is none.
        location: of each node; likewise `service_s` and `windows` (pairs of seconds).
        kinds: the kind of each truck; equal trucks share one.
        mask: bit set of the fractions to collect at each visit.
        queues: by facility node with a queue: when to join at the earliest and latest, and the
            wait then, in order.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.visits = len(problem.visits)
        places: list[Visit | Facility] = [*problem.visits, *problem.facilities]
        duration_s, distance_m = problem.matrices()
        reachable = duration_s != UNREACHABLE
        self.seconds = np.where(reachable, duration_s, FAR_S)
        self.travel_s: list[list[int]] = self.seconds.tolist()
        self.km = np.where(reachable, distance_m / 1000.0, FAR_KM)
        self.location = [place.location for place in places]
        self.service_s = [visit.service_s for visit in problem.visits]
        self.service_s += [facility.unload_s for facility in problem.facilities]
        self.windows = [
            tuple(sorted((w.earliest_s, w.latest_s) for w in place.windows)) for place in places
        ]
        self.queues = {
            self.visits + index: _joins(facility)
            for index, facility in enumerate(problem.facilities)
            if any(span.wait_s for span in facility.queue)
        }
        self.mask = [_mask(visit.kg, visit.litres) for visit in problem.visits]
        self.prize = [visit.prize_eur for visit in problem.visits]
        found: dict[object, Kind] = {}
        self.kinds: list[Kind] = []
        for truck in problem.trucks:
            key = kind_key(truck)
            if key not in found:
                found[key] = Kind(self, truck)
            self.kinds.append(found[key])

    def take_all_of(self, visits: Iterable[int]) -> list[int]:
        """Return the facilities, as nodes, each of which takes all that some visits hold."""
        wanted = union_of(self.mask[visit] for visit in visits)
        return [
            self.visits + index
            for index, facility in enumerate(self.problem.facilities)
            if wanted & ~_bits(facility.accepts) == 0
        ]

    def allowed(self, visit: int, truck: int) -> bool:
        """Whether a truck may serve a visit, and its body takes it in one trip."""
        trucks = self.problem.visits[visit].trucks
        return (trucks is None or truck in trucks) and self.kinds[truck].takes[visit]


class Kind:
    """What all trucks of one kind have in common.

    Attributes:
        cost: (L, L) euro of driving from location to location: kilometres and hours.
        capacity: the limits of a trip that can bind: payload, kg and litres of compartments.
        need: (V, limits) what each visit takes of each of these limits; likewise `on_board`, of a
            truck that is underway.
        aboard: bit set of the fractions on board of a truck that is underway.
        fixed_eur: cost of using a truck; of one underway it is paid already.
        takes: whether a visit fits into an empty truck at all.
    """

    def __init__(self, facts: Facts, truck: Truck) -> None:
        problem = facts.problem
        self.facts = facts
        self.truck = truck
        self.eur_per_s = truck.eur_per_h / 3600.0
        self.overtime_eur_per_s = truck.overtime_eur_per_h / 3600.0
        if truck.overtime_after_s is None:
            self.overtime_eur_per_s = 0.0
        self.km_eur = np.minimum(facts.km * truck.eur_per_km, FAR_EUR)
        # A metre costs something even where money is free, so that tours stay short.
        self.cost: NDArray[np.float64] = np.minimum(
            self.km_eur + facts.seconds * self.eur_per_s + facts.km * 1e-6, FAR_EUR
        )
        done = truck.underway
        self.fixed_eur = truck.fixed_eur if done is None else 0.0
        self.aboard = 0 if done is None else _mask(done.kg, done.litres)
        self.overnight = truck.overnight_load_allowed
        self.driving_s = truck.max_driving_s  # what may be driven yet
        if self.driving_s is not None and done is not None:
            self.driving_s -= done.driven_s
        amounts = [(visit.kg, visit.litres) for visit in problem.visits]
        limits, needs = _dimensions(truck, [*amounts, (done.kg, done.litres)] if done else amounts)
        binding = binding_limits(limits, needs)
        carried = needs.pop() if done else [0.0] * len(limits)
        self.on_board = np.array([carried[i] for i in binding], dtype=np.float64)
        self.capacity = np.array([limits[i] + 1e-6 for i in binding], dtype=np.float64)
        self.need = np.array([[need[i] for i in binding] for need in needs], dtype=np.float64)
        self.need = self.need.reshape(len(needs), len(binding))
        self.need_or_none = np.vstack((self.need, np.zeros(len(binding))))  # last: an unloading
        self.takes = [
            self.has_body_for(index)
            and all(n <= limit + 1e-6 for n, limit in zip(need, limits, strict=True))
            for index, need in enumerate(needs)
        ]

    def has_body_for(self, visit: int) -> bool:
        """Whether the body takes a visit's fractions, and facilities take them from it."""
        return has_compartments(self.truck, self.facts.problem.visits[visit]) and bool(
            self.ways(self.facts.mask[visit])
        )

    def ways(self, mask: int) -> tuple[tuple[int, ...], ...]:
        """Return the ways to end a trip with some fractions; one is empty where none is needed."""
        if not mask:
            return ((),)
        found = self.unloadings(mask)
        return (*found, ()) if self.overnight else found

    def length_s(self, start_s: int, end_s: int) -> int:
        """Return how long a tour is; that of a truck underway began before."""
        done = self.truck.underway
        return end_s - (start_s if done is None else done.started_s)

    def hours_eur(self, start_s: int, end_s: int) -> float:
        """Return what the hours of a tour cost, overtime included."""
        done, after_s = self.truck.underway, self.truck.overtime_after_s
        paid_s = start_s if done is None else self.truck.shift.earliest_s
        eur = (end_s - paid_s) * self.eur_per_s
        if after_s is not None:
            regular_s = (start_s if done is None else done.started_s) + after_s
            eur += max(0, end_s - max(regular_s, paid_s)) * self.overtime_eur_per_s
        return eur

    def within_battery(self, km: float, visits: Iterable[int]) -> bool:
        """Whether a tour leaves an electric truck its reserve."""
        energy, done = self.truck.energy, self.truck.underway
        if energy is None:
            return True
        lifts = sum(self.facts.problem.visits[visit].lifts for visit in visits)
        used = km * energy.kwh_per_km + lifts * energy.kwh_per_lift
        used += 0.0 if done is None else done.used_kwh
        return used <= energy.charge_kwh - energy.reserve_kwh

    @cached_property
    def _covers(self) -> dict[int, tuple[tuple[int, ...], ...]]:
        return {}

    def unloadings(self, mask: int) -> tuple[tuple[int, ...], ...]:
        """Return the ways to get rid of some fractions: facility nodes in order of visit."""
        if mask not in self._covers:
            first = self.facts.visits
            self._covers[mask] = tuple(
                tuple(first + index for index in way)
                for way in _covers(self.facts.problem.facilities, mask)
            )
        return self._covers[mask]

    @cached_property
    def _detours(self) -> dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]]:
        return {}

    def detours(self, mask: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the cheapest unloading between any two locations: extra euro, and which way."""
        if mask not in self._detours:
            location = self.facts.location
            totals = []
            for way in self.unloadings(mask):
                inner = sum(self.facts.service_s[node] for node in way) * (self.eur_per_s + 1e-9)
                stations = [location[node] for node in way]
                inner += sum(self.cost[a, b] for a, b in pairwise(stations))
                totals.append(
                    self.cost[:, stations[0]][:, None] + inner + self.cost[stations[-1]][None, :]
                )
            stack = np.stack(totals)
            self._detours[mask] = (stack.min(axis=0) - self.cost, stack.argmin(axis=0))
        return self._detours[mask]


def kind_key(truck: Truck) -> object:
    """Return what trucks of one kind share: all but their name."""
    return tuple(getattr(truck, name) for name in truck.__dataclass_fields__ if name != "id")


def _joins(facility: Facility) -> tuple[tuple[int, int, int], ...]:
    """Return the spans in which a facility's queue may be joined and has one length.

    They are the pieces that windows and the steps of the queue have in common.
    """
    steps = [(0, 0), *((span.from_s, span.wait_s) for span in facility.queue)]
    ends = [*(at - 1 for at, _ in steps[1:]), FAR_S]
    windows = [(w.earliest_s, w.latest_s) for w in facility.windows] or [(0, FAR_S)]
    return tuple(
        sorted(
            (max(opens, at), min(closes, end), wait_s)
            for (at, wait_s), end in zip(steps, ends, strict=True)
            for opens, closes in windows
            if max(opens, at) <= min(closes, end)
        )
    )


def _mask(kg: Amounts, litres: Amounts) -> int:
    amounts = zip(kg, litres, strict=True)
    return sum(1 << fraction for fraction, pair in enumerate(amounts) if max(pair) > 0)


def _bits(fractions: Iterable[int]) -> int:
    return sum(1 << fraction for fraction in fractions)


def _dimensions(
    truck: Truck, amounts: Sequence[tuple[Amounts, Amounts]]
) -> tuple[list[float], list[list[float]]]:
    """Return the limits of a trip, and what each of some amounts (kg, litres) takes of them."""
    limits = [truck.payload_kg]
    needs = [[sum(kg)] for kg, _ in amounts]
    for compartment in truck.compartments:
        limits += [compartment.capacity_kg, compartment.capacity_l]
        for (kg, litres), need in zip(amounts, needs, strict=True):
            need.append(sum(kg[fraction] for fraction in compartment.fractions))
            need.append(sum(litres[fraction] for fraction in compartment.fractions))
    return limits, needs


def binding_limits(limits: Sequence[float], needs: Sequence[Sequence[float]]) -> list[int]:
    """Return the limits that can bind: below the sum of needs, and implied by no other one.

    A limit implies another that is not lower and of which nothing takes more.

    Args:
        limits: of a trip.
        needs: what each amount takes of each limit.
    """
    taken = np.array(needs, dtype=np.float64).reshape(len(needs), len(limits)).T
    able = [i for i, limit in enumerate(limits) if limit < taken[i].sum()]
    found: list[int] = []
    for i in sorted(able, key=lambda i: (limits[i], -taken[i].sum(), i)):
        if not any(np.all(taken[j] >= taken[i]) for j in found):
            found.append(i)
    return sorted(found)


def has_compartments(truck: Truck, visit: Visit) -> bool:
    """Whether a truck's body has a place for each fraction of a visit, however little it holds."""
    amounts = zip(visit.kg, visit.litres, strict=True)
    return all(
        truck.compartment_of(fraction) is not None
        for fraction, (kg, litres) in enumerate(amounts)
        if kg > 0 or litres > 0
    )


def _covers(facilities: Iterable[Facility], mask: int) -> Iterable[tuple[int, ...]]:
    """Return the smallest sets of facilities that take all fractions of a mask, in every order.

    Three at most are tried for one trip; where they are not enough there is no way.
    """
    accepts = [_bits(facility.accepts) for facility in facilities]
    for count in range(1, min(3, len(accepts)) + 1):
        found = [
            order
            for chosen in combinations(range(len(accepts)), count)
            if mask & ~union_of(accepts[i] for i in chosen) == 0
            for order in permutations(chosen)
        ]
        if found:
            return found
    return ()


def union_of(masks: Iterable[int]) -> int:
    """Return the union of bit sets."""
    union = 0
    for mask in masks:
        union |= mask
    return union
