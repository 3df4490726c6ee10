"""Which of the rules beyond the common ones a problem asks for.

An engine names the demands that it honours; where a problem has others that bind it, it steps
aside. What a problem merely allows need not be made use of.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.model import Problem, Truck


class Demand(StrEnum):
    """A rule beyond the common ones, named after the field of the model that asks for it."""

    QUEUE = "queue"
    OVERNIGHT_LOAD = "overnight_load_allowed"
    ENERGY = "energy"
    OVERTIME = "overtime"
    BALANCE = "balance"
    UNDERWAY = "underway"
    BREAK_OPTIONS = "break_options"
    DIVIDED_BREAK = "resets_driving"
    LATEST_START = "latest_start_s"
    TOUR_LENGTH = "max_tour_s"


def demands(problem: Problem) -> frozenset[Demand]:
    """Return the demands of a problem; an ordinary one has none."""
    found = {demand for truck in problem.trucks for demand in _of_truck(truck)}
    if any(span.wait_s for facility in problem.facilities for span in facility.queue):
        found.add(Demand.QUEUE)
    if problem.balance_eur_per_h > 0 and len(problem.trucks) > 1:
        found.add(Demand.BALANCE)
    return frozenset(found)


def binding(problem: Problem) -> frozenset[Demand]:
    """Return the demands without which a plan could be unlawful, or its cost wrong."""
    found = demands(problem) - {Demand.BREAK_OPTIONS, Demand.OVERNIGHT_LOAD}
    whole = all(rule.resets_driving for truck in problem.trucks for rule in truck.breaks)
    return found - {Demand.DIVIDED_BREAK} if whole else found


def _of_truck(truck: Truck) -> Iterator[Demand]:
    if truck.overnight_load_allowed:
        yield Demand.OVERNIGHT_LOAD
    if truck.energy is not None:
        yield Demand.ENERGY
    if truck.overtime_after_s is not None and truck.overtime_eur_per_h > 0:
        yield Demand.OVERTIME
    if truck.underway is not None:
        yield Demand.UNDERWAY
    if truck.break_options:
        yield Demand.BREAK_OPTIONS
    if any(not rule.resets_driving for chain in truck.break_chains for rule in chain):
        yield Demand.DIVIDED_BREAK
    if truck.latest_start_s is not None and truck.latest_start_s < truck.shift.latest_s:
        yield Demand.LATEST_START
    if truck.max_tour_s is not None and truck.max_tour_s < _longest_s(truck):
        yield Demand.TOUR_LENGTH


def _longest_s(truck: Truck) -> int:
    """Return the length of the longest tour that the shift allows."""
    return truck.shift.latest_s - truck.shift.earliest_s
