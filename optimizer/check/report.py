"""What the judge says: violations, the recomputed tours, and the cost in its parts."""

from dataclasses import dataclass
from functools import cached_property

from optimizer.model import Unserved


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule.

    Attributes:
        rule: what is broken, e.g. `time window`, `payload`, or the paragraph a break rule cites.
        tour: the vehicle's id; None when no single tour is at fault.
        visit: the id of the visit or facility at fault, if there is one.
        value: what was found, in the rule's unit (seconds of the day, seconds, kg, litres, count).
        limit: what the rule allows, in the same unit.
        message: one line for people.
    """

    rule: str
    tour: str | None
    visit: str | None
    value: float | None
    limit: float | None
    message: str


@dataclass(frozen=True, slots=True)
class TimedNode:
    """A visit or an unloading, with its times in seconds of the day.

    Attributes:
        node: number of the node in the problem.
        arrival_s: when the truck stands there.
        start_s: when service starts, after waiting and after a break taken there.
        departure_s: when service is over.
        leg_s: travel time from the node before, or from the tour's start.
        leg_m: length of the same way.
    """

    node: int
    id: str
    arrival_s: int
    start_s: int
    departure_s: int
    leg_s: int
    leg_m: float


@dataclass(frozen=True, slots=True)
class TimedBreak:
    """A break, placed.

    Attributes:
        leg: the leg on which it lies; leg i leads to node i, the last one to the tour's end.
        along_s: seconds driven on that leg before it; 0 is before departure, all of the leg's
            travel time is after arrival and before service.
    """

    rule: str
    start_s: int
    end_s: int
    leg: int
    along_s: int


@dataclass(frozen=True, slots=True)
class Trip:
    """What is collected between two unloadings.

    Attributes:
        visits: ids in order.
        kg: collected weight, per fraction in the problem's order; likewise `litres`.
        facilities: ids of where it is unloaded.
    """

    visits: tuple[str, ...]
    kg: tuple[float, ...]
    litres: tuple[float, ...]
    facilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimedTour:
    """A tour as the judge recomputed it: the earliest schedule, with breaks placed.

    Attributes:
        truck: index of the truck in the problem.
        vehicle: its id.
        last_leg_s: travel time from the last node to the tour's end; likewise `last_leg_m`.
        hours: from start to end, breaks and waiting included; what `hours_eur` pays.
        overtime_eur: what overtime costs beyond that.
        began_s: from when its length counts; before the start where the truck was underway.
        used_kwh: taken from the battery of an electric truck.
    """

    truck: int
    vehicle: str
    start_s: int
    end_s: int
    nodes: tuple[TimedNode, ...]
    breaks: tuple[TimedBreak, ...]
    trips: tuple[Trip, ...]
    last_leg_s: int
    last_leg_m: float
    km: float
    hours: float
    driving_s: int
    fixed_eur: float
    km_eur: float
    hours_eur: float
    overtime_eur: float
    began_s: int
    used_kwh: float

    @property
    def cost_eur(self) -> float:
        """Everything this tour costs."""
        return self.fixed_eur + self.km_eur + self.hours_eur + self.overtime_eur


@dataclass(frozen=True, slots=True)
class CostParts:
    """Where the money goes.

    Attributes:
        overtime_eur: what hours of overtime cost beyond `hours_eur`.
        prizes_eur: value of the optional visits that are left out; not part of the total.
        balance_eur: price of unequal tours; a goal and no money, so not part of the total.
    """

    fixed_eur: float
    km_eur: float
    hours_eur: float
    prizes_eur: float
    overtime_eur: float = 0.0
    balance_eur: float = 0.0

    @property
    def total_eur(self) -> float:
        """What the tours cost."""
        return self.fixed_eur + self.km_eur + self.hours_eur + self.overtime_eur


@dataclass(frozen=True, eq=False)
class Report:
    """The judge's report on a solution.

    Attributes:
        tours: those with any node, in the solution's order; then, without nodes, those of trucks
            underway that the solution leaves out: they drive home.
        unserved: as the solution reports them.
        mandatory_unserved: ids of mandatory visits that are not served, reported or not.
    """

    violations: tuple[Violation, ...]
    tours: tuple[TimedTour, ...]
    cost: CostParts
    unserved: tuple[Unserved, ...]
    mandatory_unserved: tuple[str, ...]

    @property
    def legal(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations

    @property
    def cost_eur(self) -> float:
        """What the tours cost."""
        return self.cost.total_eur

    @cached_property
    def distance_m(self) -> float:
        """Length of all tours."""
        return sum(tour.km for tour in self.tours) * 1000.0

    @property
    def score(self) -> tuple[int, float]:
        """What solutions are compared by, smaller is better.

        First the mandatory visits left out, then cost plus the prizes left out and the price of
        unequal tours.
        """
        goals = self.cost.prizes_eur + self.cost.balance_eur
        return len(self.mandatory_unserved), self.cost_eur + goals


def clock(seconds: float) -> str:
    """Return seconds of the day as people read them: 08:15, or 08:15:30."""
    minutes, rest = divmod(round(seconds), 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{rest:02d}" if rest else text
