"""What the API says. Units as everywhere: seconds, metres, kilograms, litres, euro, WGS84."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from config.region import ID_PATTERN
from optimizer.formats.event_json import EventPart
from storage.history import Every

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Fill = Annotated[float, Field(description="Share of the volume; above 1 it overflows.")]


class Name(BaseModel):
    """A thing with a name in both languages."""

    id: str
    name_de: str
    name_en: str


class Service(Name):
    """Fractions that the same trucks collect."""

    fractions: list[str]


class Place(BaseModel):
    """A depot or a facility."""

    id: str
    name: str
    lon: float
    lat: float


class Region(BaseModel):
    """The operator's area."""

    id: str
    name: str
    zone: str = Field(description="The time zone in which its dates are meant.")
    licence: str
    attribution: str
    centre: tuple[float, float] = Field(description="Longitude, latitude.")
    bounds: tuple[float, float, float, float] = Field(description="West, south, east, north.")
    fractions: list[Name]
    services: list[Service]
    depots: list[Place]
    facilities: list[Place]


class Clock(BaseModel):
    """The system's time, which a simulated day may play faster than real time."""

    now: datetime
    speed: float = Field(description="Seconds of the system's time per second; 1 is real time.")
    simulated: bool


class Reading(BaseModel):
    """What a sensor said last."""

    time: datetime
    fill: Fill


class Belief(BaseModel):
    """What we believe about a container, with or without a sensor."""

    fill: Fill
    fill_sd: float
    rate_per_day: float = Field(description="Share of the volume that is added in a day.")
    overflow_risk: float = Field(
        description="Probability of overflowing before the next possible visit, 0 to 1."
    )
    prize_eur: float = Field(description="What emptying it on the coming tour is worth.")
    computed_at: datetime


class Container(BaseModel):
    """A container, where it stands and how full it is."""

    id: str
    site: str
    site_name: str
    lon: float
    lat: float
    fraction: str
    volume_l: float
    sensor: bool = Field(description="Whether a sensor reports its fill level.")
    synthetic: bool = Field(description="Placed by a generator, not surveyed.")
    reading: Reading | None = None
    emptied_at: datetime | None = None
    belief: Belief | None = Field(
        default=None, description="None until it is computed, and after the container was emptied."
    )


class Levels(BaseModel):
    """A container's fill levels of a span in short; every list has one entry a step."""

    container: str
    every: Every
    start: list[datetime] = Field(description="Begin of each hour or day (UTC) with readings.")
    readings: list[int] = Field(description="How many there were.")
    fill_min: list[float] = Field(description="Share of the volume, as in the other two.")
    fill_avg: list[float]
    fill_max: list[float]


class Page[Item](BaseModel):
    """A part of a list; `next` fetches what follows."""

    items: list[Item]
    next: str | None = Field(default=None, description="Cursor of the next page; none: the end.")
    attribution: str = Field(default="", description="Whom to thank for the data; show it.")


class Position(BaseModel):
    """Where a vehicle was last."""

    time: datetime
    lon: float
    lat: float
    speed_mps: float | None = None
    heading_deg: float | None = None


class Vehicle(BaseModel):
    """A truck, where it is and which tour it drives."""

    id: str
    name: str
    depot: str
    services: list[str]
    position: Position | None = None
    tour: str | None = None


PlanState = Literal["draft", "published", "superseded"]
TourState = Literal["planned", "sent", "accepted", "refused", "driving", "done"]


class Progress(BaseModel):
    """What a truck has reported of its tour."""

    state: TourState
    stops_done: int = 0
    stops_failed: int = 0
    last_stop: int | None = Field(default=None, description="Number of the stop reported last.")
    lifts: int = 0
    kg_unloaded: float = 0
    eta: datetime | None = Field(
        default=None, description="Expected end: the planned one plus the present delay."
    )


class TourSummary(BaseModel):
    """One vehicle's day in figures."""

    id: str
    plan: str
    vehicle: str
    revision: int
    start: datetime
    end: datetime
    stops: int = Field(description="Sites to visit; unloading and breaks do not count.")
    km: float
    hours: float
    kg: float
    trips: int
    progress: Progress


