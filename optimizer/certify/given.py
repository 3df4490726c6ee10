"""A plan as somebody gives it: tours of timed stops, with whatever facts there are.

Nothing here is computed. What a plan does not say is None, and the certificate says which rules
could not be judged for it. Times are seconds of the region's wall-clock day and may pass midnight.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum


class Action(StrEnum):
    """What happens at a stop."""

    START = "start"  # leaves the depot
    COLLECT = "collect"
    UNLOAD = "unload"
    BREAK = "break"
    REVERSE = "reverse"  # a stretch driven in reverse
    END = "end"  # is back at the depot


@dataclass(frozen=True, slots=True)
class GivenStop:
    """A stop as it was given.

    Attributes:
        action: None where the plan does not say; the kind of place then tells.
        place: id of a site, container, facility or depot.
        start_s: when work begins there, after waiting or a break; None means on arrival.
        containers: ids of what is emptied; empty means all that the tour's service collects there.
        fraction: the only one that is collected there.
        kg: weight collected in all; likewise `litres`, as it lies in the truck.
        kg_by: the same per fraction; likewise `litres_by`.
        reverse: whether the truck reverses there; None where the plan does not say.
        reverse_m: over what distance.
        side: `left` or `right` of the truck, where the containers stand.
        line: of the file, where it has lines.
    """

    action: Action | None
    place: str | None = None
    lon: float | None = None
    lat: float | None = None
    arrival_s: int | None = None
    start_s: int | None = None
    departure_s: int | None = None
    containers: tuple[str, ...] = ()
    fraction: str | None = None
    kg: float | None = None
    litres: float | None = None
    kg_by: Mapping[str, float] = field(default_factory=dict)
    litres_by: Mapping[str, float] = field(default_factory=dict)
    reverse: bool | None = None
    reverse_m: float | None = None
    side: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class GivenTour:
    """One vehicle's day as it was given.

    Attributes:
        name: unique in the plan.
        service: id; None where the plan does not say.
        crew: persons on board, the driver included.
        banksman: whether one of them guides the truck when it reverses.
        team: a name for who is on board, to find the rest between their days; never printed.
        stops: in order; a start and an end may be among them.
    """

    name: str
    vehicle: str
    day: date
    stops: tuple[GivenStop, ...]
    service: str | None = None
    crew: int | None = None
    banksman: bool | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class GivenPlan:
    """A plan as it was given.

    Attributes:
        source: where it was read from.
        unused: columns that nothing was read from.
        digest: SHA-256 of the file.
    """

    source: str
    tours: tuple[GivenTour, ...]
    unused: tuple[str, ...] = ()
    digest: str = ""


def named(tours: Iterable[GivenTour]) -> tuple[GivenTour, ...]:
    """Name tours by what is unique: their name, else their vehicle, and where needed the day."""
    found = list(tours)
    own = [tour.name or tour.vehicle for tour in found]
    dated = [f"{name} {tour.day}" for name, tour in zip(own, found, strict=True)]
    numbered = [f"{name} ({number})" for number, name in enumerate(dated, 1)]
    names = next((some for some in (own, dated) if len(set(some)) == len(some)), numbered)
    return tuple(replace(tour, name=name) for tour, name in zip(found, names, strict=True))
