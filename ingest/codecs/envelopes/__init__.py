"""Messages of other servers: a LoRaWAN network server's uplinks, a tracking server's positions."""

from typing import NamedTuple

from config.errors import FrameError
from config.source import Family
from ingest.codecs.codec import Refusal
from ingest.codecs.envelopes.bare import Bare
from ingest.codecs.envelopes.chirpstack import ChirpStack
from ingest.codecs.envelopes.envelope import Envelope, Report, Uplink
from ingest.codecs.envelopes.owntracks import OwnTracks
from ingest.codecs.envelopes.things_stack import ThingsStack
from ingest.codecs.envelopes.traccar import Traccar
from ingest.codecs.frames import decode_frame, model_called
from ingest.messages import MAX_PAYLOAD_BYTES

_NO_MODEL = "the network server names none that is known here; give it with --model"
_NO_TIME = "the frame carries none, and nothing came with it that does"

# In this order the first that reads a topic gets the message.
ENVELOPES: tuple[Envelope, ...] = (ThingsStack(), ChirpStack(), OwnTracks(), Traccar())

# By what a source's messages are written in.
OF_FAMILY: dict[Family, Envelope] = {
    Family(envelope.name): envelope for envelope in (*ENVELOPES, Bare())
}

__all__ = [
    "ENVELOPES",
    "OF_FAMILY",
    "Envelope",
    "Report",
    "Uplink",
    "decode_message",
    "envelope_for",
    "open_message",
    "read_uplink",
]


def envelope_for(topic: str) -> Envelope | None:
    """Return the envelope that messages on a topic come in."""
    return next((envelope for envelope in ENVELOPES if envelope.reads(topic)), None)


def decode_message(
    topic: str, payload: bytes, model: str | None = None
) -> tuple[Report, ...] | Refusal:
    """Decode one message. Whatever the bytes are, it raises nothing.

    Args:
        topic: on which it came; tells which server wrote it.
        payload: its bytes.
        model: the sensor's `vendor-model`, as the registry knows it; None takes what the network
            server says.

    Returns:
        what its device said, oldest first, at least one; or why there is nothing.
    """
    envelope = envelope_for(topic)
    if envelope is None:
        return Refusal("topic: no envelope reads it")
    opened = open_message(envelope, topic, payload)
    if isinstance(opened, Uplink):
        read = read_uplink(opened, model)
        return read if isinstance(read, Refusal) else read.reports
    return opened if isinstance(opened, Refusal) else (opened,)


def open_message(envelope: Envelope, topic: str, payload: bytes) -> Uplink | Report | Refusal:
    """Open one message of an envelope's kind. Whatever the bytes are, it raises nothing."""
    if not envelope.reads(topic):
        return Refusal(f"topic: {envelope.name} sends no device's readings on it")
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Refusal(f"payload: {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are taken")
    try:
        return envelope.open(topic, payload)
    except FrameError as error:
        return Refusal(f"{envelope.name}: {error}")


class Read(NamedTuple):
    """What a frame says, and whose decoder read it."""

    model: str
    reports: tuple[Report, ...]


def read_uplink(uplink: Uplink, model: str | None) -> Read | Refusal:
    """Read a frame.

    Args:
        uplink: the frame, and what was told with it.
        model: the device's `vendor-model`; None takes what the network server says.
    """
    model = model or model_called(uplink.called)
    if model is None:
        return Refusal(f"model: {_NO_MODEL}", uplink.device)
    said = decode_frame(model, uplink.frame, uplink.port)
    if isinstance(said, Refusal):
        return said._replace(sender=uplink.device)
    reports = []
    for one in said:
        if one.time:
            # History is named by its time alone: sent twice, in two frames, it is one record.
            reports.append(Report(uplink.device, one.time, 0, one))
        elif uplink.time:
            reports.append(Report(uplink.device, uplink.time, uplink.seq, one))
        else:
            return Refusal(f"time: {_NO_TIME}", uplink.device)
    return Read(model, tuple(reports))
