"""A day's plan: tours with timed stops, what is left out and why, and what was believed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.check import CostParts, Report
from optimizer.daily.decision import Decision
from optimizer.daily.problem import DayProblem
from optimizer.daily.snapshot import DaySnapshot
from optimizer.explain import Explanation, Slack, Text, TripLoad, explain_waiting
from optimizer.fill.belief import Belief
from optimizer.fill.forecast import Forecast
from optimizer.model import Reason, Solution
from optimizer.road_times import ProviderInfo
from optimizer.solve.feasibility import Obstacle


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A visit, an unloading or a break; times are seconds of the region's day.

    Attributes:
        number: 1, 2, ... within the tour.
        id: of the site or facility, or the rule that demands the break.
        lon: None for a break, which is taken on the way; likewise `lat`.
        start_s: when service starts, after waiting.
        containers: ids of the containers that are emptied.
        kg: weight that is collected, or unloaded; likewise `litres`.
        load_kg: on the truck afterwards; likewise `load_l`.
        leg_s: driving time from the stop before; likewise `leg_m`.
        why: for a visit.
    """

    number: int
    kind: Literal["visit", "unload", "break"]
    id: str
    name: str
    lon: float | None
    lat: float | None
    arrival_s: int
    start_s: int
    departure_s: int
    containers: tuple[str, ...] = ()
    kg: float = 0.0
    litres: float = 0.0
    load_kg: float = 0.0
    load_l: float = 0.0
    leg_s: int = 0
    leg_m: float = 0.0
    why: Explanation | None = None

    @property
    def service_s(self) -> int:
        """Length of the service or break."""
        return self.departure_s - self.start_s


@dataclass(frozen=True, eq=False)
class PlannedTour:
    """One vehicle's day.

    Attributes:
        trips: how often it unloads.
        fuel_l: driving and working.
        co2e_kg: well to wheel.
        legs: (k, 2) arrays of longitude and latitude, one per drive from place to place, from
            the depot to the depot; empty when no geometry was asked for.
        loads: by trip and compartment.
        slacks: what is left of each rule that binds the tour.
    """

    vehicle: str
    start_s: int
    end_s: int
    stops: tuple[PlannedStop, ...]
    trips: int
    km: float
    hours: float
    driving_s: int
    kg: float
    eur: float
    fuel_l: float
    co2e_kg: float
    legs: tuple[NDArray[np.float64], ...] = ()
    loads: tuple[TripLoad, ...] = ()
    slacks: tuple[Slack, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A candidate that is not served.

    Attributes:
        prize_eur: what the visit is worth; None for a mandatory one.
        extra_eur: what serving it would add, where that is known.
        short: by how much the limit is too small that keeps it out; see `Unserved`.
        turns_at: level of its decisive container from which it would be worth its cost; the same
            as in `optimizer.explain.Explanation`.
    """

    site: str
    name: str
    containers: tuple[str, ...]
    reason: Reason
    prize_eur: float | None
    extra_eur: float | None
    short: float | None
    text: Text
    turns_at: float | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """A container that is not emptied today.

    Attributes:
        level: expected share of its volume when collection begins.
        prize_eur: what emptying it is worth.
        extra_eur: what emptying it, with those of its site that join, would add to the tours.
        vehicle: whose tour it would join.
        turns_at: level from which it would be emptied.
        text: why it waits, and what would change that.
    """

    container: str
    site: str
    level: float
    p_overflow: float
    prize_eur: float
    extra_eur: float | None
    vehicle: str | None
    turns_at: float | None
    text: Text


@dataclass(frozen=True, eq=False)
class DayPlan:
    """What is decided for a day, and everything it was decided on.

    Attributes:
        belief: to start from on the next day.
        day: the routing problem, and what its indices mean.
        travel: where travel times come from.
        obstacles: what was found impossible before solving.
        waiting: the containers that are neither emptied nor left out; empty when no explanation
            was asked for.
    """

    snapshot: DaySnapshot
    belief: Belief
    decision: Decision
    day: DayProblem
    solution: Solution
    report: Report
    tours: tuple[PlannedTour, ...]
    left_out: tuple[LeftOut, ...]
    travel: ProviderInfo
    obstacles: tuple[Obstacle, ...] = ()
    waiting: tuple[Waits, ...] = ()

    @property
    def cost(self) -> CostParts:
        """Where the money goes."""
        return self.report.cost

    @property
    def forecast(self) -> Forecast:
        """What is to be expected of all containers."""
        return Forecast(self.belief, self.snapshot.population)

    @property
    def km(self) -> float:
        """Length of all tours."""
        return sum(tour.km for tour in self.tours)

    @property
    def hours(self) -> float:
        """Time of all tours."""
        return sum(tour.hours for tour in self.tours)

    @property
    def kg(self) -> float:
        """Weight that is collected."""
        return sum(tour.kg for tour in self.tours)

    @cached_property
    def emptied(self) -> tuple[str, ...]:
        """Ids of the containers that are emptied, in the order of tours and stops."""
        return tuple(c for tour in self.tours for stop in tour.stops for c in stop.containers)

    def why_not(self, container: str) -> Text | None:
        """Say why a container is not emptied; None when it is.

        Raises:
            KeyError: it is none of the day's containers.
        """
        if container in self.emptied:
            return None
        for one in self.left_out:
            if container in one.containers:
                return one.text
        for waits in self.waiting:
            if waits.container == container:
                return waits.text
        ids = {c.id: index for index, c in enumerate(self.snapshot.containers)}
        return explain_waiting(self.decision.facts(ids[container]))
