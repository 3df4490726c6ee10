"""From a running day and events to a proposal."""

from __future__ import annotations

import dataclasses
import itertools
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from optimizer.check import check
from optimizer.model import Reason, Solution, Unserved
from optimizer.replan import texts
from optimizer.replan.candidates import Answers, Candidate, Polish, solution_of
from optimizer.replan.changes import ReplanRules
from optimizer.replan.closure import Ways, driven_crossings, forbidden, straight_crossings
from optimizer.replan.day import StopState
from optimizer.replan.effects import Effects, apply
from optimizer.replan.insertion import Bench
from optimizer.replan.proposal import LeftUndone, Moved, NewTour, Proposal
from optimizer.replan.rest import Rest, nearest_others, rest_of, takes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from optimizer.explain import Text
    from optimizer.replan.day import RunningDay
    from optimizer.replan.events import Event

RELOCATING = 0.6  # share of the time for single stops, where an engine polishes after that
ROUNDS = 8  # of looking at the ways that are really driven around a closed area


def replan(
    day: RunningDay,
    events: Sequence[Event],
    *,
    budget_s: float = 1.5,
    rules: ReplanRules | None = None,
    polish: Polish | None = None,
    ways: Ways | None = None,
    standing: Sequence[Event] = (),
) -> Proposal:
    """Answer events during the day.

    Executed stops stay, the frozen beginning of each tour stays, tours that need not change do
    not. What loses its truck goes where it costs least, among the hit tours and the nearest
    others; a change has its price.

    Args:
        day: as it is now.
        events: what happened.
        budget_s: wall time for the search; the first legal answer may take longer.
        rules: how much may change.
        polish: an engine that may improve the rest of the day.
        ways: geometry of legs, to look for ways across a closed area.
        standing: what happened before and still holds.

    Raises:
        PlanError: an event names what is not there, or what is done already.
    """
    until = monotonic() + budget_s
    rules = rules or ReplanRules()
    before = apply(day, standing)
    effects = apply(before.day, events)
    effects = dataclasses.replace(effects, areas=(*before.areas, *effects.areas))
    effects = _crossing_tours(effects, ways)
    if ways is None:
        effects = _straight_struck_out(effects)
    for _ in range(ROUNDS):
        rest, chosen = _answered(effects, rules, until, polish)
        crossed = _crossed(effects, rest, chosen, ways)
        if not crossed:
            return _proposal(before.day, effects, rest, chosen, rules)
        effects = _struck_out(effects, crossed)
    effects = _straight_struck_out(effects)
    rest, chosen = _answered(effects, rules, until, polish)
    return _proposal(before.day, effects, rest, chosen, rules)


def _answered(
    effects: Effects, rules: ReplanRules, until: float, polish: Polish | None
) -> tuple[Rest, Candidate]:
    """Return the rest of the day and the best answer found for it."""
    rest = rest_of(effects, nearest_others(effects, rules.neighbours))
    bench = Bench(rest)
    unable = {
        rest.trucks[index]
        for index, nodes in enumerate(rest.published)
        if index not in rest.hit and bench.route(index, nodes) is None
    }
    if unable:  # late already: they cannot help, and are left as they are
        rest = rest_of(effects, (t for t in rest.trucks if t not in unable | effects.hit))
        bench = Bench(rest)
    answers = Answers(bench, rules, until)
    first = answers.in_order()
    found = [first, answers.relocated(first, 1.0 if polish is None else RELOCATING)]
    if polish is not None and (one := answers.polished(found[-1], polish)) is not None:
        found.append(one)
    return rest, min((one for one in found if answers.allowed(one) or one is first),
                     key=lambda one: one.key)  # fmt: skip


def _crossing_tours(effects: Effects, ways: Ways | None) -> Effects:
    """Find the tours whose way to come crosses a closed area."""
    day, lon_lat = effects.day, effects.day.lon_lat
    if not effects.areas or lon_lat is None:
        return effects
    crossed: set[tuple[int, int]] = set()
    hit = set()
    for tour in day.tours:
        if tour.truck in day.out or not tour.pending:
            continue
        truck = day.truck_from_now(tour.truck)
        stations = [truck.start, *(day.problem.location(s.node) for s in tour.pending), truck.end]
        found = driven_crossings(effects.areas, lon_lat, stations, ways or _straight(lon_lat))
        if found:
            hit.add(tour.truck)
            crossed |= found
    problem = forbidden(day.problem, crossed)
    return effects.plus(dataclasses.replace(day, problem=problem), hit=frozenset(hit))