class Stop(BaseModel):
    """One stop of a tour."""

    number: int
    kind: Literal["visit", "unload", "break"]
    id: str = Field(description="Site, facility, or the rule that demands the break.")
    name: str
    lon: float | None
    lat: float | None
    arrival: datetime
    departure: datetime
    service_s: int
    containers: list[str]
    kg: float
    litres: float
    why: str = Field(description="Why it is on the tour.")
    locked: bool = Field(
        default=False, description="It stays where it is when the day is planned again."
    )
    state: Literal["open", "done", "failed"] = "open"


class Tour(TourSummary):
    """One vehicle's day, stop by stop."""

    depot: Place | None
    attribution: str
    stop_list: list[Stop]


class Unserved(BaseModel):
    """A site that is left out today, and why."""

    site: str
    name: str
    reason: str
    extra_eur: float | None = Field(description="What serving it would add to the cost.")
    containers: list[str]


class PlanSummary(BaseModel):
    """The tours of a day, a depot and a service, in figures."""

    id: str
    service: str
    depot: str
    day: date
    state: PlanState
    created_at: datetime
    published_at: datetime | None
    engine: str
    estimate: bool = Field(description="Travel times are estimated, not from a road network.")
    tours: int
    stops: int
    unserved: int
    km: float
    hours: float
    kg: float
    cost_eur: float


class Plan(PlanSummary):
    """The tours of a day, and what they leave out."""

    cost_parts_eur: dict[str, float]
    provider: str = Field(description="Where travel times come from.")
    attribution: str = Field(description="Whom to thank for places and roads; show it.")
    tour_list: list[TourSummary]
    unserved_list: list[Unserved]


class Said(BaseModel):
    """A sentence in both languages."""

    en: str
    de: str


class Obstacle(BaseModel):
    """Something that no plan of the day could do, found before it was solved."""

    reason: str
    visits: list[str] = Field(description="The sites in question.")
    fleet: bool = Field(description="A sum over the fleet; else a single visit.")
    mandatory: bool
    needed: float | None
    available: float | None
    measure: str = Field(description="What the figures count: kg, litres, s, time of day.")
    text: Said


class TripLoad(BaseModel):
    """What a compartment holds when the truck unloads."""

    trip: int
    compartment: int
    fractions: list[str]
    kg: float
    capacity_kg: float
    litres: float
    capacity_l: float


class Slack(BaseModel):
    """What is left of a rule's limit where the tour is nearest to it."""

    rule: str
    left: float
    limit: float
    unit: str = Field(description="s, kg, litres, stops or kWh.")
    at: str | None = Field(description="The site or facility where it is least.")
    text: Said


class TourExplanation(BaseModel):
    """How a tour fills its hours, its truck and its limits."""

    vehicle: str
    km: float
    hours: float
    kg: float
    eur: float
    loads: list[TripLoad]
    slacks: list[Slack]


class SiteExplanation(BaseModel):
    """Why a site is visited, is left out, or waits, and what would change that."""

    site: str
    state: Literal["visited", "left-out", "waiting"]
    containers: list[str]
    vehicle: str | None = Field(description="Who visits it, or would at the least cost.")
    level: float | None
    p_overflow: float | None
    prize_eur: float | None = Field(description="What the visit is worth; none: mandatory.")
    cost_eur: float | None = Field(
        description="What the visit adds to the tours, or would add; judged with and without it."
    )
    turns_at: float | None = Field(
        description="Level of its decisive container at which the decision turns."
    )
    reason: str | None = Field(description="Why it is left out.")
    short: float | None = Field(
        description="By how much a limit is too small: seconds, or kilograms for capacity."
    )
    text: Said


class Explanation(BaseModel):
    """A plan, explained in euro."""

    policy: str
    obstacles: list[Obstacle]
    tours: list[TourExplanation]
    sites: list[SiteExplanation]


class PlanOrder(BaseModel):
    """Asks for a plan."""

    model_config = ConfigDict(extra="forbid", strict=True)

    day: Annotated[date, Field(strict=False)]
    service: Id


JobState = Literal["waiting", "running", "succeeded", "failed", "cancelled"]


class Job(BaseModel):
    """Work that was asked for."""

    id: int
    state: JobState
    plan: str | None = Field(default=None, description="The plan it made, when it succeeded.")
    replan: str | None = Field(default=None, description="The proposal it made, likewise.")


