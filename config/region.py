"""What an operator declares: places, containers, vehicles, services and their rules.

A region is one folder (see `config.region_folder` for its files). These models are what the
rest of the system sees: frozen, validated, with units in the field names. What concerns several
facts together (references, reach, capacity) is checked by `config.region_checks`.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config.fact import ID_PATTERN as ID_PATTERN
from config.fact import Fact as Fact
from config.fact import Id as Id
from config.site_hours import WeekSpans
from config.source import Source
from config.weekdays import WEEKDAYS as WEEKDAYS
from config.weekdays import Weekday as Weekday

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
WORKING_WEEK: tuple[Weekday, ...] = WEEKDAYS[:5]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone {name!r}; use a name such as Europe/Berlin") from None
    return name


def _not_a_number(value: Any) -> Any:
    """Refuse 7 or 7.5, which would be read as seconds after midnight."""
    if isinstance(value, int | float):
        raise ValueError(f'{value}: write a time as "07:30"')  # noqa: TRY004 (pydantic's way)
    return value


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError(f"{value}: write it without a zone; the region's zone is meant")
    return value


WallTime = Annotated[time, BeforeValidator(_not_a_number), AfterValidator(_without_zone)]


class RuleProfile(StrEnum):
    """Which law on working and driving time binds a service's tours."""

    ARBZG = "arbzg"  # working time only (household collection, FPersV §18 Abs. 1 Nr. 8)
    EU561 = "eu561"  # also VO (EG) 561/2006 (public glass and paper containers)


class Hours(Fact):
    """Opening hours: the same span on each of the named weekdays."""

    days: tuple[Weekday, ...] = Field(default=WORKING_WEEK, min_length=1)
    opens: WallTime
    closes: WallTime  # at the latest "23:59:59"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError(f"closes {self.closes} is not after opens {self.opens}")
        return self