def _struck_out(effects: Effects, legs: Iterable[tuple[int, int]]) -> Effects:
    problem = forbidden(effects.day.problem, legs)
    return effects.plus(dataclasses.replace(effects.day, problem=problem))


def _straight_struck_out(effects: Effects) -> Effects:
    """Forbid every pair of places whose straight line crosses a closed area."""
    lon_lat = effects.day.lon_lat
    for area in effects.areas:
        if lon_lat is not None:
            rows, columns = np.nonzero(straight_crossings(area, lon_lat))
            effects = _struck_out(effects, zip(rows.tolist(), columns.tolist(), strict=True))
    return effects


def _straight(lon_lat: NDArray[np.float64]) -> Ways:
    def ways(stations: Sequence[int]) -> list[NDArray[np.float64]]:
        return [lon_lat[[a, b]] for a, b in itertools.pairwise(stations)]

    return ways


def _crossed(
    effects: Effects, rest: Rest, chosen: Candidate, ways: Ways | None
) -> set[tuple[int, int]]:
    """Return the legs of an answer that cross a closed area all the same."""
    crossed: set[tuple[int, int]] = set()
    if not effects.areas or ways is None or effects.day.lon_lat is None:
        return crossed
    for truck, route in enumerate(chosen.routes):
        if route.nodes and (truck in rest.hit or route.nodes != rest.published[truck]):
            vehicle = rest.problem.trucks[truck]
            stations = [vehicle.start, *map(rest.problem.location, route.nodes), vehicle.end]
            crossed |= driven_crossings(effects.areas, effects.day.lon_lat, stations, ways)
    return crossed


def _proposal(
    before: RunningDay, effects: Effects, rest: Rest, chosen: Candidate, rules: ReplanRules
) -> Proposal:
    bench = Bench(rest)
    solution = solution_of(bench, chosen)
    unserved = tuple(Unserved(visit, Reason.TIME) for visit in chosen.unserved)
    report = check(rest.problem, Solution(solution.tours, unserved, chosen.name))
    tours = tuple(_new_tours(before, effects, rest, chosen, bench))
    prizes = sum(rest.problem.visits[v].prize_eur or 0.0 for v in chosen.unserved)
    return Proposal(
        day=effects.day.problem,
        problem=rest.problem,
        report=report,
        tours=tours,
        touched=tuple(_touched(before, effects, rest)),
        moved=tuple(_moved(before, effects, rest, chosen, bench)),
        reordered=tuple(
            (rest.problem.node_id(visit), rest.problem.trucks[truck].id)
            for visit, truck in chosen.changes.reordered
        ),
        undone=tuple(_undone(before, effects, rest, chosen)),
        cancelled=tuple(before.problem.node_id(node) for node in effects.cancelled),
        eur_before=_eur_before(before, effects, rest),
        eur_after=sum(route.eur for route in chosen.routes) + prizes,
        price_eur=chosen.changes.price_eur(rules),
        others_share=chosen.changes.others_share,
        notes=tuple(_notes(before, effects, rest)),
        found_by=chosen.name,
    )


def _touched(before: RunningDay, effects: Effects, rest: Rest) -> Iterator[tuple[str, int]]:
    out = sorted(effects.day.out - before.out)
    for truck in (*out, *rest.trucks):
        tour = before.tour_of(truck)
        yield before.problem.trucks[truck].id, tour.revision if tour else 0


def _new_tours(
    before: RunningDay, effects: Effects, rest: Rest, chosen: Candidate, bench: Bench
) -> Iterator[NewTour]:
    """Yield the tours that change: the rest of those that go on, and those that end here."""
    for truck in sorted(effects.day.out - before.out):
        tour = before.tour_of(truck)
        if tour is not None and tour.pending:
            name = before.problem.trucks[truck].id
            kept = effects.day.tour_of(truck)
            done = tuple(stop.number for stop in kept.executed) if kept else ()
            yield NewTour(truck, name, tour.revision, done, (), None, None)
    for index, truck in enumerate(rest.trucks):
        route, tour = chosen.routes[index], before.tour_of(truck)
        nodes = tuple(_day_node(effects, rest, node) for node in route.nodes)
        had = _published(before, effects, truck)
        if nodes == had and not (truck in effects.hit and _times_change(before, effects, truck)):
            continue
        drives = bool(route.nodes) or rest.problem.trucks[index].underway is not None
        timed = bench.timed(index, route.nodes) if drives else None
        was = _end_before(before, effects, truck)
        yield NewTour(
            truck=truck,
            vehicle=rest.problem.trucks[index].id,
            revision=tour.revision if tour else 0,
            executed=tuple(stop.number for stop in tour.executed) if tour else (),
            nodes=nodes,
            timed=timed,
            later_s=None if timed is None or was is None else timed.end_s - was,
        )


