"""What all envelopes have in common: a topic, a JSON payload, and what comes out of them."""

import base64
import binascii
from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import FrameError
from ingest.codecs.codec import first_problem
from ingest.codecs.measurement import Said


class Uplink(NamedTuple):
    """A sensor's frame as a LoRaWAN network server hands it on, or as it came by itself.

    Attributes:
        device: its name at the network server.
        time: when the network received it; None where only the frame itself can tell.
        seq: the frame counter.
        port: the LoRaWAN port; None where there is none.
        frame: what the sensor sent.
        called: what the network server says the model is, best first; may be wrong or empty.
    """

    device: str
    time: datetime | None
    seq: int
    port: int | None
    frame: bytes
    called: tuple[str, ...]


class Report(NamedTuple):
    """One thing that one device said; (device, time, seq) names it for ever."""

    device: str
    time: datetime
    seq: int
    said: Said


class Envelope(Protocol):
    """Opens the messages of one kind of server."""

    name: str

    def reads(self, topic: str) -> bool:
        """Whether messages on a topic are of this kind."""
        ...

    def open(self, topic: str, payload: bytes) -> Uplink | Report:
        """Open one message; raises FrameError and nothing else."""
        ...


class Part(BaseModel):
    """A part of somebody else's JSON: what we need of it is checked, the rest is ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


def parsed[P: Part](kind: type[P], payload: bytes) -> P:
    """Read a payload as JSON of a kind."""
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        raise FrameError(first_problem(error)) from None


def frame_bytes(field: str, text: str) -> bytes:
    """Return the frame that is in a field as base64."""
    if not text:
        raise FrameError(f"{field}: missing; the uplink carries no frame of the device")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FrameError(f"{field}: not base64") from None
