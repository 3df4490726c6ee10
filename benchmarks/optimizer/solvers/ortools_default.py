"""OR-Tools as a user would first write it, after its own guides.

PATH_CHEAPEST_ARC and GUIDED_LOCAL_SEARCH, a dimension for each load and one for time, unloading
visits as optional copies of each facility at which the load may fall to nothing (the guides'
`cvrp_reload`), breaks as intervals, and a penalty for what is optional. One thread: it has no more.
"""

from __future__ import annotations

import math
from importlib import metadata
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.optimizer.solvers.whole_numbers import (
    SHARES,
    SMALL,
    loads,
    money,
    plan_of,
    same_trucks,
    single_trip,
    window,
)

if TYPE_CHECKING:
    from benchmarks.optimizer.solvers import Told
    from optimizer.model import Problem, Solution, Truck

MOST_AS_MATRIX = 3000  # nodes; beyond, travel is asked for by callback, as small examples do
SPARE_TRIPS = 1.25


def version() -> str:
    """Return OR-Tools' version."""
    return metadata.version("ortools")


def prepare() -> None:
    """Import it."""
    import ortools.constraint_solver.pywrapcp  # noqa: F401


def solve(problem: Problem, budget_s: float, seed: int, told: Told) -> Solution | None:
    """Return OR-Tools' plan."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    began = monotonic()
    truck = same_trucks(problem)
    nodes = _nodes(problem, truck)
    fleet = len(problem.trucks)
    manager = pywrapcp.RoutingIndexManager(len(nodes), fleet, 0)
    routing = pywrapcp.RoutingModel(manager)
    scale = _costs(problem, truck, nodes, manager, routing)
    _loads(problem, truck, nodes, manager, routing)
    _times(problem, truck, nodes, manager, routing)
    for number, node in enumerate(nodes[1:], start=1):
        index = manager.NodeToIndex(number)
        if node >= len(problem.visits):
            routing.AddDisjunction([index], 0)
        elif (prize := problem.visit(node).prize_eur) is not None:
            routing.AddDisjunction([index], round(prize * scale))
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    left_s = budget_s - (monotonic() - began)
    if left_s <= 0:
        return None
    parameters.time_limit.FromMilliseconds(int(left_s * 1000))
    routing.AddAtSolutionCallback(
        lambda: told(monotonic() - began, routing.CostVar().Max() / scale)
    )
    found = routing.SolveWithParameters(parameters)
    if not found:
        return None
    depot = len(problem.visits)
    routes = []
    for vehicle in range(fleet):
        index, route = routing.Start(vehicle), []
        while not routing.IsEnd(index):
            route.append(nodes[manager.IndexToNode(index)])
            index = found.Value(routing.NextVar(index))
        route = route[1:]
        if route and problem.is_visit(route[-1]):
            route.append(depot)  # a plain VRP ends at its depot
        routes.append(route)
    return plan_of(problem, routes, "ortools-default", seed)


def _nodes(problem: Problem, truck: Truck) -> list[int]:
    """Return our node of each of theirs: the depot (-1), copies of facilities, the visits."""
    if single_trip(problem, truck):
        return [-1, *range(len(problem.visits))]
    needs, limits = loads(problem, truck)
    totals = np.array(needs, np.float64).sum(axis=0) / np.array(limits, np.float64)
    trips = math.ceil(float(totals.max(initial=1.0)) * SPARE_TRIPS) + len(problem.trucks)
    copies = max(2, math.ceil(trips / len(problem.facilities)))
    facilities = range(len(problem.visits), len(problem.visits) + len(problem.facilities))
    return [-1, *(node for node in facilities for _ in range(copies)), *range(len(problem.visits))]


def _places(problem: Problem, truck: Truck, nodes: list[int]) -> list[int]:
    return [truck.start if node < 0 else problem.location(node) for node in nodes]


def _costs(problem: Problem, truck: Truck, nodes: list[int], manager: Any, routing: Any) -> int:
    scale, ways = money(problem, truck)
    places = _places(problem, truck, nodes)
    routing.SetArcCostEvaluatorOfAllVehicles(_travel(routing, manager, ways, places))
    routing.SetFixedCostOfAllVehicles(round(truck.fixed_eur * scale))
    return scale


def _travel(routing: Any, manager: Any, ways: Any, places: list[int], extra: Any = None) -> int:
    at = np.array(places)
    added = np.zeros(len(places), np.int64) if extra is None else np.array(extra)
    if len(places) <= MOST_AS_MATRIX:
        matrix = (ways[np.ix_(at, at)] + added[:, None]).tolist()
        return int(routing.RegisterTransitMatrix(matrix))

    def way(one: int, other: int) -> int:
        first = manager.IndexToNode(one)
        return int(ways[at[first], at[manager.IndexToNode(other)]] + added[first])

    return int(routing.RegisterTransitCallback(way))


def _loads(problem: Problem, truck: Truck, nodes: list[int], manager: Any, routing: Any) -> None:
    needs, limits = loads(problem, truck)
    for number, limit in enumerate(limits):
        vector = [
            0 if node < 0 else needs[node][number] if node < len(problem.visits) else -limit
            for node in nodes
        ]
        name = f"load {number}"
        evaluator = routing.RegisterUnaryTransitVector(vector)
        routing.AddDimension(evaluator, limit, limit, True, name)
        if single_trip(problem, truck):
            continue
        load = routing.GetDimensionOrDie(name)
        for index, node in enumerate(nodes):
            if 0 <= node < len(problem.visits):
                load.SlackVar(manager.NodeToIndex(index)).SetValue(0)
        for vehicle in range(len(problem.trucks)):
            load.SlackVar(routing.Start(vehicle)).SetValue(0)
            load.CumulVar(routing.End(vehicle)).SetValue(0)
    days = (
        (truck.max_litres, [sum(visit.litres) for visit in problem.visits]),
        (truck.max_stops, [1.0] * len(problem.visits)),
    )
    for number, (limit_of_day, amounts) in enumerate(days):
        if limit_of_day is not None and sum(amounts) > limit_of_day:
            vector = [
                math.ceil(amounts[node] * SHARES - SMALL) if 0 <= node < len(amounts) else 0
                for node in nodes
            ]
            evaluator = routing.RegisterUnaryTransitVector(vector)
            most = math.floor(limit_of_day * SHARES)
            routing.AddDimension(evaluator, 0, most, True, f"day {number}")


def _times(problem: Problem, truck: Truck, nodes: list[int], manager: Any, routing: Any) -> None:
    if not truck.breaks and not any(visit.windows for visit in problem.visits):
        return
    seconds, _ = problem.matrices()
    service = [
        0 if node < 0
        else problem.visit(node).service_s if problem.is_visit(node)
        else problem.facility(node).unload_s
        for node in nodes
    ]  # fmt: skip
    shift = (truck.shift.earliest_s, truck.shift.latest_s)
    evaluator = _travel(routing, manager, seconds, _places(problem, truck, nodes), service)
    routing.AddDimension(evaluator, shift[1], shift[1], False, "time")
    time = routing.GetDimensionOrDie("time")
    for number, node in enumerate(nodes[1:], start=1):
        place = problem.visit(node) if problem.is_visit(node) else problem.facility(node)
        earliest_s, latest_s = window(place, shift)
        time.CumulVar(manager.NodeToIndex(number)).SetRange(earliest_s, min(latest_s, shift[1]))
    scale, _ = money(problem, truck)
    time.SetSpanCostCoefficientForAllVehicles(round(truck.eur_per_h * scale / 3600))
    solver = routing.solver()
    for vehicle in range(len(problem.trucks)):
        for index in (routing.Start(vehicle), routing.End(vehicle)):
            time.CumulVar(index).SetRange(*shift)
        if truck.breaks:
            at_nodes = [service[manager.IndexToNode(i)] for i in range(routing.Size())]
            pauses = [
                solver.FixedDurationIntervalVar(
                    rule.earliest_start_s, rule.latest_start_s, rule.duration_s, False, rule.rule
                )
                for rule in truck.breaks
            ]
            time.SetBreakIntervalsOfVehicle(pauses, vehicle, at_nodes)
