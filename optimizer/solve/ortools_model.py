"""A day as an OR-Tools routing model.

What was measured to work: travel by `RegisterTransitMatrix`, never by Python callbacks; unloading
visits as optional copies of each facility, at which the load may fall to nothing; an explicit last
unloading (load 0 at the end); breaks as intervals of the time dimension. Everything is a whole
number: seconds, grams, millilitres, and euro scaled so that no sum can overflow 64 bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.constraint_solver import pywrapcp

from optimizer.solve.facts import FAR_KM, FAR_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem, Truck
    from optimizer.solve.facts import Facts
    from optimizer.solve.route import Route

FINEST_EUR = 10_000  # parts of a euro
LARGEST_SUM = 2**60
LEFT_OUT_EUR = 10**7  # for a mandatory visit that is left out; as `FULL_EUR` in `search`
SPARE_COPIES = 2  # of each facility, beyond what the start uses


@dataclass(frozen=True, slots=True)
class DayModel:
    """A model, and how its indices and our nodes belong together."""

    routing: Any
    manager: Any
    node_of: tuple[int | None, ...]  # of each model node; None for starts and ends
    trucks: tuple[int, ...]
    scale: float  # parts of a euro

    def routes(self, tours: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return the nodes of tours as indices of the model, each unloading on its own copy."""
        free = {
            node: [number for number, _ in group]
            for node, group in groupby(
                sorted(
                    ((n, node) for n, node in enumerate(self.node_of) if node is not None),
                    key=lambda pair: pair[1],
                ),
                key=lambda pair: pair[1],
            )
        }
        index = self.manager.NodeToIndex  # not the node itself where tours end elsewhere
        return [[index(free[node].pop()) for node in nodes] for nodes in tours]

    def nodes(self, assignment: Any) -> list[tuple[int, list[int]]]:
        """Return the trucks and nodes of an assignment."""
        tours = []
        for vehicle, truck in enumerate(self.trucks):
            index = self.routing.Start(vehicle)
            nodes = []
            while not self.routing.IsEnd(index):
                node = self.node_of[self.manager.IndexToNode(index)]
                if node is not None:
                    nodes.append(node)
                index = assignment.Value(self.routing.NextVar(index))
            tours.append((truck, nodes))
        return tours


def day_model(facts: Facts, start: Sequence[Route]) -> DayModel | None:
    """Model the trucks in use; None where facilities take only parts of a load."""
    problem = facts.problem
    trucks = tuple(route.truck for route in start)
    facilities = _usable(facts, start)
    if facilities is None:
        return None
    stations = sorted(
        {problem.trucks[t].start for t in trucks} | {problem.trucks[t].end for t in trucks}
    )
    visits = [v for v in range(facts.visits) if any(facts.allowed(v, t) for t in trucks)]
    copies = [node for node, count in facilities.items() for _ in range(count)]
    node_of = (*(None for _ in stations), *copies, *visits)
    places = [*stations, *(facts.location[node] for node in (*copies, *visits))]
    at = {place: number for number, place in enumerate(stations)}
    manager = pywrapcp.RoutingIndexManager(
        len(places),
        len(trucks),
        [at[problem.trucks[t].start] for t in trucks],
        [at[problem.trucks[t].end] for t in trucks],
    )
    scale = scale_of(facts, trucks, len(places))
    model = DayModel(pywrapcp.RoutingModel(manager), manager, node_of, trucks, scale)
    _costs(model, facts, places)
    _times(model, facts, places, start)
    _energy(model, facts, places)
    _loads(model, facts)
    choices_of(model, facts)
    return model


def _usable(facts: Facts, start: Sequence[Route]) -> dict[int, int] | None:
    """Return how many copies of each facility to offer; only those that take everything."""
    take_all = facts.take_all_of(range(facts.visits))
    used = [node for route in start for node in route.nodes if node >= facts.visits]
    if not set(take_all).issuperset(used):
        return None
    return {node: used.count(node) + SPARE_COPIES for node in take_all}


