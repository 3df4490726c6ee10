"""A day under way: the published tours, what is done of them, and where each truck is now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from optimizer.model import TimeWindow, Truck, Underway

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from optimizer.model import Problem


class StopState(StrEnum):
    """How far a published stop has come."""

    DONE = "done"
    FAILED = "failed"  # the truck was there, in vain
    PASSED = "passed"  # not reported, but a later stop was
    SERVING = "serving"  # the truck stands there
    NEXT = "next"  # the truck is driving there
    LOCKED = "locked"  # to come; must stay where it is
    PENDING = "pending"  # to come


EXECUTED = frozenset({StopState.DONE, StopState.FAILED, StopState.PASSED, StopState.SERVING})
FROZEN = frozenset({StopState.NEXT, StopState.LOCKED})


@dataclass(frozen=True, slots=True)
class RunningStop:
    """A visit or an unloading as it was published; breaks follow from the rules.

    Attributes:
        number: by which the truck knows it.
        node: of the day's problem.
        arrival_s: as published, in seconds of the day.
    """

    number: int
    node: int
    state: StopState = StopState.PENDING
    arrival_s: int = 0


@dataclass(frozen=True, slots=True)
class RunningTour:
    """One truck's day at an instant.

    Attributes:
        truck: index in the day's problem.
        revision: of the tour, as the truck knows it.
        start_s: when it left, or is to leave.
        left: whether it has left its depot.
        at: location where it is, or will be when it is free to go on.
        clock_s: when it is free to go on from there.
        kg: on board, per fraction; likewise `litres`.
        driven_s: since its start; likewise `driven_since_break_s` since its last break.
        breaks_taken: how many of the truck's breaks, in their order.
        used_kwh: of an electric truck.
        kg_today: collected in all; likewise `litres_today`.
    """

    truck: int
    stops: tuple[RunningStop, ...]
    revision: int = 1
    start_s: int = 0
    left: bool = False
    at: int = 0
    clock_s: int = 0
    kg: tuple[float, ...] = ()
    litres: tuple[float, ...] = ()
    driven_s: int = 0
    driven_since_break_s: int = 0
    breaks_taken: int = 0
    used_kwh: float = 0.0
    kg_today: float = 0.0
    litres_today: float = 0.0

    @property
    def executed(self) -> tuple[RunningStop, ...]:
        """The stops that are over; nothing changes them."""
        return tuple(stop for stop in self.stops if stop.state in EXECUTED)

    @property
    def pending(self) -> tuple[RunningStop, ...]:
        """The stops to come, in the published order."""
        return tuple(stop for stop in self.stops if stop.state not in EXECUTED)

    @property
    def frozen(self) -> int:
        """How many of the pending stops keep their place: up to the last one that has to."""
        last = [i for i, stop in enumerate(self.pending, start=1) if stop.state in FROZEN]
        return max(last, default=0)


@dataclass(frozen=True, eq=False)
class RunningDay:
    """All published tours of a plan at an instant.

    Attributes:
        problem: of the whole day; its matrices know the trucks' present locations too.
        now_s: the instant, in seconds of the day.
        lon_lat: (L, 2) of the locations; only a closed area needs it.
        out: trucks that do not work (any more).
    """

    problem: Problem
    tours: tuple[RunningTour, ...]
    now_s: int
    lon_lat: NDArray[np.float64] | None = None
    out: frozenset[int] = field(default_factory=frozenset)

    def tour_of(self, truck: int) -> RunningTour | None:
        """Return a truck's tour, or None."""
        return next((tour for tour in self.tours if tour.truck == truck), None)

    def with_tour(self, changed: RunningTour) -> RunningDay:
        """Return the day with one tour changed."""
        tours = tuple(changed if tour.truck == changed.truck else tour for tour in self.tours)
        return replace(self, tours=tours)

    def truck_from_now(self, truck: int) -> Truck:
        """Return a truck as it can be sent from now on.

        One that has left starts where it is, with its load and its clock; an overdue break is
        due at once, since nothing brings the time back.
        """
        declared, tour = self.problem.trucks[truck], self.tour_of(truck)
        shift = declared.shift
        if tour is None or not tour.left:
            earliest_s = max(shift.earliest_s, self.now_s)
            return replace(declared, shift=TimeWindow(earliest_s, max(earliest_s, shift.latest_s)))
        breaks = tuple(
            replace(
                rule,
                earliest_start_s=min(rule.earliest_start_s, max(rule.latest_start_s, tour.clock_s)),
                latest_start_s=max(rule.latest_start_s, tour.clock_s),
            )
            for rule in declared.breaks[tour.breaks_taken :]
        )
        nothing = (0.0,) * len(self.problem.fractions)
        return replace(
            declared,
            start=tour.at,
            shift=TimeWindow(tour.clock_s, max(tour.clock_s, shift.latest_s)),
            breaks=breaks,
            break_options=() if tour.breaks_taken else declared.break_options,
            latest_start_s=None,
            underway=Underway(
                kg=tour.kg or nothing,
                litres=tour.litres or nothing,
                started_s=min(tour.start_s, tour.clock_s),
                driven_s=tour.driven_s,
                driven_since_break_s=tour.driven_since_break_s,
                stops=sum(self.problem.is_visit(stop.node) for stop in tour.executed),
                kg_today=tour.kg_today,
                litres_today=tour.litres_today,
                used_kwh=tour.used_kwh,
            ),
        )
