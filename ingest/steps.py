"""The path of a message: what is done to it between broker and database.

A message that cannot be used is refused with a reason and becomes a dead letter; nothing that
a device sends raises an error here, so a bad message never holds up its neighbours.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from config.source import Family
from ingest import foreign
from ingest.codecs import CONTRACT, Refusal
from ingest.messages import Event, EventKind, Level, Message, Position, Status, TourAck
from ingest.parcel import Frame as Frame
from ingest.parcel import KnownDevice as KnownDevice
from ingest.parcel import Parcel as Parcel
from ingest.parcel import Reading as Reading
from ingest.parcel import Step as Step
from ingest.parcel import Surroundings as Surroundings

FARTHEST_AHEAD = timedelta(minutes=10)
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


def decode(parcel: Parcel, _: Surroundings) -> Refusal | None:
    """Turn bytes into what a device says."""
    decoded = CONTRACT.decode(parcel.topic, parcel.payload)
    if isinstance(decoded, Refusal):
        parcel.sender = decoded.sender
        return decoded
    parcel.region, parcel.sender, parcel.messages = decoded
    return None


def identify(parcel: Parcel, around: Surroundings) -> Refusal | None:
    """Find the device; the broker vouches for the topic, and nobody for the payload."""
    if parcel.region != around.region:
        return Refusal(f"region: {parcel.region} is not served here")
    parcel.device = around.devices.get(parcel.sender)
    if parcel.device is None:
        return Refusal(_stranger(parcel.sender, around.origin.id))
    return None


def _stranger(sender: str, source: str) -> str:
    if not source:
        return f"device: {sender} is not in the registry"
    return f"device: {sender} at {source} is not in the registry; see `binround device add`"


_SPEAKS: dict[str, tuple[type[Message], ...]] = {
    "sensor": (Level, Status),
    "unit": (Position, Event, Status, TourAck),
    "gateway": (Status,),
}

# Which fields an event cannot do without.
NEEDS: dict[EventKind, tuple[str, ...]] = {
    EventKind.LIFT: ("container",),
    EventKind.STOP_ARRIVE: ("stop",),
    EventKind.STOP_DONE: ("stop",),
    EventKind.STOP_FAILED: ("stop", "reason"),
    EventKind.UNLOAD: ("stop", "kg"),
    EventKind.WEIGH: ("kg",),
}


def validate(parcel: Parcel, _: Surroundings) -> Refusal | None:
    """Check what the shape of a message cannot tell: whether this device can say this."""
    for message in parcel.messages:
        problem = _problem(message, parcel.device)
        if problem:
            return Refusal(problem, parcel.sender, message.boot, message.seq)
    return None


def _problem(message: Message, device: KnownDevice | None) -> str:
    kind = type(message)
    if device is None or kind not in _SPEAKS.get(device.kind, ()):
        return f"device: a {device.kind if device else 'stranger'} sends no {kind.__name__.lower()}"
    if kind is Level and device.container is None:
        return "device: the sensor is at no container"
    if kind in (Position, Event) and device.vehicle is None:
        return "device: the unit is in no vehicle"
    if isinstance(message, Event):
        return _event_problem(message)
    return ""


def _event_problem(event: Event) -> str:
    missing = [name for name in NEEDS.get(event.kind, ()) if getattr(event, name) is None]
    if missing:
        return f"event: {event.kind} without {' and '.join(missing)}"
    if (event.lon is None) != (event.lat is None):
        return "event: lon and lat come together or not at all"
    return ""


def judge_clock(parcel: Parcel, _: Surroundings) -> Refusal | None:
    """Mark what a device cannot have said when it says it did: judged by when it came."""
    latest = parcel.received_at + FARTHEST_AHEAD
    parcel.readings = [
        Reading(message, not EARLIEST <= message.time <= latest) for message in parcel.messages
    ]
    frame = parcel.frame
    if frame is not None:
        parcel.frame = frame._replace(clock_suspect=not EARLIEST <= frame.time <= latest)
    return None


PATH: tuple[Step, ...] = (decode, identify, validate, judge_clock)
KEPT_PATH: tuple[Step, ...] = (foreign.read, foreign.interpret, validate, judge_clock)
FOREIGN_PATH: tuple[Step, ...] = (foreign.open_envelope, identify, *KEPT_PATH)
PATHS: Mapping[Family, tuple[Step, ...]] = dict.fromkeys(Family, FOREIGN_PATH) | {
    Family.CONTRACT: PATH
}


def walk(topic: str, payload: bytes, received_at: datetime, around: Surroundings) -> Parcel:
    """Lead one message along the path.

    Returns:
        the parcel: with a device and readings, or with a refusal.
    """
    parcel = Parcel(topic, payload, received_at)
    return follow(PATHS[around.origin.family], parcel, around)


def follow(path: tuple[Step, ...], parcel: Parcel, around: Surroundings) -> Parcel:
    """Lead a parcel along a path, or to the first refusal on it."""
    for step in path:
        parcel.refusal = step(parcel, around)
        if parcel.refusal:
            break
    return parcel