def scale_of(facts: Facts, trucks: Sequence[int], size: int) -> float:
    """Return parts of a euro such that the dearest plan stays far below 64 bits."""
    kinds = {id(facts.kinds[t]): facts.kinds[t] for t in trucks}.values()
    dearest = max(
        (float(kind.cost[facts.seconds < FAR_S].max(initial=0.0)) * size + kind.truck.fixed_eur
         for kind in kinds), default=1.0,
    )  # fmt: skip
    hours = sum(facts.kinds[t].eur_per_s * facts.problem.trucks[t].shift.latest_s for t in trucks)
    prizes = hours + sum(prize or 0.0 for prize in facts.prize) + LEFT_OUT_EUR * size
    return min(float(FINEST_EUR), LARGEST_SUM / 1000 / max(dearest + prizes, 1.0))


def _costs(model: DayModel, facts: Facts, places: list[int]) -> None:
    at = np.array(places)
    far = facts.seconds[np.ix_(at, at)] >= FAR_S
    evaluators: dict[int, int] = {}
    for vehicle, truck in enumerate(model.trucks):
        kind = facts.kinds[truck]
        if id(kind) not in evaluators:
            euro = kind.km_eur[np.ix_(at, at)] + facts.km[np.ix_(at, at)] * 1e-4
            cost = np.where(far, LEFT_OUT_EUR, np.minimum(euro, LEFT_OUT_EUR)) * model.scale
            matrix = np.rint(cost).astype(np.int64).tolist()
            evaluators[id(kind)] = model.routing.RegisterTransitMatrix(matrix)
        model.routing.SetArcCostEvaluatorOfVehicle(evaluators[id(kind)], vehicle)
        model.routing.SetFixedCostOfVehicle(round(kind.truck.fixed_eur * model.scale), vehicle)


def _times(model: DayModel, facts: Facts, places: list[int], start: Sequence[Route]) -> None:
    problem, routing = facts.problem, model.routing
    at = np.array(places)
    service = np.array([0 if n is None else facts.service_s[n] for n in model.node_of])
    horizon = max(problem.trucks[truck].shift.latest_s for truck in model.trucks) + 1
    travel = np.minimum(facts.seconds[np.ix_(at, at)], horizon + 1)
    total = np.minimum(travel + service[:, None], 2 * horizon + 2)
    evaluator = routing.RegisterTransitMatrix(total.astype(np.int64).tolist())
    routing.AddDimension(evaluator, horizon, horizon, False, "time")
    time = routing.GetDimensionOrDie("time")
    for number, node in enumerate(model.node_of):
        if node is not None and facts.windows[node]:
            windows_of(
                time.CumulVar(model.manager.NodeToIndex(number)), facts.windows[node], horizon
            )
    for vehicle, route in enumerate(start):
        truck = problem.trucks[route.truck]
        first, last = (time.CumulVar(i) for i in (routing.Start(vehicle), routing.End(vehicle)))
        first.SetRange(truck.shift.earliest_s, min(_latest_start_s(truck), truck.shift.latest_s))
        last.SetRange(truck.shift.earliest_s, truck.shift.latest_s)
        time.SetSpanCostCoefficientForVehicle(
            round(facts.kinds[route.truck].eur_per_s * model.scale), vehicle
        )
        routing.AddVariableMaximizedByFinalizer(first)
        routing.AddVariableMinimizedByFinalizer(last)
        if truck.max_tour_s is not None:
            time.SetSpanUpperBoundForVehicle(truck.max_tour_s, vehicle)
        breaks_of(model, time, vehicle, truck, route, service)
    _driving(model, facts, travel)


def _latest_start_s(truck: Truck) -> int:
    return truck.shift.latest_s if truck.latest_start_s is None else truck.latest_start_s


def windows_of(cumul: Any, windows: Sequence[tuple[int, int]], horizon: int) -> None:
    """Let a time lie in one of some spans."""
    cumul.SetRange(min(windows[0][0], horizon), min(max(b for _, b in windows), horizon))
    closed_from = -1
    for opens, closes in windows:
        if closed_from >= 0 and opens - 1 >= closed_from:
            cumul.RemoveInterval(closed_from, opens - 1)
        closed_from = max(closed_from, closes + 1)


