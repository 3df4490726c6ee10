"""Messages of other servers: a LoRaWAN network server's uplinks, a tracking server's positions."""

from config.errors import FrameError
from ingest.codecs.codec import Refusal
from ingest.codecs.envelopes.chirpstack import ChirpStack
from ingest.codecs.envelopes.envelope import Envelope, Report, Uplink
from ingest.codecs.envelopes.owntracks import OwnTracks
from ingest.codecs.envelopes.things_stack import ThingsStack
from ingest.codecs.envelopes.traccar import Traccar
from ingest.codecs.frames import decode_frame, model_called
from ingest.messages import MAX_PAYLOAD_BYTES

# In this order the first that reads a topic gets the message.
ENVELOPES: tuple[Envelope, ...] = (ThingsStack(), ChirpStack(), OwnTracks(), Traccar())

__all__ = ["ENVELOPES", "Envelope", "Report", "Uplink", "decode_message", "envelope_for"]


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
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Refusal(f"payload: {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES} are taken")
    try:
        opened = envelope.open(topic, payload)
    except FrameError as error:
        return Refusal(f"{envelope.name}: {error}")
    return (opened,) if isinstance(opened, Report) else _reports(opened, model)


def _reports(uplink: Uplink, model: str | None) -> tuple[Report, ...] | Refusal:
    model = model or model_called(uplink.called)
    if model is None:
        return Refusal("model: the network server names none that is known here", uplink.device)
    said = decode_frame(model, uplink.frame, uplink.port)
    if isinstance(said, Refusal):
        return said._replace(sender=uplink.device)
    # History is named by its own time alone: sent twice, in two frames, it is the same record.
    return tuple(
        Report(uplink.device, one.time, 0, one)
        if one.time
        else Report(uplink.device, uplink.time, uplink.seq, one)
        for one in said
    )
