"""Traccar's position forwarding (`forward.type` json, by MQTT on `forward.topic`: `positions`).

Traccar speaks for all its trackers on one topic, so the device is the `uniqueId` in the payload:
who may publish there is trusted with every vehicle. Speed is in knots. A retry sends the same
position again; (device, fixTime) names it.
"""

from typing import Annotated, Any

from pydantic import Field

from config.errors import FrameError
from ingest.codecs.envelopes.envelope import Part, Report, parsed
from ingest.codecs.measurement import Draft, Movement
from ingest.messages import Instant

TOPIC = "positions"
_MPS_PER_KNOT = 1852 / 3600
_INPUT = "io"


class _Position(Part):
    fix_time: Annotated[Instant, Field(alias="fixTime")]
    valid: bool = True
    latitude: float
    longitude: float
    altitude: float | None = None
    speed: float | None = None
    course: float | None = None
    accuracy: float | None = None
    attributes: Annotated[dict[str, Any], Field(default_factory=dict)]


class _Device(Part):
    unique_id: Annotated[str, Field(alias="uniqueId", pattern=r"^[!-~]{1,64}$")]


class _Forward(Part):
    position: _Position
    device: _Device


class Traccar:
    """Opens forwarded positions."""

    name = "traccar"

    def reads(self, topic: str) -> bool:
        """Whether a topic is Traccar's: `positions`, wherever it hangs."""
        return topic == TOPIC or topic.endswith(f"/{TOPIC}")

    def open(self, topic: str, payload: bytes) -> Report:
        """Open one position."""
        forward = parsed(_Forward, payload)
        position = forward.position
        if not position.valid:
            raise FrameError("position.valid: false, the tracker had no fix")
        said = _movement(position)
        return Report(forward.device.unique_id, position.fix_time, 0, said)


def _movement(position: _Position) -> Movement:
    draft = Draft(Movement)
    draft.set("time", position.fix_time)
    draft.set("lon", position.longitude)
    draft.set("lat", position.latitude)
    if position.speed is not None:
        draft.set("speed_mps", round(position.speed * _MPS_PER_KNOT, 2))
    draft.set("heading_deg", position.course)
    draft.set("altitude_m", position.altitude)
    draft.set("accuracy_m", position.accuracy or None)  # 0 stands for unknown
    draft.set("ignition", position.attributes.get("ignition"))
    draft.set("satellites", position.attributes.get("sat"))
    draft.set("inputs", _inputs(position.attributes))
    return draft.done()


def _inputs(attributes: dict[str, Any]) -> dict[int, int] | None:
    """Return the attributes io1, io2 ... that are whole numbers."""
    return {
        int(name[len(_INPUT) :]): value
        for name, value in attributes.items()
        if name.startswith(_INPUT) and name[len(_INPUT) :].isdecimal() and type(value) is int
    } or None
