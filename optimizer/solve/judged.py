"""What a tour costs in the judge's eyes, and what each of its visits adds to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.check.tour import judge_tour
from optimizer.model import Tour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.check import TimedTour
    from optimizer.model import Problem


def judged(problem: Problem, truck: int, nodes: Sequence[int], start_s: int) -> TimedTour:
    """Return a tour as the judge times it, started as late as it can without ending later.

    Waiting on the way is what a later start saves; a tour that nowhere waits is left as it is.
    """
    timed, _ = judge_tour(problem, Tour(truck, start_s, tuple(nodes)))
    idle_s = waiting_s(problem, timed)
    if not idle_s:
        return timed
    good, bad, middle = start_s, start_s + idle_s + 1, start_s + idle_s
    while bad - good > 1:
        later, broken = judge_tour(problem, Tour(truck, middle, tuple(nodes)))
        if later.end_s <= timed.end_s and not broken:
            good, timed = middle, later
        else:
            bad = middle
        middle = (good + bad) // 2
    return timed


def waiting_s(problem: Problem, timed: TimedTour) -> int:
    """Return the seconds of a tour that are neither driving nor service nor break."""
    service_s = sum(node.departure_s - node.start_s for node in timed.nodes)
    rest_s = sum(pause.end_s - pause.start_s for pause in timed.breaks)
    return timed.end_s - timed.start_s - timed.driving_s - service_s - rest_s


def without(problem: Problem, nodes: Sequence[int], position: int) -> tuple[int, ...]:
    """Return a tour's nodes without a visit, and without unloadings that it alone needed."""
    kept: list[int] = []
    on_board: set[int] = set()
    for place, node in enumerate(nodes):
        if problem.is_visit(node):
            if place != position:
                kept.append(node)
                visit = problem.visit(node)
                on_board.update(
                    fraction
                    for fraction, amounts in enumerate(zip(visit.kg, visit.litres, strict=True))
                    if max(amounts) > 0
                )
        elif on_board & problem.facility(node).accepts:
            kept.append(node)
            on_board -= problem.facility(node).accepts
    return tuple(kept)


def marginal_eur(problem: Problem, timed: TimedTour, position: int) -> float:
    """Return what a visit adds to the cost of its tour: judged with it, and judged without.

    The only visit of a tour costs all of it, the truck's fixed cost included.
    """
    nodes = [node.node for node in timed.nodes]
    kept = without(problem, nodes, position)
    truck = problem.trucks[timed.truck]
    if not any(problem.is_visit(node) for node in kept) and truck.underway is None:
        return timed.cost_eur
    return timed.cost_eur - judged(problem, timed.truck, kept, timed.start_s).cost_eur
