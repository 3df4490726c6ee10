"""From parcels to rows, and to the receipts that units wait for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ingest.messages import MAX_PAYLOAD_BYTES, Ack, Event, Level, Position, Status, TourAck
from ingest.steps import KnownDevice, Parcel, Reading
from storage.telemetry import (
    Batch,
    DeadLetterRow,
    EventRow,
    LevelRow,
    PositionRow,
    StatusRow,
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
        levels, positions, events, statuses: rows.
        dead_letters: what could not be used.
        answers: units' answers to tours.
        clock_suspect: readings whose device's clock cannot be right.
    """

    levels: list[LevelRow] = field(default_factory=list)
    positions: list[PositionRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    statuses: list[StatusRow] = field(default_factory=list)
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    clock_suspect: int = 0

    def batch(self) -> Batch:
        """Return what is stored as telemetry."""
        return Batch(self.levels, self.positions, self.events, self.statuses, self.dead_letters)


def gather(parcels: Iterable[Parcel]) -> Haul:
    """Turn parcels into rows."""
    haul = Haul()
    for parcel in parcels:
        device = parcel.device
        if parcel.refusal or device is None:
            haul.dead_letters.append(dead_letter(parcel))
            continue
        for reading in parcel.readings:
            haul.clock_suspect += reading.clock_suspect
            _add(haul, parcel, device, reading)
    return haul


def dead_letter(parcel: Parcel, reason: str = "") -> DeadLetterRow:
    """Return a parcel as the dead letter that it became."""
    said = reason or (parcel.refusal.reason if parcel.refusal else "no reason known")
    payload = bytes(parcel.payload[:MAX_PAYLOAD_BYTES])
    return DeadLetterRow(parcel.received_at, _text(parcel.topic), payload, _text(said))


def receipts(
    parcels: Iterable[Parcel], devices: Mapping[str, KnownDevice]
) -> Iterator[tuple[str, Ack]]:
    """Yield what each unit is told: which of its records are kept, as rows or dead letters.

    A dead letter counts as well: sending it again would not make it any better.
    """
    kept: dict[tuple[str, int], list[int]] = defaultdict(list)
    for parcel in parcels:
        device = devices.get(parcel.sender)
        if device is None or device.kind != "unit":
            continue
        for boot, seq in _names(parcel):
            kept[device.name, boot].append(seq)
    for (name, boot), numbers in kept.items():
        yield name, Ack(boot=boot, ranges=ranges(numbers))


def _names(parcel: Parcel) -> Iterator[tuple[int, int]]:
    """Yield (boot, seq) of each record in a parcel, as far as they could be read."""
    if parcel.refusal is None:
        yield from ((message.boot, message.seq) for message in parcel.messages)
    elif parcel.refusal.boot is not None and parcel.refusal.seq is not None:
        yield parcel.refusal.boot, parcel.refusal.seq


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return numbers as ranges, both ends included: 1 2 3 7 becomes (1, 3) (7, 7)."""
    merged: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if merged and merged[-1][1] == number - 1:
            merged[-1] = (merged[-1][0], number)
        else:
            merged.append((number, number))
    return tuple(merged)


def _add(haul: Haul, parcel: Parcel, device: KnownDevice, reading: Reading) -> None:
    said, suspect = reading
    came = parcel.received_at
    match said:
        case Position():
            haul.positions.append(
                PositionRow(
                    said.time, device.id, said.seq, device.vehicle or "", said.lon, said.lat,
                    said.speed_mps, said.heading_deg, said.accuracy_m, said.boot, came, suspect,
                )
            )  # fmt: skip
        case Level():
            haul.levels.append(
                LevelRow(
                    said.time, device.id, said.seq, device.container or "", said.fill,
                    said.distance_mm, said.temperature_c, said.battery_v, said.boot, came, suspect,
                )
            )  # fmt: skip
        case Event():
            haul.events.append(
                EventRow(
                    said.time, device.id, said.seq, device.vehicle or "", str(said.kind),
                    said.tour, said.stop, said.container, said.facility, said.kg, said.lon,
                    said.lat, said.reason, said.boot, came, suspect,
                )
            )  # fmt: skip
        case Status():
            haul.statuses.append(
                StatusRow(
                    said.time, device.id, said.seq, said.online, said.battery_v, said.firmware,
                    said.boot, came, suspect,
                )
            )  # fmt: skip
        case TourAck():
            vehicle = device.vehicle or ""
            haul.answers.append(
                Answer(vehicle, said.tour, said.revision, said.accepted, said.reason, came)
            )


def _text(value: str) -> str:
    """Return a text that PostgreSQL can hold."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
