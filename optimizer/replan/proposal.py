"""What a dispatcher is offered: each tour as it would be, what changes, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.check import Report, TimedTour
    from optimizer.explain import Text
    from optimizer.model import Problem


@dataclass(frozen=True, slots=True)
class NewTour:
    """The rest of a truck's day, if the proposal is accepted.

    Attributes:
        truck: index in the day's problem.
        revision: of the published tour that it follows; 0 where the truck had none.
        executed: numbers of the stops that are over; they stay as they are.
        nodes: of the day's problem, after those.
        timed: the same with times and breaks; None where nothing is left to do.
        later_s: how much later the truck is home than without the event; None where unknown.
    """

    truck: int
    vehicle: str
    revision: int
    executed: tuple[int, ...]
    nodes: tuple[int, ...]
    timed: TimedTour | None
    later_s: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A visit that goes to another truck; `before` is None for one that had none."""

    visit: str
    before: str | None
    now: str


@dataclass(frozen=True, slots=True)
class LeftUndone:
    """A visit that nobody serves any more, and why."""

    visit: str
    vehicle: str | None
    reason: str
    mandatory: bool
    text: Text


@dataclass(frozen=True, eq=False)
class Proposal:
    """An answer to events, to be accepted or refused as a whole.

    Attributes:
        day: the day's problem after the events; nodes refer to it.
        problem: the rest of the day as it was judged.
        report: the judge's word on it.
        tours: those that change; all others stay as they are.
        touched: vehicles that were looked at, with the revisions they had.
        moved: in the order of the new tours.
        reordered: visit and vehicle.
        eur_before: what the touched tours would have cost from now on without the event.
        eur_after: what they cost now, with the prizes of what is left out.
        price_eur: price on change, which is no money.
        others_share: share of the other tours' pending stops that change truck or order.
        notes: what a dispatcher should know besides.
        found_by: which way of answering won.
    """

    day: Problem
    problem: Problem
    report: Report
    tours: tuple[NewTour, ...]
    touched: tuple[tuple[str, int], ...]
    moved: tuple[Moved, ...]
    reordered: tuple[tuple[str, str], ...]
    undone: tuple[LeftUndone, ...]
    cancelled: tuple[str, ...]
    eur_before: float
    eur_after: float
    price_eur: float
    others_share: float
    notes: tuple[Text, ...]
    found_by: str

    @property
    def mandatory_undone(self) -> tuple[str, ...]:
        """Ids of the mandatory visits that nobody serves."""
        return tuple(one.visit for one in self.undone if one.mandatory)
