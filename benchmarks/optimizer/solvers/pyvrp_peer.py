"""PyVRP 0.14: two independent seeds side by side, the better plan counts.

Several trips by its reload depots, with a tight fleet: trucks are taken away as long as it still
finds plans. The end of a tour is a place of its own, reached by way of the best facility, so that
tours end empty. It knows no breaks: the shift is shortened by them, and so is every window that
ends after they are due; the judge places them. A limit of a day's volume is carried by its
distance dimension, cost then by time, which is proportional to distance where that is needed.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from importlib import metadata
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.optimizer.solvers import CannotExpressError
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
from optimizer.check import check

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from benchmarks.optimizer.solvers import Told
    from optimizer.model import Problem, Solution, Truck

SEEDS = 2  # at once, one a core
FIRST, SMALLER, UNTIL = 0.3, 0.1, 0.6  # shares of the time: first plan, each truck less, all that


def version() -> str:
    """Return PyVRP's version."""
    return metadata.version("pyvrp")


def prepare() -> None:
    """Import it."""
    import pyvrp  # noqa: F401


@dataclass(frozen=True)
class Model:
    """A problem in PyVRP's words.

    Attributes:
        data: its ProblemData.
        scale: parts of a euro; None where its cost is not money.
        ends: facility node by whose way each location reaches the tour's end best.
    """

    data: Any
    scale: int | None
    ends: NDArray[np.int64] | None


def solve(problem: Problem, budget_s: float, seed: int, told: Told) -> Solution | None:
    """Return the better of two plans."""
    began = monotonic()
    until = began + budget_s
    model = _model(problem)
    context = multiprocessing.get_context("fork")
    runs = []
    for number in range(SEEDS):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_run, args=(theirs, problem, model, began, until, seed * SEEDS + number)
        )
        process.start()
        theirs.close()
        runs.append((process, ours))
    plans, traces = [], []
    for process, pipe in runs:
        try:
            routes, trace = pipe.recv()
        except EOFError:
            routes, trace = None, []
        process.join()
        traces += trace
        if routes is not None:
            plans.append(plan_of(problem, routes, "pyvrp", seed))
    for seconds, cost in sorted(traces):
        told(seconds, cost)
    return min(plans, key=lambda s: (not (r := check(problem, s)).legal, r.score), default=None)


def _run(
    pipe: Connection, problem: Problem, model: Model, began: float, until: float, seed: int
) -> None:
    trace: list[tuple[float, float]] = []
    best = _searched(model, until, seed, _watching(model, began, trace))
    routes = None if best is None else [_nodes(problem, model, route) for route in best.routes()]
    pipe.send((routes, trace))


def _watching(model: Model, began: float, trace: list[tuple[float, float]]) -> Any:
    """Return PyVRP's own parameters, with somebody who writes down each better plan."""
    import pyvrp

    class Watcher(pyvrp.IteratedLocalSearchCallbacks):  # type: ignore[misc]
        def on_best(self, best: Any) -> None:
            if model.scale is not None:
                trace.append((monotonic() - began, judge.cost(best) / model.scale))

    judge = pyvrp.CostEvaluator([0] * model.data.num_load_dimensions, 0, 0)
    return pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(callbacks=Watcher()))


def _searched(model: Model, until: float, seed: int, watching: Any) -> Any:
    """Return the best feasible plan; where trucks cost and trips are several, with few trucks."""
    import pyvrp
    from pyvrp.stop import FirstFeasible, MaxRuntime, MultipleCriteria

    budget_s = until - monotonic()
    data, start = model.data, None
    (kind,) = data.vehicle_types()
    if kind.fixed_cost and kind.reload_depots and model.scale is not None:
        first = pyvrp.solve(data, MaxRuntime(FIRST * budget_s), seed, False, params=watching).best
        if first.is_feasible():
            start, count = first, first.num_routes()
            while until - monotonic() > (1 - UNTIL) * budget_s and count > 1:
                fewer = data.replace(vehicle_types=[kind.replace(num_available=count - 1)])
                stop = MultipleCriteria([FirstFeasible(), MaxRuntime(SMALLER * budget_s)])
                found = pyvrp.solve(fewer, stop, seed, collect_stats=False).best
                if not found.is_feasible():
                    break
                start, count = found, found.num_routes()
            data = data.replace(vehicle_types=[kind.replace(num_available=count)])
            start = pyvrp.Solution(data, start.routes())
    left_s = max(0.05, until - monotonic())
    best = pyvrp.solve(
        data, MaxRuntime(left_s), seed, False, params=watching, initial_solution=start
    ).best
    return best if best.is_feasible() else start


def _nodes(problem: Problem, model: Model, route: Any) -> list[int]:
    """Return a route as our nodes, with the unloading that its end stands for."""
    depot = len(problem.visits)
    nodes: list[int] = []
    for step in route:
        if step.is_client():
            nodes.append(step.idx)
        elif (
            step.is_depot() and model.ends is not None and 1 <= step.idx <= len(problem.facilities)
        ):
            nodes.append(depot + step.idx - 1)
    while nodes and not problem.is_visit(nodes[-1]):
        nodes.pop()
    if not nodes:
        return []
    last = depot if model.ends is None else int(model.ends[problem.location(nodes[-1])])
    return [*nodes, last]


