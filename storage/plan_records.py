"""Plans, tours and stops as they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

State = Literal["draft", "published", "superseded"]


@dataclass(frozen=True, kw_only=True)
class StopRecord:
    """A stop of a tour.

    Attributes:
        place: the site, the facility, or the rule that demands the break.
        containers: those that are emptied here.
        why: what made it part of the plan; `eur` the figure behind it.
        locked: whether it has to stay where it is when the day is planned again.
    """

    number: int
    kind: Literal["visit", "unload", "break"]
    place: str
    name: str
    lon: float | None
    lat: float | None
    arrival: datetime
    departure: datetime
    service_s: int
    containers: tuple[str, ...] = ()
    kg: float = 0.0
    litres: float = 0.0
    why: str = ""
    eur: float | None = None
    locked: bool = False


@dataclass(frozen=True, kw_only=True)
class TourRecord:
    """One vehicle's day.

    Attributes:
        id: `{plan}-{vehicle}`.
        revision: what the truck was sent last; 0 before it is published.
        geometry: the way along all stops, polyline with 6 decimals.
    """

    id: str
    vehicle: str
    start: datetime
    end: datetime
    km: float
    hours: float
    kg: float
    trips: int
    stops: tuple[StopRecord, ...]
    geometry: str = ""
    attribution: str = ""
    plan: str = ""
    revision: int = 0
    acknowledged_revision: int | None = None
    accepted: bool | None = None
    reason: str | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class UnservedRecord:
    """A site that the plan leaves out, and why."""

    site: str
    reason: str
    containers: tuple[str, ...] = ()
    extra_eur: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlanRecord:
    """All tours of a day, service and depot.

    Attributes:
        cost: euro by part.
        provider: where travel times came from; see `optimizer.road_times.ProviderInfo`.
        estimate: whether they are not from a road network.
    """

    id: str
    region: str
    service: str
    depot: str
    day: date
    created_at: datetime
    engine: str
    seed: int
    estimate: bool
    cost: Mapping[str, float] = field(default_factory=dict)
    provider: Mapping[str, Any] = field(default_factory=dict)
    state: State = "draft"
    published_at: datetime | None = None
    tours: tuple[TourRecord, ...] = ()
    unserved: tuple[UnservedRecord, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanSummary:
    """A plan without its tours, for lists."""

    id: str
    region: str
    service: str
    depot: str
    day: date
    state: State
    created_at: datetime
    published_at: datetime | None
    engine: str
    estimate: bool
    tours: int
    stops: int
    km: float
    hours: float
    kg: float
    unserved: int
    eur: float
