"""What an operator declares: places, containers, vehicles, services and their rules.

A region is one folder (see `config.region_folder` for its files). These models are what the
rest of the system sees: frozen, validated, with units in the field names. What concerns several
facts together (references, reach, capacity) is checked by `config.region_checks`.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
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
from config.source import Source

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
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


class Facility(Fact):
    """Where trucks unload."""

    id: Id
    name: str
    lon: Longitude
    lat: Latitude
    accepts: tuple[Id, ...] = Field(min_length=1)
    hours: tuple[Hours, ...] = Field(min_length=1)
    unload_s: int = Field(ge=0)
    source: str = ""


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
    shift_start: WallTime  # leaves the depot
    shift_end: WallTime  # is back, on the same day
    fixed_eur_per_day: float = Field(default=0.0, ge=0)
    eur_per_h: float = Field(ge=0)  # crew and vehicle
    eur_per_km: float = Field(ge=0)
    litres_per_km: float = Field(default=0.0, ge=0)
    litres_per_h: float = Field(default=0.0, ge=0)
    kg_co2e_per_litre: float = Field(default=3.24, ge=0)  # diesel, well to wheel, EN 16258

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.shift_end <= self.shift_start:
            raise ValueError(f"shift_end {self.shift_end} is not after {self.shift_start}")
        return self


class Site(Fact):
    """A place with one or more containers."""

    id: Id
    name: str
    lon: Longitude
    lat: Latitude
    curb: bool = False  # only to be served from the truck's right-hand side
    reverse: bool = False  # to be reached or left in reverse only, so with a banksman
    synthetic: bool = False  # placed by a generator, not surveyed


class Container(Fact):
    """What fills up."""

    id: Id
    site: Id
    fraction: Id
    volume_l: float = Field(gt=0)
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