def breaks_of(
    model: DayModel, time: Any, vehicle: int, truck: Truck, route: Route, service: Any
) -> None:
    """Keep the breaks that the start takes; what it does not owe, it may not come to owe."""
    routing = model.routing
    solver = routing.solver()
    first, last = (time.CumulVar(i) for i in (routing.Start(vehicle), routing.End(vehicle)))
    intervals = []
    for rule in truck.breaks:
        if route.end_s <= rule.earliest_start_s:
            last.SetMax(min(last.Max(), rule.earliest_start_s))
        elif route.end_s - route.start_s <= rule.due_after_s:
            limits = (rule.due_after_s, time.GetSpanUpperBoundForVehicle(vehicle))
            time.SetSpanUpperBoundForVehicle(min(limits), vehicle)
        else:
            interval = solver.FixedDurationIntervalVar(
                rule.earliest_start_s, rule.latest_start_s, rule.duration_s, False, rule.rule
            )
            solver.Add(interval.StartExpr() >= first)
            solver.Add(interval.EndExpr() <= last)
            intervals.append(interval)
    if intervals:
        at_nodes = [int(service[model.manager.IndexToNode(i)]) for i in range(routing.Size())]
        time.SetBreakIntervalsOfVehicle(intervals, vehicle, at_nodes)


def _driving(model: DayModel, facts: Facts, travel: Any) -> None:
    limits = [facts.problem.trucks[truck].max_driving_s for truck in model.trucks]
    if all(limit is None for limit in limits):
        return
    evaluator = model.routing.RegisterTransitMatrix(travel.astype(np.int64).tolist())
    capacity = [min(FAR_S, FAR_S if limit is None else limit) for limit in limits]
    model.routing.AddDimensionWithVehicleCapacity(evaluator, 0, capacity, True, "driving")


def _energy(model: DayModel, facts: Facts, places: list[int]) -> None:
    """Add the batteries of electric trucks, in watt-hours, rounded up."""
    fleet = [facts.problem.trucks[truck] for truck in model.trucks]
    if all(truck.energy is None for truck in fleet):
        return
    at = np.array(places)
    km = np.minimum(facts.km[np.ix_(at, at)], FAR_KM)
    lifts = np.array(
        [
            0 if node is None or node >= facts.visits else facts.problem.visits[node].lifts
            for node in model.node_of
        ]
    )
    evaluators, capacity = [], []
    for truck in fleet:
        wh, usable = np.zeros(km.shape), float(FAR_S)
        if truck.energy is not None:
            energy = truck.energy
            wh = 1000 * (km * energy.kwh_per_km + lifts[:, None] * energy.kwh_per_lift)
            usable = max(0.0, 1000 * (energy.charge_kwh - energy.reserve_kwh))
        matrix = np.ceil(np.minimum(wh - 1e-6, FAR_S)).astype(np.int64)
        evaluators.append(model.routing.RegisterTransitMatrix(matrix.tolist()))
        capacity.append(math.floor(min(usable, FAR_S)))
    model.routing.AddDimensionWithVehicleTransitAndCapacity(evaluators, 0, capacity, True, "energy")


def _loads(model: DayModel, facts: Facts) -> None:
    """Add the limits of a trip, emptied at facilities, and those of a day."""
    problem = facts.problem
    fleet = [problem.trucks[truck] for truck in model.trucks]
    _trip_limit(model, facts, "payload", [_everything(problem)] * len(fleet),
                [truck.payload_kg for truck in fleet], "kg")  # fmt: skip
    for number in range(max(len(truck.compartments) for truck in fleet)):
        bodies = [t.compartments[number] if number < len(t.compartments) else None for t in fleet]
        fractions = [frozenset() if body is None else body.fractions for body in bodies]
        for unit in ("kg", "litres"):
            limits = [
                0.0 if body is None else body.capacity_kg if unit == "kg" else body.capacity_l
                for body in bodies
            ]
            _trip_limit(model, facts, f"compartment {number} {unit}", fractions, limits, unit)
    day_limits_of(model, facts)


def day_limits_of(model: DayModel, facts: Facts, *, one_trip: bool = False) -> None:
    """Add the limits of a day; where trucks have one trip, those below what a truck holds."""
    problem = facts.problem
    fleet = [problem.trucks[truck] for truck in model.trucks]
    _day_limit(model, "stops", [1] * facts.visits, [truck.max_stops for truck in fleet])
    kg = [math.ceil(1000 * sum(visit.kg) - 1e-6) for visit in problem.visits]
    litres = [math.ceil(1000 * sum(visit.litres) - 1e-6) for visit in problem.visits]
    holds = [_holds(truck) if one_trip else (math.inf, math.inf) for truck in fleet]
    most_kg = [_below(t.max_kg, full) for t, (full, _) in zip(fleet, holds, strict=True)]
    most_litres = [_below(t.max_litres, full) for t, (_, full) in zip(fleet, holds, strict=True)]
    _day_limit(model, "day kg", kg, [_thousandths(limit) for limit in most_kg])
    _day_limit(model, "day litres", litres, [_thousandths(limit) for limit in most_litres])


