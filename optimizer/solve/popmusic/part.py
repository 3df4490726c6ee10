"""The unit of work: a few tours, by OR-Tools' iterated local search.

Strings of visits are removed as by Christiaens and Vanden Berghe (2020) and put back at the
cheapest place, without any descent in between. Either the tours are annealed for a moment at one
temperature, or others are made from scratch and only ever shortened: with hours the first
insertion is worth more than what an annealing of so few steps finds (`docs/adr/0006-solver.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.solve.decomposition.subset import part_of
from optimizer.solve.facts import Facts
from optimizer.solve.route import Builder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.model import Problem
    from optimizer.solve.ortools_model import DayModel
    from optimizer.solve.route import Route

    type Orders = tuple[tuple[int, tuple[int, ...]], ...]  # truck, and its visits in order

STRING, SCRATCH_STRING = 10, 15  # longest string, and visits removed on average
COLDEST_EUR = 1e-9  # OR-Tools divides by temperatures


@dataclass(frozen=True, slots=True)
class PartTask:
    """Which visits and trucks of a problem make a part, and how to search.

    Attributes:
        visits: in the order in which OR-Tools is to have them.
        trucks: that may serve them.
        tours: visits in order, by truck; empty for trucks that may be taken into use.
        seconds: wall time.
        temperature_eur: of the annealing; None to begin from scratch.
    """

    visits: tuple[int, ...]
    trucks: tuple[int, ...]
    tours: tuple[tuple[int, ...], ...]
    seconds: float
    temperature_eur: float | None


def solve_part(problem: Problem, task: PartTask) -> Orders | None:
    """Return the tours that OR-Tools makes of a part of a problem; None where it finds none.

    They may be dearer than those it begins with.
    """
    from optimizer.solve.trip_model import trip_model

    part = part_of(problem, task.visits, task.trucks)
    facts = Facts(part.problem)
    builder = Builder(facts)
    tours = [part.inner(tour) for tour in task.tours]
    routes = [builder.from_visits(truck, tour) for truck, tour in enumerate(tours) if tour]
    start = [route for route in routes if route]
    if not start or len(start) < len(routes):
        return None
    idle = [truck for truck, tour in enumerate(tours) if not tour]
    warm_eur = task.temperature_eur
    serving_all = warm_eur is not None and _serve_all(facts, start)  # not from scratch
    model = trip_model(facts, start, range(facts.visits), idle, serving_all=serving_all)
    if model is None:
        return None
    if warm_eur is None:
        found = model.routing.SolveWithIteratedLocalSearch(_from_scratch(task.seconds))
    else:
        found = _annealed(model, start, task.seconds, warm_eur)
    if found is None:
        return None
    return tuple((part.trucks[truck], part.outer(nodes)) for truck, nodes in model.nodes(found))


def _serve_all(facts: Facts, routes: Sequence[Route]) -> bool:
    """Whether routes serve every visit and none may be left out."""
    served = sum(len(route.visits) for route in routes)
    return served == facts.visits and all(prize is None for prize in facts.prize)


def _annealed(
    model: DayModel, start: Sequence[Route], seconds: float, temperature_eur: float
) -> Any:
    """Return what becomes of tours at a temperature."""
    search = _annealing(seconds, max(temperature_eur, COLDEST_EUR) * model.scale)
    model.routing.CloseModelWithParameters(search)
    # Locks bind the first solution alone, and so make the tours the first solution.
    empty: list[tuple[int, ...]] = [()] * (len(model.trucks) - len(start))
    locks = model.routes([*(route.visits for route in start), *empty])
    model.routing.ApplyLocksToAllVehicles(locks, True)
    return model.routing.SolveWithIteratedLocalSearch(search)


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


def _from_scratch(seconds: float) -> Any:
    """Return how OR-Tools is to insert visits and to shorten what it gets."""
    chosen = _with_strings(seconds, SCRATCH_STRING)
    iterated = chosen.iterated_local_search_parameters
    iterated.reference_solution_acceptance_strategy.greedy_descent.SetInParent()
    return chosen


def _annealing(seconds: float, temperature: float) -> Any:
    """Return how OR-Tools is to go on from tours, at a temperature in the model's parts of a euro.

    What it calls the best solution follows the search at the same temperature, too, so that it
    gives back where it is and not the best it has seen: the cooling goes over many parts.
    """
    from ortools.constraint_solver import routing_heuristic_parameters_pb2, routing_ils_pb2

    chosen = _with_strings(seconds, STRING)
    iterated = chosen.iterated_local_search_parameters
    inserted = iterated.ruin_recreate_parameters.recreate_strategy.parameters
    inserted.local_cheapest_insertion.insertion_sorting_properties.append(
        routing_heuristic_parameters_pb2.LocalCheapestInsertionParameters.SORTING_PROPERTY_RANDOM
    )
    for acceptance in (
        iterated.reference_solution_acceptance_strategy,
        iterated.best_solution_acceptance_strategy,
    ):
        annealing = acceptance.simulated_annealing
        annealing.cooling_schedule_strategy = routing_ils_pb2.CoolingScheduleStrategy.EXPONENTIAL
        annealing.initial_temperature = annealing.final_temperature = temperature
    return chosen


def _with_strings(seconds: float, string: int) -> Any:
    """Return a search that removes strings of visits, so many on average, and inserts them."""
    from ortools.constraint_solver import routing_enums_pb2

    first = routing_enums_pb2.FirstSolutionStrategy
    chosen = descent(seconds, first.PARALLEL_CHEAPEST_INSERTION)
    chosen.use_iterated_local_search = True
    iterated = chosen.iterated_local_search_parameters
    iterated.improve_perturbed_solution = False
    ruin = iterated.ruin_recreate_parameters
    del ruin.ruin_strategies[:]
    strings = ruin.ruin_strategies.add().sisr
    strings.max_removed_sequence_size = string
    strings.avg_num_removed_visits = string
    strings.bypass_factor = 0.01
    ruin.recreate_strategy.heuristic = first.LOCAL_CHEAPEST_INSERTION
    return chosen
