"""OR-Tools as an engine: guided local search from a plan that is already good.

Stock OR-Tools finds no first plan for days with several unloads, and given one it polishes well
(`docs/adr/0006-solver.md`). So it always starts from a plan, and only with the trucks in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.model import Solution, Tour
from optimizer.solve.days import day_of, solution_of
from optimizer.solve.demands import Demand, binding
from optimizer.solve.search import Search

if TYPE_CHECKING:
    from optimizer.model import Problem
    from optimizer.solve.route import Builder

LARGEST = 1200  # visits in one model; beyond, building it costs more than it gains
SHORTEST_S = 0.2
SOLUTIONS = 500  # accepted moves and refused ones, after which a day hardly gets better
FAILURES = 1000
SIGN = "+ortools"
HONOURED = frozenset(
    {Demand.LATEST_START, Demand.TOUR_LENGTH, Demand.OVERTIME, Demand.ENERGY, Demand.BALANCE}
)
"""What the model may face beyond the common rules. The price of overtime and of unequal tours it
does not know (a soft bound of a span finds no solution beside breaks in OR-Tools 9.15); the judge's
score does, so what they make dearer is not taken.
"""


@dataclass(frozen=True, slots=True)
class OrTools:
    """Polishes a plan with OR-Tools' guided local search."""

    share: float = 0.3
    largest: int = LARGEST

    def supports(self, problem: Problem) -> bool:
        """Whether a problem fits into one model that knows all its rules."""
        return len(problem.visits) <= self.largest and not binding(problem) - HONOURED

    def builds(self, problem: Problem) -> bool:
        """It always starts from a plan."""
        return False

    def improve(
        self,
        problem: Problem,
        builder: Builder,
        start: Solution,
        until: float,
        seed: int,
        effort: float,
    ) -> Solution | None:
        """Return the plan that OR-Tools finds from a start; None when it finds none."""
        from ortools.constraint_solver import pywrapcp, routing_enums_pb2

        from optimizer.solve.ortools_model import day_model

        if not self.supports(problem):
            return None
        search = Search(builder, seed)
        routes = [route for route in day_of(search, builder, start).routes if route]
        if not routes:
            return None
        model = day_model(builder.facts, routes)
        left_s = until - monotonic()
        if model is None or left_s < SHORTEST_S:
            return None
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
        parameters.time_limit.FromMilliseconds(int(left_s * 1000))
        # Counted limits come before the clock, so that the same seed gives the same plan.
        parameters.solution_limit = max(1, round(effort * SOLUTIONS))
        failures = model.routing.solver().FailuresLimit(max(1, round(effort * FAILURES)))
        model.routing.AddSearchMonitor(failures)
        model.routing.CloseModelWithParameters(parameters)
        first = model.routing.ReadAssignmentFromRoutes(
            model.routes([route.nodes for route in routes]), True
        )
        if first is None:
            return None
        found = model.routing.SolveFromAssignmentWithParameters(first, parameters)
        if found is None:
            return None
        tours = tuple(
            Tour(truck, problem.trucks[truck].shift.earliest_s, tuple(nodes))
            for truck, nodes in model.nodes(found)
            if any(node < len(problem.visits) for node in nodes)
        )
        day = day_of(search, builder, Solution(tours))
        return solution_of(builder, day, _signed(start.engine), seed)


def _signed(engine: str) -> str:
    """Return the name of whoever made the start, with that of OR-Tools once after it."""
    return f"{engine.removesuffix(SIGN)}{SIGN}".lstrip("+")