def _times_change(before: RunningDay, effects: Effects, truck: int) -> bool:
    """Whether a tour with the same stops has other breaks or hours: another driver's."""
    return before.problem.trucks[truck] != effects.day.problem.trucks[truck]


def _published(before: RunningDay, effects: Effects, truck: int) -> tuple[int, ...]:
    """Return a truck's stops to come as they were published, as nodes of the day after."""
    tour = before.tour_of(truck)
    more = len(effects.day.problem.visits) - len(before.problem.visits)
    visits = len(before.problem.visits)
    pending = tour.pending if tour else ()
    return tuple(s.node if s.node < visits else s.node + more for s in pending)


def _day_node(effects: Effects, rest: Rest, node: int) -> int:
    if rest.problem.is_visit(node):
        return rest.visits[node]
    return node - len(rest.visits) + len(effects.day.problem.visits)


def _end_before(before: RunningDay, effects: Effects, truck: int) -> int | None:
    """Return when a truck would have been home without the event."""
    if before.tour_of(truck) is None or truck in before.out:
        return None
    alone = rest_of(Effects(before), (truck,))
    nodes = alone.published[0]
    return Bench(alone).timed(0, nodes).end_s if nodes else None


def _eur_before(before: RunningDay, effects: Effects, rest: Rest) -> float:
    """Return what the touched tours would have cost from now on."""
    out = sorted(effects.day.out - before.out)
    trucks = [t for t in (*out, *rest.trucks) if before.tour_of(t) is not None]
    alone = rest_of(Effects(before), trucks)
    bench = Bench(alone)
    total = 0.0
    for index, nodes in enumerate(alone.published):
        route = bench.route(index, nodes)
        total += bench.timed(index, nodes).cost_eur if route is None else route.eur
    return total


def _moved(
    before: RunningDay, effects: Effects, rest: Rest, chosen: Candidate, bench: Bench
) -> Iterator[Moved]:
    """Yield the visits that have another truck now, or one at last."""
    had = {
        stop.node: before.problem.trucks[tour.truck].id
        for tour in before.tours
        for stop in (*tour.pending, *(s for s in tour.stops if s.state is StopState.SERVING))
        if before.problem.is_visit(stop.node)
    }
    for index, route in enumerate(chosen.routes):
        now = rest.problem.trucks[index].id
        for visit in bench.visits_of(route.nodes):
            was = had.get(rest.visits[visit])
            if was != now:
                yield Moved(rest.problem.node_id(visit), was, now)


def _undone(
    before: RunningDay, effects: Effects, rest: Rest, chosen: Candidate
) -> Iterator[LeftUndone]:
    reasons = dict.fromkeys(effects.locked_out, texts.LOCKED)
    reasons |= dict.fromkeys(effects.closed, texts.CLOSED)
    for left_out in chosen.unserved:
        stuck = left_out in chosen.locked_out
        reasons[rest.visits[left_out]] = texts.LOCKED if stuck else _reason(rest, left_out)
    had = {
        stop.node: tour.truck
        for tour in before.tours
        for stop in tour.stops
        if before.problem.is_visit(stop.node)
    }
    for node, reason in reasons.items():
        visit = effects.day.problem.visits[node]
        vehicle = before.problem.trucks[had[node]].id if node in had else None
        yield LeftUndone(
            visit.id, vehicle, reason, visit.mandatory, texts.undone_text(visit.id, reason)
        )


def _reason(rest: Rest, visit: int) -> str:
    """Return why no touched truck serves a visit."""
    problem = rest.problem
    if not any(takes(problem, truck, visit) for truck in range(len(problem.trucks))):
        return Reason.NO_TRUCK.value
    return (Reason.TIME if problem.visits[visit].mandatory else Reason.NOT_WORTH_IT).value


def _notes(before: RunningDay, effects: Effects, rest: Rest) -> Iterator[Text]:
    for truck in sorted(effects.day.out - before.out):
        tour = before.tour_of(truck)
        if tour is not None and sum(tour.kg) > 0:
            yield texts.stranded_text(before.problem.trucks[truck].id, sum(tour.kg))
    for index, late_s in enumerate(rest.overrun_s):
        if late_s > 0:
            yield texts.overrun_text(rest.problem.trucks[index].id, late_s)
    for tour in before.tours:
        for stop in tour.stops:
            if stop.state is StopState.PASSED and before.problem.is_visit(stop.node):
                name = before.problem.trucks[tour.truck].id
                yield texts.passed_text(name, before.problem.node_id(stop.node))
