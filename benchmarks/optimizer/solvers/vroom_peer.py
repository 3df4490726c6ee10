"""VROOM 1.15 (pyvroom): thorough exploration on two threads, ended at the budget.

It knows neither several trips nor prizes. Where nothing is timed, durations carry the distance.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.optimizer.solvers import CannotExpressError
from benchmarks.optimizer.solvers.whole_numbers import (
    loads,
    money,
    plan_of,
    same_trucks,
    single_trip,
    window,
)

if TYPE_CHECKING:
    from benchmarks.optimizer.solvers import Told
    from optimizer.model import Problem, Solution

EXPLORATION, THREADS = 5, 2


def version() -> str:
    """Return pyvroom's version."""
    return metadata.version("pyvroom")


def prepare() -> None:
    """Import it."""
    import vroom  # noqa: F401


def solve(problem: Problem, budget_s: float, seed: int, told: Told) -> Solution | None:
    """Return VROOM's plan."""
    import vroom

    truck = same_trucks(problem)
    if not single_trip(problem, truck):
        raise CannotExpressError("several trips of a vehicle")
    if not all(visit.mandatory for visit in problem.visits):
        raise CannotExpressError("prizes")
    needs, limits = loads(problem, truck)
    shift = (truck.shift.earliest_s, truck.shift.latest_s)
    seconds, _ = problem.matrices()
    _, ways = money(problem, truck)
    timed = any(visit.windows for visit in problem.visits)
    model = vroom.Input()
    model.set_durations_matrix("car", (seconds if timed else ways).astype(np.uint32))
    for number in range(len(problem.trucks)):
        span = {"time_window": shift} if timed else {}
        model.add_vehicle(
            vroom.Vehicle(number, start=truck.start, end=truck.end, capacity=limits, **span)
        )
    for node, visit in enumerate(problem.visits):
        spans = {"time_windows": [window(visit, shift)]} if timed else {}
        model.add_job(
            vroom.Job(
                node, location=visit.location, delivery=needs[node],
                default_service=visit.service_s, **spans,
            )
        )  # fmt: skip
    found = model.solve(EXPLORATION, THREADS, timedelta(seconds=budget_s))
    routes: dict[int, list[int]] = {}
    steps = found.routes
    for vehicle, kind, job in zip(steps.vehicle_id, steps.type, steps.id, strict=True):
        if kind == "job":
            routes.setdefault(int(vehicle), []).append(int(job))
    depot = len(problem.visits)
    return plan_of(problem, [[*route, depot] for route in routes.values()], "vroom", seed)
