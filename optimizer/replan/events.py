"""What happens during a day that makes a dispatcher plan again. Trucks and places by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.model import DAY_S

if TYPE_CHECKING:
    from optimizer.model import BreakRule, TimeWindow, Visit


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A truck cannot go on; what it carries stays on it."""

    truck: str


@dataclass(frozen=True, slots=True)
class Closure:
    """An area that nobody may enter or cross in a span of the day.

    Attributes:
        polygon: (longitude, latitude) of its corners.
        from_s: seconds of the day; likewise `until_s`.
    """

    polygon: tuple[tuple[float, float], ...]
    from_s: int = 0
    until_s: int = DAY_S


@dataclass(frozen=True, slots=True)
class TruckFull:
    """A truck is full before it should be: it has to unload before it collects anything more.

    Attributes:
        fraction: whose compartment is full; None for the whole body.
    """

    truck: str
    fraction: str | None = None


@dataclass(frozen=True, slots=True)
class FacilityClosed:
    """A facility takes nothing in a span of the day."""

    facility: str
    from_s: int = 0
    until_s: int = DAY_S


@dataclass(frozen=True, slots=True)
class UrgentStop:
    """Something that has to be collected today after all.

    Attributes:
        visit: with an id of its own, or that of a visit which the plan leaves out.
    """

    visit: Visit


@dataclass(frozen=True, slots=True)
class DriverSwap:
    """Another driver takes over a truck.

    Attributes:
        shift: of the new driver; who has left takes over where the truck is.
        breaks: that the new driver owes.
        max_driving_s: that the new driver may still drive today; None where nothing limits it.
    """

    truck: str
    shift: TimeWindow
    breaks: tuple[BreakRule, ...] = ()
    max_driving_s: int | None = None


@dataclass(frozen=True, slots=True)
class CancelStop:
    """A stop is not to be served today any more."""

    visit: str


Event = Breakdown | Closure | TruckFull | FacilityClosed | UrgentStop | DriverSwap | CancelStop
