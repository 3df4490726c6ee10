"""The rest of the day as a routing problem of its own: the touched trucks, from now on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.check.tour import judge_tour
from optimizer.model import UNREACHABLE, TimeWindow, Tour
from optimizer.replan.day import StopState
from optimizer.replan.unloading import Unloader
from optimizer.solve.facts import has_compartments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.model import Problem, Truck, Visit
    from optimizer.replan.day import RunningDay
    from optimizer.replan.effects import Effects


@dataclass(frozen=True, eq=False)
class Rest:
    """What is still to be driven by the touched trucks.

    Attributes:
        problem: its trucks start where they are, underway; its locations are the day's.
        trucks: of the day, per truck of the problem; likewise `visits`.
        published: nodes of each truck's tour as it stands, per truck.
        frozen: how many visits at the beginning of each tour keep their place.
        locked: visits that stay with their truck or stay out.
        hit: which of the trucks an event hits.
        released: visits that need a truck.
        overrun_s: by how much a truck will be late for its shift's end whatever it does.
    """

    problem: Problem
    trucks: tuple[int, ...]
    visits: tuple[int, ...]
    published: tuple[tuple[int, ...], ...]
    frozen: tuple[int, ...]
    locked: frozenset[int]
    hit: frozenset[int]
    released: tuple[int, ...]
    overrun_s: tuple[int, ...]

    def start_s(self, truck: int, nodes: tuple[int, ...]) -> int:
        """Return when a truck leaves: at once if it is underway, else so as not to wait."""
        vehicle = self.problem.trucks[truck]
        earliest_s = vehicle.shift.earliest_s
        if vehicle.underway is not None or not nodes:
            return earliest_s
        first = nodes[0]
        opens_s = 0
        if self.problem.is_visit(first) and self.problem.visit(first).windows:
            opens_s = min(window.earliest_s for window in self.problem.visit(first).windows)
        seconds, _ = self.problem.travel.legs([vehicle.start, self.problem.location(first)])
        latest_s = (
            vehicle.shift.latest_s
            if vehicle.latest_start_s is None
            else (min(vehicle.shift.latest_s, vehicle.latest_start_s))
        )
        return max(earliest_s, min(opens_s - int(seconds[0]), latest_s))


def rest_of(effects: Effects, others: Iterable[int]) -> Rest:
    """Return the problem of the trucks that an event hits, and of some others."""
    day = effects.day
    hit = sorted(truck for truck in effects.hit if truck not in day.out)
    trucks = (*hit, *(truck for truck in others if truck not in effects.hit))
    pending = {t: tour.pending if (tour := day.tour_of(t)) else () for t in trucks}
    visits = [s.node for t in trucks for s in pending[t] if day.problem.is_visit(s.node)]
    visits += [node for node in effects.released if node not in visits]
    number = {node: index for index, node in enumerate(visits)}
    count, before = len(visits), len(day.problem.visits)

    def node_of(node: int) -> int:
        return number[node] if node < before else node - before + count

    published = tuple(tuple(node_of(stop.node) for stop in pending[t]) for t in trucks)
    frozen = tuple(_frozen_visits(day, truck) for truck in trucks)
    vehicles = tuple(day.truck_from_now(truck) for truck in trucks)
    problem = day.problem.replace(
        visits=tuple(_visit(day.problem.visits[node], trucks) for node in visits),
        trucks=vehicles,
        name=f"{day.problem.name}, the rest of the day",
    )
    overruns = []
    unloader = Unloader(problem)
    for index in range(len(trucks)):
        problem, late_s = _with_time_to_end(problem, index, unloader)
        overruns.append(late_s)
    return Rest(
        problem=problem,
        trucks=trucks,
        visits=tuple(visits),
        published=published,
        frozen=frozen,
        locked=frozenset(
            node_of(stop.node)
            for stops in pending.values()
            for stop in stops
            if stop.state is StopState.LOCKED
        ),
        hit=frozenset(range(len(hit))),
        released=tuple(number[node] for node in dict.fromkeys(effects.released)),
        overrun_s=tuple(overruns),
    )


def _visit(visit: Visit, trucks: tuple[int, ...]) -> Visit:
    if visit.trucks is None:
        return visit
    able = frozenset(index for index, truck in enumerate(trucks) if truck in visit.trucks)
    return replace(visit, trucks=able)


def _frozen_visits(day: RunningDay, truck: int) -> int:
    tour = day.tour_of(truck)
    if tour is None:
        return 0
    return sum(day.problem.is_visit(stop.node) for stop in tour.pending[: tour.frozen])


def _with_time_to_end(problem: Problem, index: int, unloader: Unloader) -> tuple[Problem, int]:
    """Give a truck that is late already the time it needs to unload and to go home.

    Nothing brings lost time back; without this no plan at all would be legal for it.
    """
    truck = problem.trucks[index]
    if truck.underway is None:
        return problem, 0
    nodes = unloader.place(index, ())
    if nodes is None:
        return problem, 0
    timed, _ = judge_tour(problem, Tour(index, truck.shift.earliest_s, nodes))
    end_s = timed.end_s
    late_s = end_s - truck.shift.latest_s
    if late_s <= 0:
        return problem, 0
    trucks = list(problem.trucks)
    trucks[index] = replace(truck, shift=TimeWindow(truck.shift.earliest_s, end_s))
    return problem.replace(trucks=tuple(trucks)), late_s


def nearest_others(effects: Effects, count: int) -> tuple[int, ...]:
    """Return the trucks that could best take over what lost its truck, nearest first.

    A tour is near where its stops to come, or the truck itself, are near the visits in question;
    of the trucks without a tour the one that is nearest from its depot counts as one more.
    """
    day = effects.day
    wanted = _in_question(effects)
    if not wanted:
        return ()
    touring = {tour.truck for tour in day.tours}
    far = [
        (_apart(day, truck, wanted), truck)
        for truck in range(len(day.problem.trucks))
        if truck not in effects.hit and truck not in day.out and _useful(day, truck, wanted)
    ]
    on_tour = sorted(pair for pair in far if pair[1] in touring)[:count]
    idle = sorted(pair for pair in far if pair[1] not in touring)[:1]
    return tuple(truck for _, truck in (*on_tour, *idle))


def _in_question(effects: Effects) -> list[int]:
    """Return the visits that may need another truck: those without, and those of hit trucks."""
    day = effects.day
    if effects.released:
        return list(dict.fromkeys(effects.released))
    tours = (day.tour_of(truck) for truck in sorted(effects.hit))
    pending = (stop.node for tour in tours if tour for stop in tour.pending)
    return [node for node in pending if day.problem.is_visit(node)]


def _useful(day: RunningDay, truck: int, wanted: list[int]) -> bool:
    return any(takes(day.problem, truck, node) for node in wanted)


def takes(problem: Problem, truck: int, visit: int) -> bool:
    """Whether a truck may go to a visit, and its body takes the fractions there."""
    one = problem.visits[visit]
    may = one.trucks is None or truck in one.trucks
    return may and has_compartments(problem.trucks[truck], one)


def _apart(day: RunningDay, truck: int, wanted: list[int]) -> float:
    tour = day.tour_of(truck)
    vehicle: Truck = day.problem.trucks[truck]
    places = [vehicle.start]
    if tour is not None:
        places = [day.problem.location(stop.node) for stop in tour.pending]
        places.append(tour.at if tour.left else vehicle.start)
    seconds, _ = day.problem.travel.block(places, [day.problem.location(v) for v in wanted])
    far = np.where(seconds == UNREACHABLE, np.iinfo(np.int32).max, seconds)
    return float(far.min(axis=0).sum())