class Events(BaseModel):
    """What happened during a plan's day."""

    model_config = ConfigDict(extra="forbid", strict=True)

    events: Annotated[list[EventPart], Field(min_length=1, max_length=20)]


ReplanState = Literal["open", "accepted", "refused"]


class ReplanBasis(BaseModel):
    """A tour that a proposal was made from; another revision makes the proposal stale."""

    tour: str
    vehicle: str
    revision: int = Field(description="0 where the vehicle had no tour.")


class ChangedTour(BaseModel):
    """A tour as it would be."""

    tour: str
    vehicle: str
    end: datetime
    later_min: float | None = Field(
        description="By how much the truck is home later; null where it is not known."
    )
    km: float
    kg: float
    trips: int
    stop_list: list[Stop]


class MovedStop(BaseModel):
    """A site that another truck would visit."""

    site: str
    before: str | None = Field(description="Which truck had it; null where none had.")
    now: str


class ReorderedStop(BaseModel):
    """A site that would be visited out of its published order."""

    site: str
    vehicle: str


class BothLanguages(BaseModel):
    """One sentence for people."""

    en: str
    de: str


class UndoneStop(BaseModel):
    """A site that nobody would visit any more, and why."""

    site: str
    vehicle: str | None
    reason: str
    mandatory: bool
    text: BothLanguages


class Replan(BaseModel):
    """A proposal to change a published plan; it is accepted or refused as a whole."""

    id: str
    plan: str
    state: ReplanState
    created_at: datetime
    decided_at: datetime | None
    events: list[EventPart]
    basis: list[ReplanBasis]
    tours: list[ChangedTour] = Field(description="Those that change; all others stay.")
    moved: list[MovedStop]
    reordered: list[ReorderedStop]
    undone: list[UndoneStop]
    cancelled: list[str]
    notes: list[BothLanguages]
    eur_before: float = Field(description="Of the tours in question, from now to their ends.")
    eur_after: float = Field(description="Likewise, with the worth of what is left out.")
    price_on_change_eur: float = Field(description="What its changes weighed; no money.")
    others_share: float = Field(
        description="Share of the pending stops of tours that no event hits which it changes."
    )


DeviceKind = Literal["sensor", "unit", "gateway"]
DeviceState = Literal["active", "revoked"]
Gateway = Annotated[
    Id | None, Field(description="Who speaks for a sensor without a line of its own.")
]
Source = Annotated[
    str | None, Field(description="The region's source that speaks for it, instead of our broker.")
]
Alias = Annotated[str | None, Field(description="Its name at that source.")]
Model = Annotated[str | None, Field(description="`vendor-model`; none takes what the source says.")]


class NewDevice(BaseModel):
    """A device to be added, or a revoked one to be taken back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[
        Id, Field(description="In topics and at the broker; a unit has its vehicle's name.")
    ]
    kind: DeviceKind
    container: Annotated[Id | None, Field(description="What a sensor watches.")] = None
    gateway: Gateway = None
    source: Source = None
    alias: Alias = None
    model: Model = None


class Device(BaseModel):
    """A sensor, a truck's unit or a gateway in the registry."""

    name: str
    kind: DeviceKind
    state: DeviceState
    container: str | None = None
    vehicle: str | None = None
    gateway: Gateway = None
    source: Source = None
    alias: Alias = None
    model: Model = None
    declared: bool = Field(description="Whether the region's folder names it.")
    provisioned_at: datetime | None = Field(
        default=None, description="Since when it has its credentials; none: it has none."
    )
    revoked_at: datetime | None = None


class Credentials(BaseModel):
    """What a device needs to connect. Shown once; we keep a hash."""

    user: str
    password: str
    client_id: str = Field(
        description="A secret, too: whoever connects with it throws the device off."
    )


class ProvisionedDevice(Device):
    """A device with its new credentials."""

    credentials: Credentials | None = Field(description="None for a device that others speak for.")


class Geometry(BaseModel):
    """A GeoJSON geometry."""

    type: str
    coordinates: list[Any]


class Feature(BaseModel):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str | int | None = None
    geometry: Geometry | None
    properties: dict[str, Any]


class FeatureCollection(BaseModel):
    """A GeoJSON layer (RFC 7946)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class Health(BaseModel):
    """Whether the service works."""

    status: Literal["ok"] = "ok"