def _holds(truck: Truck) -> tuple[float, float]:
    """Return kg and litres of a full truck."""
    kg = sum(compartment.capacity_kg for compartment in truck.compartments)
    return min(truck.payload_kg, kg), sum(c.capacity_l for c in truck.compartments)


def _below(limit: float | None, most: float) -> float | None:
    """Return a limit where it is below what can be reached at all."""
    return None if limit is None or limit >= most else limit


def _everything(problem: Problem) -> frozenset[int]:
    return frozenset(range(len(problem.fractions)))


def _thousandths(limit: float | None) -> int | None:
    return None if limit is None else math.floor(1000 * limit + 1e-3)


def _trip_limit(
    model: DayModel,
    facts: Facts,
    name: str,
    fractions: Sequence[frozenset[int]],
    limits: Sequence[float],
    unit: str,
) -> None:
    """Add what a truck holds of something, where that can bind or has to be empty at the end."""
    amounts = [getattr(visit, unit) for visit in facts.problem.visits]
    routing = model.routing
    evaluators: dict[frozenset[int], int] = {}
    total = 0
    largest = max(math.ceil(1000 * limit) for limit in limits)
    for part in fractions:
        if part in evaluators:
            continue
        demand = [math.ceil(1000 * sum(a[f] for f in part) - 1e-6) for a in amounts]
        total = max(total, sum(demand))
        emptied = -min(largest, sum(demand))
        vector = [
            0 if node is None else demand[node] if node < facts.visits else emptied
            for node in model.node_of
        ]
        evaluators[part] = routing.RegisterUnaryTransitVector(vector)
    if total == 0:
        return
    capacity = [min(math.floor(1000 * limit + 1e-3), total) for limit in limits]
    routing.AddDimensionWithVehicleTransitAndCapacity(
        [evaluators[part] for part in fractions], total, capacity, True, name
    )
    dimension = routing.GetDimensionOrDie(name)
    for number, node in enumerate(model.node_of):
        if node is not None and node < facts.visits:
            dimension.SlackVar(model.manager.NodeToIndex(number)).SetValue(0)
    for vehicle in range(len(model.trucks)):
        dimension.SlackVar(routing.Start(vehicle)).SetValue(0)
        dimension.CumulVar(routing.End(vehicle)).SetValue(0)


def _day_limit(
    model: DayModel, name: str, amounts: Sequence[int], limits: Sequence[int | None]
) -> None:
    total = sum(amounts)
    capacity = [total if limit is None else min(limit, total) for limit in limits]
    if all(limit >= total for limit in capacity):
        return
    vector = [
        amounts[node] if node is not None and node < len(amounts) else 0 for node in model.node_of
    ]
    evaluator = model.routing.RegisterUnaryTransitVector(vector)
    model.routing.AddDimensionWithVehicleCapacity(evaluator, 0, capacity, True, name)


def choices_of(model: DayModel, facts: Facts, *, serving_all: bool = False) -> None:
    """Make copies of facilities free to use, visits dear to leave out, and trucks choosy.

    Args:
        model: to add to.
        facts: the problem.
        serving_all: whether no visit may be left out at all; a third more attempts a second.
    """
    for number, node in enumerate(model.node_of):
        if node is None:
            continue
        index = model.manager.NodeToIndex(number)
        if node >= facts.visits:
            model.routing.AddDisjunction([index], 0)
            continue
        if not serving_all:
            prize = facts.prize[node]
            worth = LEFT_OUT_EUR if prize is None else prize
            model.routing.AddDisjunction([index], round(min(worth, LEFT_OUT_EUR) * model.scale))
        able = [v for v, truck in enumerate(model.trucks) if facts.allowed(node, truck)]
        if len(able) < len(model.trucks):
            model.routing.SetAllowedVehiclesForIndex(able, index)