def _model(problem: Problem) -> Model:
    import pyvrp

    truck = same_trucks(problem)
    needs, limits = loads(problem, truck)
    scale, ways = money(problem, truck)
    seconds, _ = problem.matrices()
    several = not single_trip(problem, truck)
    rest_s = sum(rule.duration_s for rule in truck.breaks)
    shift = (truck.shift.earliest_s, truck.shift.latest_s - rest_s)
    ends = None
    more: dict[str, Any] = {}
    if several:
        seconds, ways, ends = _with_end(problem, truck, seconds, ways)
        more = {
            "end_depot": len(problem.facilities) + 1,
            "reload_depots": list(range(1, len(problem.facilities) + 1)),
        }
    unit_distance, unit_duration = 1, round(truck.eur_per_h * scale / 3600)
    fixed, money_scale = round(truck.fixed_eur * scale), scale
    day = truck.max_litres
    litres = [sum(visit.litres) for visit in problem.visits]
    if several and day is not None and sum(litres) > day:
        per_second = _per_second(seconds, ways)
        picked = np.zeros(len(ways), np.int64)
        picked[[visit.location for visit in problem.visits]] = np.ceil(
            np.array(litres) * SHARES - SMALL
        ).astype(np.int64)
        ways = np.broadcast_to(picked, ways.shape) * (1 - np.eye(len(ways), dtype=np.int64))
        unit_distance, unit_duration = 0, 1
        fixed, money_scale = round(truck.fixed_eur * scale / per_second), 0
        more["max_distance"] = int(day * SHARES)
    size = len(ways)
    locations = [pyvrp.Location(float(n), 0.0) for n in range(size)]
    clients = [
        pyvrp.Client(
            visit.location, pickup=needs[node], service_duration=visit.service_s,
            **_span(window(visit, shift), truck, rest_s, shift),
            prize=round((visit.prize_eur or 0.0) * scale), required=visit.mandatory,
        )
        for node, visit in enumerate(problem.visits)
    ]  # fmt: skip
    depots = [pyvrp.Depot(truck.start, *shift)]
    if several:
        depots += [
            pyvrp.Depot(
                facility.location, **_span(window(facility, shift), truck, rest_s, shift),
                service_duration=facility.unload_s,
            )
            for facility in problem.facilities
        ]  # fmt: skip
        depots.append(pyvrp.Depot(size - 1, *shift))
    kind = pyvrp.VehicleType(
        len(problem.trucks), limits, fixed_cost=fixed, tw_early=shift[0], tw_late=shift[1],
        unit_distance_cost=unit_distance, unit_duration_cost=unit_duration, **more,
    )  # fmt: skip
    data = pyvrp.ProblemData(locations, clients, depots, [kind], [ways], [seconds])
    return Model(data, money_scale or None, ends)


def _span(
    span: tuple[int, int], truck: Truck, rest_s: int, shift: tuple[int, int]
) -> dict[str, int]:
    """Return a window on a clock that stands still during breaks."""
    earliest_s, latest_s = span
    if latest_s > min([rule.earliest_start_s for rule in truck.breaks], default=latest_s):
        latest_s = max(earliest_s, latest_s - rest_s)
    return {"tw_early": min(earliest_s, shift[1]), "tw_late": min(latest_s, shift[1])}


def _with_end(
    problem: Problem, truck: Truck, seconds: Any, ways: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return travel with one more place: the end of a tour by way of the best facility."""
    size = len(ways)
    at = [facility.location for facility in problem.facilities]
    unload = np.array([facility.unload_s for facility in problem.facilities])
    by_way = ways[:, at] + ways[at, truck.end]
    best = by_way.argmin(axis=1)
    rows = np.arange(size)
    through = seconds[:, at] + seconds[at, truck.end] + unload
    wider = []
    for matrix, last in ((seconds, through[rows, best]), (ways, by_way[rows, best])):
        wide = np.zeros((size + 1, size + 1), np.int64)
        wide[:size, :size] = matrix
        wide[:size, size] = last
        wide[size, :size] = matrix[truck.start]
        for place in at:  # from a facility the load is gone already
            wide[place, size] = matrix[place, truck.end]
        wider.append(wide)
    return wider[0], wider[1], len(problem.visits) + best


def _per_second(seconds: Any, ways: Any) -> float:
    """Return the cost of a second's way, where cost and time are proportional."""
    size = len(ways) - 1
    some = seconds[:size, :size] > 600
    ratio = ways[:size, :size][some] / seconds[:size, :size][some]
    if not len(ratio) or ratio.max() > 1.02 * ratio.min():
        raise CannotExpressError("a limit of the day's volume")
    return float(np.median(ratio))
