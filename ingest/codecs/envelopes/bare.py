"""A device's bare bytes, in no envelope: `{any topic}/{device}`.

Nothing comes with them, so the model has to stand in the registry and the time in the frame. A
frame has no number either; its checksum stands in for one.
"""

import re
from zlib import crc32

from ingest.codecs.envelopes.envelope import Uplink

_TOPIC = re.compile(r"(?:.*/)?(?P<device>[!-.0-~]{1,128})", re.DOTALL)


class Bare:
    """Takes bytes as they are."""

    name = "frames"

    def reads(self, topic: str) -> bool:
        """Whether a topic's last level can be a device's name."""
        return _TOPIC.fullmatch(topic) is not None

    def open(self, topic: str, payload: bytes) -> Uplink:
        """Take one frame."""
        found = _TOPIC.fullmatch(topic)
        device = found["device"] if found else ""
        return Uplink(device, None, crc32(payload), None, payload, ())
