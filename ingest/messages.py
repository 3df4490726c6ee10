"""The published MQTT contract: topics and payloads of our own devices and truck units.

One topic scheme, both ways::

    binround/v1/{region}/devices/{device}/up/{level|position|event|status|tour-ack}
    binround/v1/{region}/devices/{device}/down/{tour|ack}

The topic is the identity: the broker lets a device publish on its own topics only. `time` is
the device's clock and `seq` counts its messages; (device, time, seq) names a record for ever,
so sending it again changes nothing. A unit keeps a record until `down/ack` covers its
(boot, seq). Units of all fields: seconds, metres, kilograms, litres; fill as a share of the
container, above 1 when it overflows; WGS84 longitude and latitude; instants in UTC.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

PREFIX = "binround/v1"
MAX_PAYLOAD_BYTES = 65_536
ID_PATTERN = r"^[a-z0-9-]{1,32}$"

_UP = re.compile(
    rf"^{PREFIX}/(?P<region>[a-z0-9-]{{1,32}})/devices/(?P<device>[a-z0-9-]{{1,32}})"
    r"/up/(?P<kind>level|position|event|status|tour-ack)$"
)


class Kind(StrEnum):
    """What a device says."""

    LEVEL = "level"
    POSITION = "position"
    EVENT = "event"
    STATUS = "status"
    TOUR_ACK = "tour-ack"


class Uplink(NamedTuple):
    """A device's topic, taken apart."""

    region: str
    device: str
    kind: Kind


def parse_up(topic: str) -> Uplink | None:
    """Take a device's topic apart; None if it is not one."""
    found = _UP.fullmatch(topic)
    return Uplink(found["region"], found["device"], Kind(found["kind"])) if found else None


def up_topic(region: str, device: str, kind: Kind) -> str:
    """Return the topic on which a device says something."""
    return f"{PREFIX}/{region}/devices/{device}/up/{kind}"


def down_topic(region: str, device: str, kind: Literal["tour", "ack"]) -> str:
    """Return the topic on which a device is told something."""
    return f"{PREFIX}/{region}/devices/{device}/down/{kind}"


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("no instant of the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_in_utc)]
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]  # PostgreSQL's text holds no NUL
Sequence = Annotated[int, Field(ge=0, lt=2**63)]
BootNumber = Annotated[int, Field(ge=0, lt=2**31)]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]


class Message(BaseModel):
    """What every message carries. Unknown fields are ignored, so that devices may run ahead."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    time: Instant
    """The device's own clock, never altered: RFC 3339 with a zone, best in UTC."""
    seq: Sequence
    """The device's message counter; the frame counter of LoRaWAN."""
    boot: BootNumber = 0
    """How often the counter began anew."""


class Level(Message):
    """A container's fill level."""

    fill: Annotated[float, Field(ge=0, le=2)]
    """Share of the container's volume; above 1 it overflows."""
    distance_mm: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """What the sensor measured, in millimetres."""
    temperature_c: Annotated[float, Field(ge=-80, le=200)] | None = None
    """Inside the container, in degrees Celsius."""
    battery_v: Annotated[float, Field(ge=0, le=100)] | None = None
    """The sensor's battery, in volts."""


class Position(Message):
    """Where a vehicle is."""

    lon: Lon
    """Longitude in degrees, WGS84."""
    lat: Lat
    """Latitude in degrees, WGS84."""
    speed_mps: Annotated[float, Field(ge=0, le=100)] | None = None
    """In metres per second."""
    heading_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    """In degrees, clockwise from north."""
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    """Radius in metres that holds the true place in two of three cases."""


class EventKind(StrEnum):
    """What happened on a tour."""

    TOUR_START = "tour-start"
    STOP_ARRIVE = "stop-arrive"
    LIFT = "lift"
    STOP_DONE = "stop-done"
    STOP_FAILED = "stop-failed"
    UNLOAD = "unload"
    WEIGH = "weigh"
    BREAK_START = "break-start"
    BREAK_END = "break-end"
    BREAKDOWN = "breakdown"
    TOUR_END = "tour-end"