class Fraction(Fact):
    """A kind of waste."""

    id: Id
    name_de: str
    name_en: str
    waste_code: str = ""  # AVV key
    container_kg_per_m3: float = Field(gt=0)
    truck_kg_per_m3: float = Field(gt=0)
    fill_per_day: float = Field(default=0.05, gt=0)  # median share of a container's volume
    fill_per_day_log_sd: float = Field(default=0.64, ge=0)
    weekday_weights: tuple[float, ...] = Field(default=(1.0,) * 7, min_length=7, max_length=7)

    @field_validator("weekday_weights")
    @classmethod
    def _some_fill(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if min(weights) < 0 or max(weights) == 0:
            raise ValueError(f"{list(weights)}: seven shares from Monday on, none below 0")
        return weights


class Service(Fact):
    """Fractions that the same trucks collect under the same rules, e.g. `glass`."""

    id: Id
    name_de: str
    name_en: str
    fractions: tuple[Id, ...] = Field(min_length=1)
    rule_profile: RuleProfile
    collection_days: tuple[Weekday, ...] = Field(default=WORKING_WEEK, min_length=1)
    earliest: WallTime = time(7)  # noise window (32. BImSchV §7)
    latest: WallTime = time(20)
    site_s: int = Field(ge=0)  # to stop, secure and leave a site
    container_s: int = Field(gt=0)  # for each container emptied there
    overflow_eur_per_day: float = Field(gt=0)  # what a day of an overflowing container costs
    calendar_days: int = Field(gt=0)  # interval of the fixed calendar it is compared with
    load_reserve: float = Field(default=0.06, ge=0, lt=0.5)  # share of a truck plans keep free
    balance_eur_per_h: float = Field(default=0.0, ge=0)  # between longest and shortest tour
    divided_breaks: bool = False  # whether crews take breaks in parts, of 15 min at least

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.latest <= self.earliest:
            raise ValueError(f"latest {self.latest} is not after earliest {self.earliest}")
        return self


class Depot(Fact):
    """Where trucks start and end their day."""

    id: Id
    name: str
    lon: Longitude
    lat: Latitude
    source: str = ""


class Queue(Fact):
    """How long trucks wait at a facility from a time of day on, until the next of these."""

    since: WallTime
    wait_s: int = Field(ge=0)


class Facility(Fact):
    """Where trucks unload."""

    id: Id
    name: str
    lon: Longitude
    lat: Latitude
    accepts: tuple[Id, ...] = Field(min_length=1)
    hours: tuple[Hours, ...] = Field(min_length=1)
    unload_s: int = Field(ge=0)
    queue: tuple[Queue, ...] = ()
    source: str = ""

    @field_validator("queue")
    @classmethod
    def _one_after_the_other(cls, queue: tuple[Queue, ...]) -> tuple[Queue, ...]:
        for earlier, later in pairwise(queue):
            if later.since <= earlier.since:
                raise ValueError(f"since {later.since:%H:%M} is not after {earlier.since:%H:%M}")
        return queue


class Compartment(Fact):
    """A part of a truck's body, for one or several fractions."""

    fractions: tuple[Id, ...] = Field(min_length=1)
    capacity_l: float = Field(gt=0)  # of collected material as it lies in the truck
    capacity_kg: float = Field(gt=0)


class Vehicle(Fact):
    """A truck with its shift, costs and emissions."""

    id: Id
    name: str
    depot: Id
    services: tuple[Id, ...] = Field(min_length=1)
    crew: int = Field(default=1, ge=1, le=9)  # persons on board; two can guide each other
    payload_kg: float = Field(gt=0)
    compartments: tuple[Compartment, ...] = Field(min_length=1)
    width_m: float | None = Field(default=None, gt=0)
    height_m: float | None = Field(default=None, gt=0)
    gross_kg: float | None = Field(default=None, gt=0)  # permissible mass, loaded
    side_loader: bool = False  # serves only what is on its right-hand side
    crane: bool = False  # lifts underground and depot containers
    shift_start: WallTime  # leaves the depot
    latest_start: WallTime | None = None  # where it may leave later: by then
    shift_end: WallTime  # is back, on the same day
    max_hours: float | None = Field(default=None, gt=0)  # from leaving to being back
    max_stops: int | None = Field(default=None, gt=0)  # sites in a day
    max_litres: float | None = Field(default=None, gt=0)  # in a day, as it lies in the truck
    overnight_load_allowed: bool = False  # need not unload at the end of its day
    fixed_eur_per_day: float = Field(default=0.0, ge=0)
    eur_per_h: float = Field(ge=0)  # crew and vehicle
    overtime_after_h: float | None = Field(default=None, gt=0)
    overtime_eur_per_h: float = Field(default=0.0, ge=0)  # on top of eur_per_h
    eur_per_km: float = Field(ge=0)
    litres_per_km: float = Field(default=0.0, ge=0)
    litres_per_h: float = Field(default=0.0, ge=0)
    kg_co2e_per_litre: float = Field(default=3.24, ge=0)  # diesel, well to wheel, EN 16258
    battery_kwh: float | None = Field(default=None, gt=0)  # of an electric truck
    charge_kw: float | None = Field(default=None, gt=0)  # at the depot, between two shifts
    kwh_per_km: float = Field(default=0.0, ge=0)
    kwh_per_lift: float = Field(default=0.0, ge=0)
    reserve_share: float = Field(default=0.1, ge=0, lt=1)  # of the battery, never to be used

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.shift_end <= self.shift_start:
            raise ValueError(f"shift_end {self.shift_end} is not after {self.shift_start}")
        latest = self.latest_start
        if latest is not None and not self.shift_start <= latest < self.shift_end:
            raise ValueError(f"latest_start {latest} is not between shift_start and shift_end")
        if self.battery_kwh is not None and self.kwh_per_km <= 0:
            raise ValueError("battery_kwh needs kwh_per_km: what a kilometre takes of it")
        if self.battery_kwh is None and (self.kwh_per_km or self.kwh_per_lift or self.charge_kw):
            raise ValueError("kwh_per_km, kwh_per_lift and charge_kw need battery_kwh")
        if self.overtime_eur_per_h and self.overtime_after_h is None:
            raise ValueError("overtime_eur_per_h needs overtime_after_h: from when it is paid")
        return self

    @property
    def reserve_kwh(self) -> float:
        """What has to be left in the battery."""
        return (self.battery_kwh or 0.0) * self.reserve_share

    @property
    def morning_kwh(self) -> float:
        """The morning's charge: it came home with its reserve, and was charged until now."""
        battery = self.battery_kwh or 0.0
        if self.charge_kw is None:
            return battery
        out_s = seconds_of_day(self.shift_end) - seconds_of_day(self.shift_start)
        return min(battery, self.reserve_kwh + self.charge_kw * (86_400 - out_s) / 3600)


class Site(Fact):
    """A place with one or more containers."""

    id: Id
    name: str
    lon: Longitude
    lat: Latitude
    curb: bool = False  # only to be served from the truck's right-hand side
    reverse: bool = False  # to be reached or left in reverse only, so with a banksman
    max_width_m: float | None = Field(default=None, gt=0)  # of a vehicle that gets there
    max_height_m: float | None = Field(default=None, gt=0)
    max_gross_kg: float | None = Field(default=None, gt=0)
    windows: WeekSpans = ()  # when it can be reached; none: at any time
    noise_windows: WeekSpans = ()  # when it may be loud there; none: the service's hours
    synthetic: bool = False  # placed by a generator, not surveyed


class Container(Fact):
    """What fills up."""

    id: Id
    site: Id
    fraction: Id
    volume_l: float = Field(gt=0)
    crane: bool = False  # to be lifted by a crane: underground and depot containers
    sensor: Id | None = None  # the device that reports its fill
    synthetic: bool = False


class Roads(Fact):
    """Where the region's road network comes from."""

    extract: str | None = None  # an .osm.pbf in the region's folder (when loaded: its full path)
    download: str | None = None  # address of a public extract, for machines with internet
    town_seed: int = 7  # otherwise a town is generated around the centre
    town_radius_m: float = Field(default=4500.0, gt=500)
    centre_lon: Longitude
    centre_lat: Latitude


class Retention(Fact):
    """How long person-linked data may be kept, and for which declared purpose.

    The spans by default are what answering complaints takes; whoever keeps something for longer
    has to say what for.
    """

    purpose: str
    longer_because: str = ""  # what a span above its default is needed for
    positions_days: int = Field(default=14, ge=1)
    crew_days: int = Field(default=7, ge=1)
    backup_days: int = Field(default=7, ge=1)

    @field_validator("purpose")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("say what positions of vehicles are needed for")
        return text

    @field_validator("positions_days", "crew_days", "backup_days")
    @classmethod
    def _no_longer_than_needed(cls, days: int, info: ValidationInfo) -> int:
        usual = cls.model_fields[str(info.field_name)].default
        if days > usual and not info.data.get("longer_because", "").strip():
            raise ValueError(
                f"{days}: more than {usual} days need a purpose of their own; "
                "say which in longer_because"
            )
        return days


class RegionHead(Fact):
    """What an operator says about the area as a whole."""

    id: Id
    name: str = Field(min_length=1)
    zone: Annotated[str, AfterValidator(_known_zone)]
    currency: Literal["EUR"] = "EUR"
    licence: str = ""
    attribution: str = ""
    roads: Roads
    retention: Retention


class Region(RegionHead):
    """One operator's area: everything that is declared about it."""

    fractions: tuple[Fraction, ...]
    services: tuple[Service, ...]
    depots: tuple[Depot, ...]
    facilities: tuple[Facility, ...]
    vehicles: tuple[Vehicle, ...]
    sites: tuple[Site, ...]
    containers: tuple[Container, ...]
    holidays: Mapping[date, str] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()  # brokers besides our own

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone in which its dates and opening hours are meant."""
        return ZoneInfo(self.zone)

    @cached_property
    def fraction_by_id(self) -> Mapping[str, Fraction]:
        """Fractions by their id."""
        return {fraction.id: fraction for fraction in self.fractions}

    @cached_property
    def site_by_id(self) -> Mapping[str, Site]:
        """Sites by their id."""
        return {site.id: site for site in self.sites}

    @cached_property
    def service_by_fraction(self) -> Mapping[str, Service]:
        """The service that collects each fraction."""
        return {fraction: service for service in self.services for fraction in service.fractions}

    def midnight(self, day: date) -> datetime:
        """Return the instant at which a day of this region begins."""
        return datetime.combine(day, time(), self.time_zone)

    def is_collection_day(self, service: Service, day: date) -> bool:
        """Whether a service runs on a day: one of its weekdays, and no holiday."""
        return WEEKDAYS[day.weekday()] in service.collection_days and day not in self.holidays

    def next_collection_day(self, service: Service, after: date) -> date:
        """Return the first day after `after` on which a service runs."""
        day = after + timedelta(days=1)
        while not self.is_collection_day(service, day):
            day += timedelta(days=1)
        return day


def seconds_of_day(instant: time) -> int:
    """Return a wall-clock time as seconds after midnight."""
    return instant.hour * 3600 + instant.minute * 60 + instant.second
