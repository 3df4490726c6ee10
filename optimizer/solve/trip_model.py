"""Tours of one trip each as an OR-Tools routing model.

With one trip a tour ends with its unloading, so the way from a visit by the best facility to the
tour's end is one arc, and no unloading visit has to be found by the solver's heuristics: those
work then, as they do not where trips outnumber trucks (`docs/adr/0006-solver.md`). Opening hours
of facilities are left to whoever takes the tours over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ortools.constraint_solver import pywrapcp

from optimizer.solve.facts import FAR_S
from optimizer.solve.ortools_model import (
    LEFT_OUT_EUR,
    DayModel,
    breaks_of,
    choices_of,
    day_limits_of,
    scale_of,
    windows_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from optimizer.solve.facts import Facts, Kind
    from optimizer.solve.route import Route

PARTS = 1000  # of a kilogram or litre that are told apart


@dataclass(frozen=True, slots=True)
class _Part:
    """Trucks and visits of a model.

    Attributes:
        kinds: the different kinds of its trucks; kind k starts at node 2k and ends at 2k + 1.
        kind_of: index of each vehicle's kind.
    """

    facts: Facts
    trucks: tuple[int, ...]
    visits: tuple[int, ...]
    kinds: tuple[Kind, ...]
    kind_of: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of nodes."""
        return 2 * len(self.kinds) + len(self.visits)

    def spread(
        self, k: int, table: NDArray[np.float64], last: NDArray[np.float64]
    ) -> list[list[int]]:
        """Return what a table of all locations says between the nodes that kind k can use."""
        kind, at = self.kinds[k].truck, [self.facts.location[visit] for visit in self.visits]
        first = 2 * len(self.kinds)
        spread = np.full((self.size, self.size), float(table.max(initial=0.0)))
        spread[first:, first:] = table[np.ix_(at, at)]
        spread[2 * k, first:] = table[kind.start, at]
        spread[first:, 2 * k + 1] = last
        spread[2 * k, 2 * k + 1] = 0
        found: list[list[int]] = np.rint(spread).astype(np.int64).tolist()
        return found


def trip_model(
    facts: Facts,
    start: Sequence[Route],
    visits: Sequence[int],
    idle: Sequence[int] = (),
    *,
    serving_all: bool = False,
) -> DayModel | None:
    """Model trucks with one trip each; None where no facility takes everything.

    Args:
        facts: the problem.
        start: tours as they are; their trucks may change everything.
        visits: to be served by these trucks.
        idle: trucks that may be taken into use.
        serving_all: whether no visit may be left out, at whatever price.
    """
    trucks = (*(route.truck for route in start), *idle)
    kinds = tuple({id(facts.kinds[t]): facts.kinds[t] for t in trucks}.values())
    at = {id(kind): index for index, kind in enumerate(kinds)}
    kind_of = tuple(at[id(facts.kinds[t])] for t in trucks)
    part = _Part(facts, trucks, tuple(visits), kinds, kind_of)
    stations = facts.take_all_of(visits)
    if not stations:
        return None
    manager = pywrapcp.RoutingIndexManager(
        part.size, len(trucks), [2 * k for k in kind_of], [2 * k + 1 for k in kind_of]
    )
    node_of = (*(None for _ in range(2 * len(kinds))), *visits)
    scale = scale_of(facts, trucks, part.size)
    model = DayModel(pywrapcp.RoutingModel(manager), manager, node_of, trucks, scale)
    last = [_last_ways(facts, kind, visits, stations) for kind in kinds]
    _costs(model, part, [euro for euro, _ in last])
    if any(_needs_clock(part, k) for k in range(len(kinds))):
        _times(model, part, start, [seconds for _, seconds in last])
    _loads(model, part)
    choices_of(model, facts, serving_all=serving_all)
    return model


