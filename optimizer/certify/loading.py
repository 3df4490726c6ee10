"""What lies on board: judged by `optimizer.check` on a problem made of the tour's own stops.

Which fractions are on board is known as soon as the stops are; how much only where the plan says
so. So there are two problems: one of presence, in which every stop loads one kilogram of each of
its fractions into a truck without limits, and one of the amounts that are given.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from config.region import Vehicle
from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotApplied, NotJudged, Outcome
from optimizer.certify.given import Action
from optimizer.certify.stop import Stop
from optimizer.check import check
from optimizer.check.report import Violation
from optimizer.explain import Text
from optimizer.model import (
    DAY_S,
    Compartment,
    Facility,
    Problem,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Visit,
)

VEHICLE = Text("a vehicle of the region", "ein Fahrzeug der Region")
KG = Text("kg at each collection", "kg an jeder Leerung")
KG_BY = Text("kg of each fraction at each collection", "kg je Fraktion an jeder Leerung")
LITRES_BY = Text("litres of each fraction at each collection", "Liter je Fraktion an jeder Leerung")
OVERNIGHT = Text(
    "the vehicle may stay loaded overnight", "der Wagen darf über Nacht beladen bleiben"
)
AMPLE = 1e9
ANY = "any"

Amounts = Callable[[Stop], Mapping[str, float]]


def contents(case: Case) -> Iterator[Outcome]:
    """Judge what is on board: a compartment for it, a facility that takes it, empty at the end."""
    if case.vehicle is None:
        for rule in ("no-compartment", "facility-accepts", "ends-empty"):
            yield NotJudged(rule, case.name, VEHICLE)
        return
    presence = _Judged(case, case.vehicle, _one_of_each, _one_of_each, limits=False)
    for broken, stop in presence.violations():
        match broken.rule:
            case "no compartment":
                yield from _no_compartment(case, case.vehicle, stop)
            case "facility acceptance":
                accepts = ", ".join(stop.facility.accepts) if stop.facility else ""
                yield _finding("facility-accepts", case, stop, facts={"accepts": accepts})
            case "ends empty" if case.vehicle.overnight_load_allowed:
                yield NotApplied("ends-empty", case.name, OVERNIGHT)
            case "ends empty":
                yield _finding("ends-empty", case, stop)


def amounts(case: Case) -> Iterator[Outcome]:
    """Judge payload and compartments by the amounts that the plan gives."""
    vehicle = case.vehicle
    if vehicle is None:
        for rule in ("payload", "compartment-kg", "compartment-litres"):
            yield NotJudged(rule, case.name, VEHICLE)
        return
    by_kg = all(stop.kg_by is not None for stop in case.collects)
    by_litres = all(litres_of(case, stop) is not None for stop in case.collects)
    if by_kg:
        yield from _over(_Judged(case, vehicle, _kg, _nothing), "payload", "compartment kg")
    else:
        yield NotJudged("compartment-kg", case.name, KG_BY)
        if all(stop.given.kg is not None for stop in case.collects):
            yield from _over(_Judged(case, vehicle, _total_kg, _nothing), "payload")
        else:
            yield NotJudged("payload", case.name, KG)
    if by_litres:
        litres = partial(_litres_or_none, case)
        yield from _over(_Judged(case, vehicle, _nothing, litres), "compartment litres")
    else:
        yield NotJudged("compartment-litres", case.name, LITRES_BY)


_RULES = {
    "payload": "payload",
    "compartment kg": "compartment-kg",
    "compartment litres": "compartment-litres",
}


def _over(judged: "_Judged", *rules: str) -> Iterator[Finding]:
    for broken, stop in judged.violations():
        if broken.rule in rules:
            yield _finding(
                _RULES[broken.rule], judged.case, stop, value=broken.value, limit=broken.limit
            )


def _one_of_each(stop: Stop) -> Mapping[str, float]:
    if stop.given.kg == 0 or stop.given.litres == 0:
        return {}
    return dict.fromkeys(stop.fractions, 1.0)


def _kg(stop: Stop) -> Mapping[str, float]:
    return stop.kg_by or {}


def _total_kg(stop: Stop) -> Mapping[str, float]:
    return {ANY: stop.given.kg or 0.0}


def _nothing(_: Stop) -> Mapping[str, float]:
    return {}


def litres_of(case: Case, stop: Stop) -> Mapping[str, float] | None:
    """Return litres as they lie in the truck; from the weight, by density, where not given."""
    if stop.litres_by is not None or stop.kg_by is None:
        return stop.litres_by
    known = case.region.fraction_by_id
    return {
        name: kg / known[name].truck_kg_per_m3 * 1000
        for name, kg in stop.kg_by.items()
        if name in known
    }


def _litres_or_none(case: Case, stop: Stop) -> Mapping[str, float]:
    return litres_of(case, stop) or {}


def _no_compartment(case: Case, vehicle: Vehicle, stop: Stop) -> Iterator[Finding]:
    taken = {name for part in vehicle.compartments for name in part.fractions}
    lacking = sorted(stop.fractions - taken)
    facts = {"vehicle": vehicle.id, "fractions": ", ".join(lacking)}
    yield _finding("no-compartment", case, stop, facts=facts)


def _finding(
    rule: str,
    case: Case,
    stop: Stop,
    value: float | None = None,
    limit: float | None = None,
    facts: Mapping[str, str | Text] | None = None,
) -> Finding:
    line = stop.given.line
    return Finding(rule, case.name, stop.name, line, value, limit, facts or {})


class _Judged:
    """A tour as a problem with one truck: each stop a visit or a facility of its own.

    Args:
        case: the tour.
        vehicle: that drives it.
        kg: what is loaded at a stop, per fraction; likewise `litres`.
        limits: whether the truck has its payload and compartments' capacities.
    """

    def __init__(
        self, case: Case, vehicle: Vehicle, kg: Amounts, litres: Amounts, *, limits: bool = True
    ) -> None:
        self.case = case
        self._kg, self._litres, self._limits = kg, litres, limits
        self._stops = [
            stop for stop in case.stops if stop.action in (Action.COLLECT, Action.UNLOAD)
        ]
        names = [ANY, *case.region.fraction_by_id]
        self._fractions = {name: index for index, name in enumerate(names)}
        self._truck = self._truck_of(vehicle)

    def violations(self) -> Iterator[tuple[Violation, Stop]]:
        """Yield what the judge finds, with the stop at fault."""
        collects = [stop for stop in self._stops if stop.action is Action.COLLECT]
        unloads = [stop for stop in self._stops if stop.action is Action.UNLOAD]
        node = {id(stop): index for index, stop in enumerate([*collects, *unloads])}
        problem = Problem(
            fractions=tuple(self._fractions),
            visits=tuple(self._visit(f"{node[id(stop)]}", stop) for stop in collects),
            facilities=tuple(self._facility(f"{node[id(stop)]}", stop) for stop in unloads),
            trucks=(self._truck,),
            duration_s=np.zeros((1, 1), np.int64),  # times are judged as they are given
            distance_m=np.zeros((1, 1)),
        )
        tour = Tour(0, 0, tuple(node[id(stop)] for stop in self._stops))
        stops = [*collects, *unloads]
        for broken in check(problem, Solution((tour,))).violations:
            if broken.visit is not None:
                yield broken, stops[int(broken.visit)]

    def _visit(self, name: str, stop: Stop) -> Visit:
        return Visit(name, 0, self._row(self._kg(stop)), self._row(self._litres(stop)), 0)

    def _row(self, amounts: Mapping[str, float]) -> tuple[float, ...]:
        return tuple(amounts.get(name, 0.0) for name in self._fractions)

    def _facility(self, name: str, stop: Stop) -> Facility:
        """An unknown facility takes everything: that it is unknown is said elsewhere."""
        accepts = stop.facility.accepts if stop.facility else tuple(self._fractions)
        taken = {self._fractions[one] for one in (*accepts, ANY)}
        return Facility(name, 0, frozenset(taken), 0)

    def _truck_of(self, vehicle: Vehicle) -> Truck:
        parts = [
            Compartment(
                frozenset(self._fractions[name] for name in part.fractions),
                part.capacity_kg if self._limits else AMPLE,
                part.capacity_l if self._limits else AMPLE,
            )
            for part in vehicle.compartments
        ]
        anything = Compartment(frozenset({self._fractions[ANY]}), AMPLE, AMPLE)
        payload_kg = vehicle.payload_kg if self._limits else AMPLE
        day = TimeWindow(0, 2 * DAY_S)
        return Truck(vehicle.id, 0, 0, day, (*parts, anything), payload_kg)
