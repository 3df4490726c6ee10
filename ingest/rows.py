"""From parcels to rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from config.source import OWN_BROKER, Origin
from ingest.messages import MAX_PAYLOAD_BYTES, Event, Level, Position, Status, TourAck
from ingest.steps import Frame, KnownDevice, Parcel, Reading
from storage.telemetry import (
    Batch,
    DeadLetterRow,
    EventRow,
    FrameRow,
    LevelRow,
    PositionRow,
    StatusRow,
    TrackerFrameRow,
)


class Answer(NamedTuple):
    """A unit's answer to its tour."""

    vehicle: str
    tour: str
    revision: int
    accepted: bool
    reason: str | None
    at: datetime


@dataclass
class Haul:
    """What a batch of parcels comes to.

    Attributes:
        levels, positions, events, statuses, frames, tracker_frames: rows.
        dead_letters: what could not be used.
        answers: units' answers to tours.
        clock_suspect: readings whose device's clock cannot be right.
    """

    levels: list[LevelRow] = field(default_factory=list)
    positions: list[PositionRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    statuses: list[StatusRow] = field(default_factory=list)
    frames: list[FrameRow] = field(default_factory=list)
    tracker_frames: list[TrackerFrameRow] = field(default_factory=list)
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    clock_suspect: int = 0

    def batch(self) -> Batch:
        """Return what is stored as telemetry."""
        return Batch(
            self.levels,
            self.positions,
            self.events,
            self.statuses,
            self.frames,
            self.tracker_frames,
            self.dead_letters,
        )


def gather(parcels: Iterable[Parcel], origin: Origin = OWN_BROKER) -> Haul:
    """Turn parcels from one origin into rows."""
    haul = Haul()
    for parcel in parcels:
        device = parcel.device
        if parcel.refusal or device is None:
            haul.dead_letters.append(dead_letter(parcel, origin=origin))
            continue
        if parcel.frame is not None:
            _keep_frame(haul, parcel.frame, device, parcel.received_at)
        for reading in parcel.readings:
            haul.clock_suspect += reading.clock_suspect
            _add(haul, parcel, device, reading)
    return haul


def dead_letter(parcel: Parcel, reason: str = "", origin: Origin = OWN_BROKER) -> DeadLetterRow:
    """Return a parcel as the dead letter that it became."""
    said = reason or (parcel.refusal.reason if parcel.refusal else "no reason known")
    payload = bytes(parcel.payload[:MAX_PAYLOAD_BYTES])
    return DeadLetterRow(
        parcel.received_at,
        _text(parcel.topic),
        payload,
        _text(said),
        origin.id,
        origin.family.value,
    )


def _keep_frame(haul: Haul, frame: Frame, device: KnownDevice, came: datetime) -> None:
    time, seq, model, port, payload, suspect = frame
    place = _place(device, time, suspect)
    if device.kind == "unit":
        haul.tracker_frames.append(
            TrackerFrameRow(time, device.id, seq, place, model, port, payload, came, suspect)
        )
    else:
        haul.frames.append(
            FrameRow(time, device.id, seq, place, model, port, payload, came, suspect)
        )


def _add(haul: Haul, parcel: Parcel, device: KnownDevice, reading: Reading) -> None:
    said, suspect = reading
    came = parcel.received_at
    place = _place(device, said.time, suspect)
    match said:
        case Position():
            haul.positions.append(
                PositionRow(
                    said.time, device.id, said.seq, place, said.lon, said.lat,
                    said.speed_mps, said.heading_deg, said.accuracy_m, said.boot, came, suspect,
                )
            )  # fmt: skip
        case Level():
            haul.levels.append(
                LevelRow(
                    said.time, device.id, said.seq, place, said.fill,
                    said.distance_mm, said.temperature_c, said.battery_v, said.boot, came, suspect,
                )
            )  # fmt: skip
        case Event():
            haul.events.append(
                EventRow(
                    said.time, device.id, said.seq, place, str(said.kind),
                    said.tour, said.stop, said.container, said.facility, said.kg, said.lon,
                    said.lat, said.reason, said.boot, came, suspect,
                )
            )  # fmt: skip
        case Status():
            haul.statuses.append(
                StatusRow(
                    said.time, device.id, said.seq, said.online, said.battery_v, said.battery_pct,
                    said.tilt, said.firmware, said.boot, came, suspect,
                )
            )  # fmt: skip
        case TourAck():
            vehicle = device.vehicle or ""
            haul.answers.append(
                Answer(vehicle, said.tour, said.revision, said.accepted, said.reason, came)
            )


def _place(device: KnownDevice, time: datetime, suspect: bool) -> str:
    """Return the container or the vehicle that a device was on at an instant."""
    if device.earlier and not suspect:  # an impossible clock says nothing of when
        for held in device.earlier:
            if time < held.until:
                return held.place
    return device.container or device.vehicle or ""


def _text(value: str) -> str:
    """Return a text that PostgreSQL can hold."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
