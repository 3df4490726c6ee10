"""The waste-collection routing problem of one day, and its solution.

Units: seconds of the day (wall clock, after the region's midnight), metres, kilograms, litres,
euro. Nodes of a tour are numbered: visits first (0 .. V-1), then facilities (V .. V+F-1).
Everything here is frozen; a variant is made with `Problem.replace`.

Words: a fraction is a kind of waste that is kept apart (paper, glass). A service is what the same
trucks collect under the same rules: some fractions, with hours and days of its own. A depot group
is a depot with its trucks and the sites that they serve. Fractions, services and depots are
declared in region files (`docs/region.md`).
"""

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from optimizer.travel import ArrayTravel, Travel
from optimizer.validation import validate

UNREACHABLE = -1
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A span in which service may start; as a truck's shift, the span in which its tour lies."""

    earliest_s: int
    latest_s: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A possible stop. Mandatory, or worth a prize in euro if it is served.

    Attributes:
        id: unique in the problem, as in the file or region it comes from.
        location: row and column of the travel matrices.
        kg: weight to collect, per fraction in the problem's order.
        litres: volume to collect as it lies in the truck, per fraction.
        service_s: time at the stop; cannot be interrupted by a break.
        windows: spans in which service may start; empty means at any time.
        prize_eur: what serving it is worth; None makes it mandatory.
        trucks: indices of the trucks that can serve it; None means all.
        lifts: containers lifted there; each takes energy.
    """

    id: str
    location: int
    kg: tuple[float, ...]
    litres: tuple[float, ...]
    service_s: int
    windows: tuple[TimeWindow, ...] = ()
    prize_eur: float | None = None
    trucks: frozenset[int] | None = None
    lifts: int = 1

    @property
    def mandatory(self) -> bool:
        """Whether the visit must be served."""
        return self.prize_eur is None


@dataclass(frozen=True, slots=True)
class QueueSpan:
    """How long a truck that comes to a facility from `from_s` on waits in the queue there."""

    from_s: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class Facility:
    """Where a truck unloads everything it carries of the accepted fractions.

    Attributes:
        accepts: indices of the fractions it takes.
        windows: opening hours: spans in which a truck may join the queue or, where there is no
            queue, may start to unload; empty means always open.
        unload_s: time for weighing and unloading.
        queue: the wait by time of arrival, in steps; before the first there is none. A truck may
            wait outside until the queue is shorter, so it never pays to arrive later: who is
            ready at t is done at the minimum over t' >= t of t' + wait(t') + unload_s.
    """

    id: str
    location: int
    accepts: frozenset[int]
    unload_s: int
    windows: tuple[TimeWindow, ...] = ()
    queue: tuple[QueueSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Compartment:
    """A part of a truck's body.

    Attributes:
        fractions: indices of the fractions it takes; no fraction has two compartments.
    """

    fractions: frozenset[int]
    capacity_kg: float
    capacity_l: float


@dataclass(frozen=True, slots=True)
class BreakRule:
    """A break that a tour owes.

    It is due when the tour ends after `earliest_start_s` and lasts longer than `due_after_s`.
    It may be taken at the roadside, before or after a service, never during one.

    Attributes:
        rule: what demands it, e.g. `ArbZG §4`.
        duration_s: its length, in one piece.
        earliest_start_s: seconds of the day at which it may start.
        latest_start_s: seconds of the day by which it has to start.
        due_after_s: length of a tour (break included) up to which none is due.
        resets_driving: whether driving without a break counts from anew after it; the first part
            of a divided one does not (VO (EG) 561/2006 Art. 7).
    """

    rule: str
    duration_s: int
    earliest_start_s: int
    latest_start_s: int
    due_after_s: int = 0
    resets_driving: bool = True


@dataclass(frozen=True, slots=True)
class Energy:
    """What an electric truck has for a tour, and needs; it is charged at the depot, overnight.

    Attributes:
        charge_kwh: in the battery at the tour's start.
        reserve_kwh: what has to be left of it at the end.
    """

    charge_kwh: float
    kwh_per_km: float
    kwh_per_lift: float = 0.0
    reserve_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Underway:
    """What a truck that is already on its tour has done, at its shift's start and from there.

    Its tour counts from `started_s` for breaks, overtime and length, and what it has done counts
    towards the limits of a day; kilometres, hours and overtime cost from the shift's start on, and
    its fixed cost is paid already. Loaded, it has to unload even when nothing is left to visit.

    Attributes:
        kg: on board, per fraction in the problem's order; likewise `litres`.
        started_s: when its tour began, in seconds of the day.
        driven_s: driven since then; `driven_since_break_s` since its last break.
        stops: visits done; likewise `kg_today` and `litres_today`, collected in all.
        used_kwh: taken from `Energy.charge_kwh` so far.
    """

    kg: tuple[float, ...]
    litres: tuple[float, ...]
    started_s: int
    driven_s: int = 0
    driven_since_break_s: int = 0
    stops: int = 0
    kg_today: float = 0.0
    litres_today: float = 0.0
    used_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Truck:
    """A vehicle with its shift, limits and costs. It starts empty and has to end empty.

    Attributes:
        start: location where its tour starts.
        end: location where its tour ends.
        shift: earliest start and latest end of its tour.
        payload_kg: limit of its load over all compartments.
        breaks: in the order in which they are taken.
        break_options: other chains of breaks, each lawful in place of `breaks`; e.g. a break in
            two parts.
        max_stops: limit of visits a day; likewise `max_kg` and `max_litres` (all trips together),
            `max_driving_s` a day and `max_driving_between_breaks_s`.
        latest_start_s: by when its tour has to start; None means at any time of its shift.
        max_tour_s: limit of a tour from its start to its end, breaks and waiting included.
        fixed_eur: cost of using it at all on this day.
        overtime_after_s: length of a tour from which each hour costs `overtime_eur_per_h` more.
        overnight_load_allowed: it may end its day loaded.
        energy: of an electric truck.
        underway: what it has done, where it is on its tour already.
    """

    id: str
    start: int
    end: int
    shift: TimeWindow
    compartments: tuple[Compartment, ...]
    payload_kg: float
    breaks: tuple[BreakRule, ...] = ()
    max_stops: int | None = None
    max_kg: float | None = None
    max_litres: float | None = None
    max_driving_s: int | None = None
    max_driving_between_breaks_s: int | None = None
    driving_rule: str = ""
    fixed_eur: float = 0.0
    eur_per_km: float = 0.0
    eur_per_h: float = 0.0
    break_options: tuple[tuple[BreakRule, ...], ...] = ()
    latest_start_s: int | None = None
    max_tour_s: int | None = None
    overtime_after_s: int | None = None
    overtime_eur_per_h: float = 0.0
    overnight_load_allowed: bool = False
    energy: Energy | None = None
    underway: Underway | None = None

    @property
    def break_chains(self) -> tuple[tuple[BreakRule, ...], ...]:
        """The chains of breaks of which a tour has to keep one."""
        return (self.breaks, *self.break_options)

    def compartment_of(self, fraction: int) -> int | None:
        """Return the index of the compartment that takes a fraction, or None."""
        for index, compartment in enumerate(self.compartments):
            if fraction in compartment.fractions:
                return index
        return None


def _no_seconds() -> NDArray[np.int64]:
    return np.zeros((0, 0), np.int64)


def _no_metres() -> NDArray[np.float64]:
    return np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Problem:
    """One day, one depot group, one service: what there is to do and with what.

    Attributes:
        fractions: names; their order is that of all per-fraction tuples.
        visits: possible stops.
        facilities: where to unload; alternatives to each other.
        trucks: the fleet of the day.
        duration_s: (L, L) int, travel time from row to column, UNREACHABLE where there is none.
        distance_m: (L, L) float, length of the same way.
        name: for messages and files.
        blocks: travel of a large problem, which has no arrays of all pairs.
        balance_eur_per_h: price of unequal tours, per hour between the longest and the shortest
            tour in use; a soft goal.

    Raises:
        ProblemError: it is not well formed; the error names the field.
    """

    fractions: tuple[str, ...]
    visits: tuple[Visit, ...]
    facilities: tuple[Facility, ...]
    trucks: tuple[Truck, ...]
    duration_s: NDArray[np.int64] = field(default_factory=_no_seconds)
    distance_m: NDArray[np.float64] = field(default_factory=_no_metres)
    name: str = ""
    blocks: Travel | None = None
    balance_eur_per_h: float = 0.0
    _node_of: dict[str, int] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        validate(self)
        for matrix in (self.duration_s, self.distance_m):
            matrix.setflags(write=False)
        ids = [visit.id for visit in self.visits] + [facility.id for facility in self.facilities]
        self._node_of.update({name: node for node, name in enumerate(ids)})

    def replace(self, **changes: Any) -> Self:
        """Return a variant of this problem; the whole mechanism of a what-if."""
        return dataclasses.replace(self, **changes)

    @property
    def travel(self) -> Travel:
        """Travel between locations, whichever way it is kept; what judges and searches ask."""
        return self.blocks or ArrayTravel(self.duration_s, self.distance_m)

    def matrices(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return seconds and metres between all pairs; not for large problems."""
        if self.blocks is None:
            return self.duration_s, self.distance_m
        everywhere = range(len(self.blocks))
        return self.blocks.block(everywhere, everywhere)

    def is_visit(self, node: int) -> bool:
        """Whether a node is a visit (and not a facility)."""
        return node < len(self.visits)

    def visit(self, node: int) -> Visit:
        """Return the visit of a node."""
        return self.visits[node]

    def facility(self, node: int) -> Facility:
        """Return the facility of a node."""
        return self.facilities[node - len(self.visits)]

    def location(self, node: int) -> int:
        """Return the location of a node."""
        return self.visit(node).location if self.is_visit(node) else self.facility(node).location

    def node_id(self, node: int) -> str:
        """Return the id of a node."""
        return self.visit(node).id if self.is_visit(node) else self.facility(node).id

    def node_of(self, name: str) -> int:
        """Return the node with an id.

        Raises:
            KeyError: there is none.
        """
        return self._node_of[name]


class Reason(StrEnum):
    """Why a visit is not served."""

    NOT_WORTH_IT = "not-worth-it"  # it would cost more than its prize
    CAPACITY = "capacity"  # more than any truck can carry
    WINDOW = "window"  # no truck can be there in time
    UNREACHABLE = "unreachable"  # no road
    NO_TRUCK = "no-truck"  # no truck takes its fractions
    TIME = "time"  # the fleet's day is full


@dataclass(frozen=True, slots=True)
class Unserved:
    """A visit that is left out.

    Attributes:
        extra_eur: what serving it would have added, without the limit that keeps it out; None
            where no truck could at any price, or where it is not known.
        short: by how much that limit is too small: seconds (window, time) or kilograms (capacity).
    """

    visit: int
    reason: Reason
    extra_eur: float | None = None
    short: float | None = None


@dataclass(frozen=True, slots=True)
class Tour:
    """One truck's day: its start and the nodes in order, unloading visits included."""

    truck: int
    start_s: int
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Solution:
    """Tours and what they leave out; times and loads are recomputed by `optimizer.check`."""

    tours: tuple[Tour, ...]
    unserved: tuple[Unserved, ...] = ()
    engine: str = ""
    seed: int = 0


def empty_problem(fractions: tuple[str, ...] = ("residual",)) -> Problem:
    """Return a problem with nothing to do; a start for `replace` in tests and builders."""
    return Problem(fractions, (), (), (), np.zeros((0, 0), np.int64), np.zeros((0, 0)))