def _last_ways(
    facts: Facts, kind: Kind, visits: Sequence[int], stations: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return euro and seconds of the cheapest way to unload and end, from each visit."""
    at, end = [facts.location[visit] for visit in visits], kind.truck.end
    places = [facts.location[node] for node in stations]
    unload_s = np.array([facts.service_s[node] for node in stations], np.float64)
    total = kind.cost[np.ix_(at, places)] + kind.cost[places, end] + unload_s * kind.eur_per_s
    best = total.argmin(axis=1)
    rows = np.arange(len(at))
    euro = (kind.km_eur[np.ix_(at, places)] + kind.km_eur[places, end])[rows, best]
    seconds = (facts.seconds[np.ix_(at, places)] + facts.seconds[places, end] + unload_s)[
        rows, best
    ]
    return euro, seconds


def _costs(model: DayModel, part: _Part, last: Sequence[NDArray[np.float64]]) -> None:
    evaluators = []
    for k, kind in enumerate(part.kinds):
        far = part.facts.seconds >= FAR_S
        euro = np.where(far, LEFT_OUT_EUR, np.minimum(kind.km_eur, LEFT_OUT_EUR)) * model.scale
        ends = np.minimum(last[k], LEFT_OUT_EUR) * model.scale
        evaluators.append(model.routing.RegisterTransitMatrix(part.spread(k, euro, ends)))
    for vehicle, k in enumerate(part.kind_of):
        model.routing.SetArcCostEvaluatorOfVehicle(evaluators[k], vehicle)
        fixed = round(part.kinds[k].truck.fixed_eur * model.scale)
        model.routing.SetFixedCostOfVehicle(fixed, vehicle)


def _needs_clock(part: _Part, k: int) -> bool:
    """Whether time can bind or cost: else the model is lighter without it."""
    facts, truck = part.facts, part.kinds[k].truck
    reach = np.where(facts.seconds < FAR_S, facts.seconds, 0)
    dearest = int(reach.max(initial=0)) * (len(part.visits) + 2) + sum(facts.service_s)
    return (
        part.kinds[k].eur_per_s > 0
        or bool(truck.breaks)
        or truck.max_driving_s is not None
        or any(facts.windows[visit] for visit in part.visits)
        or dearest > truck.shift.latest_s - truck.shift.earliest_s
    )


def _times(
    model: DayModel,
    part: _Part,
    start: Sequence[Route],
    last: Sequence[NDArray[np.float64]],
) -> None:
    facts, routing = part.facts, model.routing
    horizon = max(facts.problem.trucks[truck].shift.latest_s for truck in part.trucks) + 1
    service = np.array([0 if n is None else facts.service_s[n] for n in model.node_of])
    evaluators = []
    for k in range(len(part.kinds)):
        travel = np.minimum(facts.seconds, horizon + 1).astype(np.float64)
        table = np.array(part.spread(k, travel, np.minimum(last[k], horizon + 1)))
        evaluators.append(routing.RegisterTransitMatrix((table + service[:, None]).tolist()))
    routing.AddDimensionWithVehicleTransits(
        [evaluators[k] for k in part.kind_of], horizon, horizon, False, "time"
    )
    time = routing.GetDimensionOrDie("time")
    for number, node in enumerate(model.node_of):
        if node is not None and facts.windows[node]:
            cumul = time.CumulVar(model.manager.NodeToIndex(number))
            windows_of(cumul, facts.windows[node], horizon)
    for vehicle, truck in enumerate(part.trucks):
        shift = facts.problem.trucks[truck].shift
        for cumul in (time.CumulVar(i) for i in (routing.Start(vehicle), routing.End(vehicle))):
            cumul.SetRange(shift.earliest_s, shift.latest_s)
        hour = round(part.kinds[part.kind_of[vehicle]].eur_per_s * model.scale)
        time.SetSpanCostCoefficientForVehicle(hour, vehicle)
        routing.AddVariableMaximizedByFinalizer(time.CumulVar(routing.Start(vehicle)))
        routing.AddVariableMinimizedByFinalizer(time.CumulVar(routing.End(vehicle)))
        route = start[min(vehicle, len(start) - 1)]
        breaks_of(model, time, vehicle, facts.problem.trucks[truck], route, service)


def _loads(model: DayModel, part: _Part) -> None:
    """Add the limits of a trip that can bind, and those of the day that are tighter."""
    routing = model.routing
    for limit in range(max(len(kind.capacity) for kind in part.kinds)):
        evaluators, capacity = [], []
        for kind in part.kinds:
            binds = limit < len(kind.capacity)
            vector = [
                math.ceil(PARTS * kind.need[node, limit] - 1e-6)
                if binds and node is not None
                else 0
                for node in model.node_of
            ]
            evaluators.append(routing.RegisterUnaryTransitVector(vector))
            capacity.append(math.floor(PARTS * kind.capacity[limit]) if binds else 0)
        routing.AddDimensionWithVehicleTransitAndCapacity(
            [evaluators[k] for k in part.kind_of], 0, [capacity[k] for k in part.kind_of],
            True, f"load {limit}",
        )  # fmt: skip
    day_limits_of(model, part.facts, one_trip=True)
