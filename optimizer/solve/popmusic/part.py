"""The unit of work: a few tours, solved from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.solve.facts import Facts
from optimizer.solve.route import Builder

if TYPE_CHECKING:
    from optimizer.model import Problem

    type Orders = tuple[tuple[int, tuple[int, ...]], ...]  # truck, and its visits in order

STRING = 15  # longest string, and visits removed on average, of OR-Tools' own search


@dataclass(frozen=True, slots=True)
class PartTask:
    """Some visits and trucks as a problem, and how long to search.

    Attributes:
        problem: the part, as a problem of its own.
        tours: visits in order, by truck; empty for trucks that may be taken into use.
        seconds: wall time.
    """

    problem: Problem
    tours: tuple[tuple[int, ...], ...]
    seconds: float


def solve_part(task: PartTask) -> Orders | None:
    """Return the tours that OR-Tools makes of a part; None where it finds none."""
    from optimizer.solve.trip_model import trip_model

    facts = Facts(task.problem)
    builder = Builder(facts)
    routes = [builder.from_visits(truck, tour) for truck, tour in enumerate(task.tours) if tour]
    start = [route for route in routes if route]
    if not start or len(start) < len(routes):
        return None
    idle = [truck for truck, tour in enumerate(task.tours) if not tour]
    model = trip_model(facts, start, range(facts.visits), idle)
    if model is None:
        return None
    hours = any(facts.windows[visit] for visit in range(facts.visits))
    found = model.routing.SolveWithIteratedLocalSearch(_iterated(task.seconds, hours))
    if found is None:
        return None
    return tuple((truck, tuple(nodes)) for truck, nodes in model.nodes(found))


def descent(seconds: float, heuristic: int) -> Any:
    """Return how OR-Tools is to construct tours, and to shorten them as long as each step gains.

    Args:
        seconds: wall time.
        heuristic: that constructs, a `FirstSolutionStrategy` of OR-Tools.
    """
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    chosen = pywrapcp.DefaultRoutingSearchParameters()
    chosen.first_solution_strategy = heuristic
    chosen.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    chosen.time_limit.FromMilliseconds(max(1, int(seconds * 1000)))
    return chosen


def _iterated(seconds: float, hours: bool) -> Any:
    """Return how OR-Tools is to go on from there, by removing strings of visits."""
    from ortools.constraint_solver import routing_enums_pb2

    first = routing_enums_pb2.FirstSolutionStrategy
    chosen = descent(seconds, first.PARALLEL_CHEAPEST_INSERTION if hours else first.SAVINGS)
    chosen.use_iterated_local_search = True
    iterated = chosen.iterated_local_search_parameters
    ruin = iterated.ruin_recreate_parameters
    del ruin.ruin_strategies[:]
    strings = ruin.ruin_strategies.add().sisr
    strings.max_removed_sequence_size = STRING
    strings.avg_num_removed_visits = STRING
    strings.bypass_factor = 0.01
    ruin.recreate_strategy.heuristic = (
        routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    )
    iterated.improve_perturbed_solution = False
    iterated.reference_solution_acceptance_strategy.greedy_descent.SetInParent()
    return chosen
