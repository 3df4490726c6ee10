"""What a tour carries: loads per trip, and every limit on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.check.report import Trip, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.model import Facility, Problem, Truck, Visit

SLACK = 1e-6  # kg and litres; sums of floats are not exact


@dataclass(slots=True)
class _Trip:
    """A trip under way: what was collected since the last unloading that ended a trip."""

    fractions: int
    visits: list[str] = field(default_factory=list)
    facilities: list[str] = field(default_factory=list)
    kg: list[float] = field(init=False)
    litres: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.kg = [0.0] * self.fractions
        self.litres = [0.0] * self.fractions

    def done(self) -> Trip:
        return Trip(tuple(self.visits), tuple(self.kg), tuple(self.litres), tuple(self.facilities))


class _Body:
    """What lies in the truck, and how far each of its limits was exceeded on this trip."""

    def __init__(self, problem: Problem, truck: Truck) -> None:
        self.truck = truck
        on_board = truck.underway
        self.kg = list(on_board.kg) if on_board else [0.0] * len(problem.fractions)
        self.litres = list(on_board.litres) if on_board else [0.0] * len(problem.fractions)
        self.over: dict[tuple[str, int], Violation] = {}

    def load(self, visit: Visit) -> None:
        for fraction, (kg, litres) in enumerate(zip(visit.kg, visit.litres, strict=True)):
            self.kg[fraction] += kg
            self.litres[fraction] += litres
        self._limit("payload", 0, sum(self.kg), self.truck.payload_kg, "kg", visit.id)
        for number, compartment in enumerate(self.truck.compartments):
            kg = sum(self.kg[fraction] for fraction in compartment.fractions)
            litres = sum(self.litres[fraction] for fraction in compartment.fractions)
            self._limit("compartment kg", number, kg, compartment.capacity_kg, "kg", visit.id)
            self._limit(
                "compartment litres", number, litres, compartment.capacity_l, "litres", visit.id
            )

    def unload(self, facility: Facility) -> bool:
        """Empty what the facility accepts; return whether anything was left there, or empty."""
        loaded = [f for f in range(len(self.kg)) if self.kg[f] > SLACK or self.litres[f] > SLACK]
        for fraction in facility.accepts:
            self.kg[fraction] = self.litres[fraction] = 0.0
        return not loaded or any(fraction in facility.accepts for fraction in loaded)

    def new_violations(self) -> list[Violation]:
        """Return what was exceeded since the last call: one violation per limit, with its peak."""
        found = list(self.over.values())
        self.over.clear()
        return found

    def _limit(
        self, rule: str, number: int, value: float, limit: float, unit: str, visit: str
    ) -> None:
        if value <= limit + SLACK:
            return
        first = self.over.get((rule, number))
        at = first.visit if first else visit
        where = f" of compartment {number + 1}" if rule != "payload" else ""
        self.over[rule, number] = Violation(
            rule, self.truck.id, at, value, limit,
            f"tour {self.truck.id}: {value:g} {unit}{where} carried from {at} on, "
            f"{limit:g} {unit} are allowed",
        )  # fmt: skip


def loads(
    problem: Problem, truck: Truck, nodes: Sequence[int]
) -> tuple[tuple[Trip, ...], tuple[Violation, ...]]:
    """Follow a tour's load; return its trips and what is wrong with them."""
    body = _Body(problem, truck)
    trips: list[Trip] = []
    trip = _Trip(len(problem.fractions))
    trip.kg, trip.litres = list(body.kg), list(body.litres)  # of a truck that is underway
    broken: list[Violation] = []
    for node in nodes:
        if problem.is_visit(node):
            visit = problem.visit(node)
            if trip.facilities:
                trips.append(trip.done())
                trip = _Trip(len(problem.fractions))
            trip.visits.append(visit.id)
            for fraction in range(len(problem.fractions)):
                trip.kg[fraction] += visit.kg[fraction]
                trip.litres[fraction] += visit.litres[fraction]
            body.load(visit)
            broken.extend(_no_compartment(problem, truck, visit))
        else:
            facility = problem.facility(node)
            broken.extend(body.new_violations())
            trip.facilities.append(facility.id)
            if not body.unload(facility):
                broken.append(_refused(problem, truck, facility))
    broken.extend(body.new_violations())
    if trip.visits or trip.facilities:
        trips.append(trip.done())
    if not truck.overnight_load_allowed:
        broken.extend(_not_empty(problem, truck, body, nodes))
    return tuple(trips), tuple(broken)


def day_limits(problem: Problem, truck: Truck, nodes: Sequence[int]) -> Iterator[Violation]:
    """Yield the limits of a whole day that a tour exceeds.

    What a truck underway has done counts, but who visits nothing more exceeds nothing.
    """
    visits = [problem.visit(node) for node in nodes if problem.is_visit(node)]
    if not visits:
        return
    done = truck.underway
    stops, kg, litres = (done.stops, done.kg_today, done.litres_today) if done else (0, 0.0, 0.0)
    kg += sum(sum(visit.kg) for visit in visits)
    litres += sum(sum(visit.litres) for visit in visits)
    amounts = (
        ("max stops", stops + len(visits), truck.max_stops, "visits"),
        ("max kg", kg, truck.max_kg, "kg"),
        ("max litres", litres, truck.max_litres, "litres"),
    )
    for rule, value, limit, unit in amounts:
        if limit is not None and value > limit + SLACK:
            yield Violation(
                rule, truck.id, None, value, limit,
                f"tour {truck.id}: {value:g} {unit} in a day, {limit:g} are allowed",
            )  # fmt: skip


def _no_compartment(problem: Problem, truck: Truck, visit: Visit) -> Iterator[Violation]:
    for fraction, name in enumerate(problem.fractions):
        amount = max(visit.kg[fraction], visit.litres[fraction])
        if amount > SLACK and truck.compartment_of(fraction) is None:
            yield Violation(
                "no compartment", truck.id, visit.id, amount, 0,
                f"tour {truck.id}: no compartment takes {name} of {visit.id}",
            )  # fmt: skip


def _refused(problem: Problem, truck: Truck, facility: Facility) -> Violation:
    takes = ", ".join(problem.fractions[f] for f in sorted(facility.accepts)) or "nothing"
    return Violation(
        "facility acceptance", truck.id, facility.id, None, None,
        f"tour {truck.id}: {facility.id} takes {takes}, and none of what the truck carries",
    )  # fmt: skip


def _not_empty(
    problem: Problem, truck: Truck, body: _Body, nodes: Sequence[int]
) -> Iterator[Violation]:
    kg, litres = sum(body.kg), sum(body.litres)
    if kg > SLACK or litres > SLACK:
        yield Violation(
            "ends empty", truck.id, problem.node_id(nodes[-1]) if nodes else None,
            max(kg, litres), 0,
            f"tour {truck.id}: ends with {kg:g} kg, {litres:g} litres on board; "
            "it has to unload before its end",
        )  # fmt: skip
