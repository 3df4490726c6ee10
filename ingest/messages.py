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

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)

    time: Annotated[Instant, Field(description="The device's own clock, never altered.")]
    seq: Sequence
    boot: BootNumber = 0


class Level(Message):
    """A container's fill level."""

    fill: Annotated[float, Field(ge=0, le=2, description="Share of the container's volume.")]
    distance_mm: Annotated[int, Field(ge=0, le=100_000)] | None = None
    temperature_c: Annotated[float, Field(ge=-80, le=200)] | None = None
    battery_v: Annotated[float, Field(ge=0, le=100)] | None = None


class Position(Message):
    """Where a vehicle is."""

    lon: Lon
    lat: Lat
    speed_mps: Annotated[float, Field(ge=0, le=100)] | None = None
    heading_deg: Annotated[float, Field(ge=0, le=360)] | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None


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
    stop: Annotated[int, Field(ge=0, le=100_000)] | None = None
    container: Id | None = None
    facility: Id | None = None
    kg: Annotated[float, Field(ge=0, le=100_000)] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    reason: Annotated[Text, Field(max_length=200)] | None = None


class Status(Message):
    """How a device is."""

    online: bool = True
    battery_v: Annotated[float, Field(ge=0, le=100)] | None = None
    battery_pct: Annotated[int, Field(ge=0, le=100)] | None = None
    tilt: Annotated[bool, Field(description="Whether a sensor, so the lid, leans.")] | None = None
    firmware: Annotated[Text, Field(max_length=64)] | None = None


class TourAck(Message):
    """A unit has received, and takes or refuses, a revision of its tour."""

    tour: Annotated[Text, Field(max_length=64)]
    revision: Annotated[int, Field(ge=1, lt=2**31)]
    accepted: bool = True
    reason: Annotated[Text, Field(max_length=200)] | None = None


MODELS: dict[Kind, type[Message]] = {
    Kind.LEVEL: Level,
    Kind.POSITION: Position,
    Kind.EVENT: Event,
    Kind.STATUS: Status,
    Kind.TOUR_ACK: TourAck,
}


class TourStop(BaseModel):
    """One stop of a tour as a unit receives it."""

    model_config = ConfigDict(frozen=True)

    number: int
    kind: Literal["visit", "unload", "break"]
    id: str  # site, or facility, or the rule that demands the break
    name: str
    lon: float | None
    lat: float | None
    arrival: datetime
    service_s: int
    containers: tuple[str, ...] = ()


class TourDown(BaseModel):
    """A tour on its way to a truck: retained, with its revision. No stops: it is withdrawn."""

    model_config = ConfigDict(frozen=True)

    tour: str
    revision: int
    plan: str
    vehicle: str
    day: str
    start: datetime
    end: datetime
    stops: tuple[TourStop, ...]
    geometry: str = ""  # the way along all stops, polyline with 6 decimals
    attribution: str = ""


class Ack(BaseModel):
    """Which records of a unit are stored: ranges of seq, both ends included, of one boot."""

    model_config = ConfigDict(frozen=True)

    boot: int
    ranges: tuple[tuple[int, int], ...]
