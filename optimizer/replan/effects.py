"""What events change: the day that remains, the stops that need a truck, and who is hit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from config.errors import PlanError
from optimizer.replan import events as kinds
from optimizer.replan.closure import area_of, inside, without
from optimizer.replan.day import EXECUTED, RunningDay, RunningStop, RunningTour, StopState

if TYPE_CHECKING:
    from collections.abc import Iterable

    import shapely

    from optimizer.model import Facility, Truck
    from optimizer.replan.events import Event


@dataclass(frozen=True, eq=False)
class Effects:
    """A day after events, before anybody has answered them.

    Attributes:
        released: visits that have lost their truck, or never had one; nodes of the problem.
        hit: trucks that an event hits.
        locked_out: locked visits of trucks that cannot serve them; they do not move.
        closed: visits that cannot be served any more because their place is closed.
        cancelled: visits that are not wanted any more.
        areas: closed areas.
    """

    day: RunningDay
    released: tuple[int, ...] = ()
    hit: frozenset[int] = frozenset()
    locked_out: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()
    areas: tuple[shapely.Polygon, ...] = ()

    def plus(self, day: RunningDay, **more: Any) -> Effects:
        """Return these effects on another day, with some added."""
        joined = {
            name: getattr(self, name) + values for name, values in more.items() if name != "hit"
        }
        hit = self.hit | more.get("hit", frozenset())
        return replace(self, day=day, hit=hit, **joined)


def apply(day: RunningDay, events: Iterable[Event]) -> Effects:
    """Return what events do to a day.

    Raises:
        PlanError: an event names what is not there, or what is done already.
    """
    effects = Effects(day)
    for event in events:
        match event:
            case kinds.Breakdown():
                effects = _breakdown(effects, event)
            case kinds.Closure():
                effects = _closure(effects, event)
            case kinds.TruckFull():
                effects = _full(effects, event)
            case kinds.FacilityClosed():
                effects = _facility_closed(effects, event)
            case kinds.UrgentStop():
                effects = _urgent(effects, event)
            case kinds.DriverSwap():
                effects = _swap(effects, event)
            case kinds.CancelStop():
                effects = _cancel(effects, event)
    return effects


def _breakdown(effects: Effects, event: kinds.Breakdown) -> Effects:
    day, truck = effects.day, _truck(effects.day, event.truck)
    tour = day.tour_of(truck)
    out = replace(day, out=day.out | {truck})
    if tour is None:
        return effects.plus(out, hit=frozenset({truck}))
    visits = [stop for stop in tour.pending if day.problem.is_visit(stop.node)]
    # Who stands at a stop when the truck fails has not finished it.
    visits += [
        stop
        for stop in tour.stops
        if stop.state is StopState.SERVING and day.problem.is_visit(stop.node)
    ]
    kept = tuple(s for s in tour.executed if s.state is not StopState.SERVING)
    return effects.plus(
        out.with_tour(replace(tour, stops=kept)),
        hit=frozenset({truck}),
        released=tuple(s.node for s in visits if s.state is not StopState.LOCKED),
        locked_out=tuple(s.node for s in visits if s.state is StopState.LOCKED),
    )


def _full(effects: Effects, event: kinds.TruckFull) -> Effects:
    """The load is raised to what the body takes, so that nothing more fits before an unloading."""
    day, truck = effects.day, _truck(effects.day, event.truck)
    tour = day.tour_of(truck)
    if tour is None or not tour.left:
        raise PlanError(f"{event.truck} is not on a tour, so it cannot be full")
    fractions = day.problem.fractions
    if event.fraction is not None and event.fraction not in fractions:
        raise PlanError(f"there is no fraction {event.fraction!r}; there is {', '.join(fractions)}")
    wanted = None if event.fraction is None else fractions.index(event.fraction)
    kg, litres = _filled(day.problem.trucks[truck], tour, len(fractions), wanted)
    stops = tuple(
        replace(stop, state=StopState.PENDING) if stop.state is StopState.NEXT else stop
        for stop in tour.stops
    )
    full = replace(tour, kg=kg, litres=litres, stops=stops)
    return effects.plus(day.with_tour(full), hit=frozenset({truck}))


def _filled(
    truck: Truck, tour: RunningTour, fractions: int, wanted: int | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    kg = list(tour.kg or (0.0,) * fractions)
    litres = list(tour.litres or (0.0,) * fractions)
    for body in truck.compartments:
        if wanted is not None and wanted not in body.fractions:
            continue
        inside_it = sorted(body.fractions, key=lambda fraction: -litres[fraction])
        first = inside_it[0] if wanted is None else wanted
        litres[first] += max(0.0, body.capacity_l - sum(litres[f] for f in body.fractions))
        room_kg = min(
            body.capacity_kg - sum(kg[f] for f in body.fractions), truck.payload_kg - sum(kg)
        )
        kg[first] += max(0.0, room_kg)
    return tuple(kg), tuple(litres)


def _closure(effects: Effects, event: kinds.Closure) -> Effects:
    day = effects.day
    if event.until_s <= day.now_s:
        return effects
    if day.lon_lat is None:
        raise PlanError("this day has no coordinates, so no area of it can be closed")
    area = area_of(event)
    within = inside(area, day.lon_lat)
    problem = day.problem
    visits, closed = list(problem.visits), []
    for node, visit in enumerate(problem.visits):
        if within[visit.location]:
            left = without(visit.windows, visit.service_s, day.now_s, (event.from_s, event.until_s))
            if left:
                visits[node] = replace(visit, windows=left)
            else:
                closed.append(node)
    facilities = tuple(
        _shut(day, facility, event) if within[facility.location] else facility
        for facility in problem.facilities
    )
    problem = problem.replace(visits=tuple(visits), facilities=facilities)
    day = replace(day, problem=problem)
    shut_out = {len(problem.visits) + i for i, f in enumerate(facilities) if within[f.location]}
    changed = effects.plus(day, areas=(area,))
    return _struck(changed, frozenset(closed), shut_out)


def _struck(effects: Effects, closed: frozenset[int], shut: set[int]) -> Effects:
    """Take stops out of the tours that cannot be made any more."""
    day, hit, gone = effects.day, set(), []
    for tour in day.tours:
        struck = [stop for stop in tour.pending if stop.node in closed | shut]
        if struck:
            hit.add(tour.truck)
            gone += [stop.node for stop in struck if stop.node in closed]
            kept = tuple(
                s for s in tour.stops if s.state in EXECUTED or s.node not in closed | shut
            )
            day = day.with_tour(replace(tour, stops=kept))
    return effects.plus(day, hit=frozenset(hit), closed=tuple(gone))


def _facility_closed(effects: Effects, event: kinds.FacilityClosed) -> Effects:
    day, problem = effects.day, effects.day.problem
    index = next((i for i, f in enumerate(problem.facilities) if f.id == event.facility), None)
    if index is None:
        known = ", ".join(facility.id for facility in problem.facilities)
        raise PlanError(f"there is no facility {event.facility!r} on this day; there is {known}")
    if event.until_s <= day.now_s:
        return effects
    facilities = list(problem.facilities)
    facilities[index] = _shut(day, facilities[index], event)
    day = replace(day, problem=problem.replace(facilities=tuple(facilities)))
    node, hit = len(problem.visits) + index, set()
    for tour in day.tours:
        if any(stop.node == node for stop in tour.pending):
            hit.add(tour.truck)
            kept = tuple(s for s in tour.stops if s.state in EXECUTED or s.node != node)
            day = day.with_tour(replace(tour, stops=kept))
    return effects.plus(day, hit=frozenset(hit))


def _shut(
    day: RunningDay, facility: Facility, event: kinds.Closure | kinds.FacilityClosed
) -> Facility:
    """Return a facility with a span taken out of its hours; one that never opens takes nothing."""
    span = (event.from_s, event.until_s)
    left = without(facility.windows, facility.unload_s, day.now_s, span)
    if left:
        return replace(facility, windows=left)
    return replace(facility, accepts=frozenset())


def _urgent(effects: Effects, event: kinds.UrgentStop) -> Effects:
    day, problem = effects.day, effects.day.problem
    known = {visit.id: node for node, visit in enumerate(problem.visits)}
    node = known.get(event.visit.id)
    if node is None:
        return effects.plus(_with_visit(day, event), released=(len(problem.visits),))
    for tour in day.tours:
        for stop in tour.stops:
            if stop.node == node and stop.state is not StopState.FAILED:
                name = problem.trucks[tour.truck].id
                raise PlanError(
                    f"{event.visit.id} is stop {stop.number} of {name} already ({stop.state})"
                )
    visits = (*problem.visits[:node], event.visit, *problem.visits[node + 1 :])
    return effects.plus(replace(day, problem=problem.replace(visits=visits)), released=(node,))


def _with_visit(day: RunningDay, event: kinds.UrgentStop) -> RunningDay:
    """Return a day with one visit more; facilities are numbered after visits, so they move."""
    count = len(day.problem.visits)

    def moved(stop: RunningStop) -> RunningStop:
        return stop if stop.node < count else replace(stop, node=stop.node + 1)

    return replace(
        day,
        problem=day.problem.replace(visits=(*day.problem.visits, event.visit)),
        tours=tuple(
            replace(tour, stops=tuple(moved(stop) for stop in tour.stops)) for tour in day.tours
        ),
    )


def _swap(effects: Effects, event: kinds.DriverSwap) -> Effects:
    day, truck = effects.day, _truck(effects.day, event.truck)
    trucks = list(day.problem.trucks)
    trucks[truck] = replace(
        trucks[truck],
        shift=event.shift,
        breaks=event.breaks,
        break_options=(),
        max_driving_s=event.max_driving_s,
    )
    day = replace(day, problem=day.problem.replace(trucks=tuple(trucks)))
    tour = day.tour_of(truck)
    if tour is not None and tour.left:
        clock_s = max(tour.clock_s, event.shift.earliest_s)
        day = day.with_tour(
            replace(
                tour, clock_s=clock_s, start_s=clock_s, driven_s=0, driven_since_break_s=0,
                breaks_taken=0,
            )
        )  # fmt: skip
    return effects.plus(day, hit=frozenset({truck}))


def _cancel(effects: Effects, event: kinds.CancelStop) -> Effects:
    day = effects.day
    for tour in day.tours:
        for stop in tour.stops:
            if not day.problem.is_visit(stop.node) or day.problem.node_id(stop.node) != event.visit:
                continue
            if stop.state in EXECUTED:
                raise PlanError(f"{event.visit} is {stop.state} already")
            if stop.state is StopState.LOCKED:
                raise PlanError(f"{event.visit} is locked; unlock it first")
            kept = tuple(other for other in tour.stops if other != stop)
            changed = day.with_tour(replace(tour, stops=kept))
            hit = frozenset({tour.truck})
            return effects.plus(changed, hit=hit, cancelled=(stop.node,))
    raise PlanError(f"no tour has a stop {event.visit!r}")


def _truck(day: RunningDay, name: str) -> int:
    known = {truck.id: index for index, truck in enumerate(day.problem.trucks)}
    if name not in known:
        raise PlanError(f"there is no truck {name!r} on this day; there is {', '.join(known)}")
    return known[name]