class Event(Message):
    """Something that happened on a tour.

    `lift` names its container; `stop-*` and `unload` name the stop's number in the tour;
    `unload` and `weigh` carry the weight; `stop-failed` says why.
    """

    kind: Annotated[EventKind, Field(strict=False)]
    tour: Annotated[Text, Field(max_length=64)] | None = None
    """The tour's id."""
    stop: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The stop's number in the tour."""
    container: Id | None = None
    """Which container."""
    facility: Id | None = None
    """Where the truck was unloaded."""
    kg: Annotated[float, Field(ge=0, le=100_000)] | None = None
    """Weight in kilograms."""
    lon: Lon | None = None
    """Longitude in degrees, WGS84; only together with `lat`."""
    lat: Lat | None = None
    """Latitude in degrees, WGS84; only together with `lon`."""
    reason: Annotated[Text, Field(max_length=200)] | None = None
    """Why a stop failed."""


class Status(Message):
    """How a device is."""

    online: bool = True
    """False as a last will."""
    battery_v: Annotated[float, Field(ge=0, le=100)] | None = None
    """Battery or board voltage, in volts."""
    battery_pct: Annotated[int, Field(ge=0, le=100)] | None = None
    """What is left in the battery, in per cent."""
    tilt: bool | None = None
    """Whether a sensor, so the lid, leans."""
    firmware: Annotated[Text, Field(max_length=64)] | None = None
    """Its version."""


class TourAck(Message):
    """A unit has received, and takes or refuses, a revision of its tour."""

    tour: Annotated[Text, Field(max_length=64)]
    """The tour's id."""
    revision: Annotated[int, Field(ge=1, lt=2**31)]
    """The revision that it answers."""
    accepted: bool = True
    """Whether the unit takes it."""
    reason: Annotated[Text, Field(max_length=200)] | None = None
    """Why it is refused."""


MODELS: dict[Kind, type[Message]] = {
    Kind.LEVEL: Level,
    Kind.POSITION: Position,
    Kind.EVENT: Event,
    Kind.STATUS: Status,
    Kind.TOUR_ACK: TourAck,
}


class Downlink(BaseModel):
    """What a unit is told."""

    model_config = ConfigDict(
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,  # all its fields are always there
    )


class TourStop(Downlink):
    """One stop of a tour as a unit receives it."""

    number: int
    """From 1; events name it."""
    kind: Literal["visit", "unload", "break"]
    """What is done there."""
    id: str
    """The site, the facility, or the rule that demands the break."""
    name: str
    """For people."""
    lon: float | None
    """Longitude in degrees, WGS84; null for a break that may be taken anywhere."""
    lat: float | None
    """Latitude in degrees, WGS84; null likewise."""
    arrival: datetime
    """The planned instant."""
    service_s: int
    """Planned seconds there."""
    containers: tuple[str, ...] = ()
    """Which containers are to be emptied."""


class TourDown(Downlink):
    """A tour on its way to a truck: retained, with its revision. No stops: it is withdrawn."""

    tour: str
    """Its id."""
    revision: int
    """Of this vehicle's day, from 1; the same or a lower one is no news."""
    plan: str
    """The plan it belongs to."""
    vehicle: str
    """For which vehicle."""
    day: str
    """The date in the region's zone."""
    start: datetime
    """The instant at which it leaves the depot."""
    end: datetime
    """The instant at which it is back."""
    stops: tuple[TourStop, ...]
    """In order; none: the tour is withdrawn."""
    geometry: str = ""
    """The way along all stops, encoded polyline with 6 decimals; may be empty."""
    attribution: str = ""
    """Whose map data it comes from; to be shown with it."""


class Ack(Downlink):
    """Which records of a unit are stored: ranges of seq, both ends included, of one boot."""

    boot: int
    """Of these records."""
    ranges: tuple[tuple[int, int], ...]
    """Pairs of first and last `seq`, both included."""
