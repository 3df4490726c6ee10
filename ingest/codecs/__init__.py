"""From a message's bytes to what its device says; one file per vendor."""

from ingest.codecs.codec import Codec, Decoded, Refusal
from ingest.codecs.contract import ContractCodec

# In this order the first that reads a topic gets the message.
CONTRACT = ContractCodec()
CODECS: tuple[Codec, ...] = (CONTRACT,)

__all__ = ["CODECS", "CONTRACT", "Codec", "Decoded", "Refusal", "codec_for"]


def codec_for(topic: str) -> Codec | None:
    """Return the codec that reads a topic."""
    return next((codec for codec in CODECS if codec.reads(topic)), None)
