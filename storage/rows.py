"""The rows of telemetry, as they go into the tables: one class a table, fields in its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class LevelRow(NamedTuple):
    """A container's fill level; `fill` is a share of its volume."""

    time: datetime
    device_id: int
    seq: int
    container: str
    fill: float
    distance_mm: int | None
    temperature_c: float | None
    battery_v: float | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class PositionRow(NamedTuple):
    """Where a vehicle was."""

    time: datetime
    device_id: int
    seq: int
    vehicle: str
    lon: float
    lat: float
    speed_mps: float | None
    heading_deg: float | None
    accuracy_m: float | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class EventRow(NamedTuple):
    """Something that happened on a tour; kinds as in the published contract."""

    time: datetime
    device_id: int
    seq: int
    vehicle: str
    kind: str
    tour: str | None
    stop: int | None
    container: str | None
    facility: str | None
    kg: float | None
    lon: float | None
    lat: float | None
    reason: str | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class StatusRow(NamedTuple):
    """How a device was."""

    time: datetime
    device_id: int
    seq: int
    online: bool
    battery_v: float | None
    battery_pct: int | None
    tilt: bool | None
    firmware: str | None
    boot: int
    received_at: datetime
    clock_suspect: bool


class FrameRow(NamedTuple):
    """What another maker's sensor sent, byte for byte."""

    time: datetime
    device_id: int
    seq: int
    container: str
    model: str
    port: int | None
    payload: bytes
    received_at: datetime
    clock_suspect: bool


class TrackerFrameRow(NamedTuple):
    """What another maker's tracker, or its server, sent, byte for byte."""

    time: datetime
    device_id: int
    seq: int
    vehicle: str
    model: str
    port: int | None
    payload: bytes
    received_at: datetime
    clock_suspect: bool


class DeadLetterRow(NamedTuple):
    """A message that could not be stored, as it came, and why."""

    received_at: datetime
    topic: str
    payload: bytes
    reason: str
    source: str = ""
    family: str = "contract"


Row = LevelRow | PositionRow | EventRow | StatusRow | FrameRow | TrackerFrameRow


@dataclass(frozen=True)
class Batch:
    """Rows that are stored together."""

    levels: Sequence[LevelRow] = ()
    positions: Sequence[PositionRow] = ()
    events: Sequence[EventRow] = ()
    statuses: Sequence[StatusRow] = ()
    frames: Sequence[FrameRow] = ()
    tracker_frames: Sequence[TrackerFrameRow] = ()
    dead_letters: Sequence[DeadLetterRow] = ()
