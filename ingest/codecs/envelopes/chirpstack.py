"""ChirpStack v4, JSON: `application/{application}/device/{EUI}/event/up`.

The device is its EUI, as in the topic. Fields that are zero may be left out. The model is what
the tag `model` of the device or of its profile says, else the profile's name. `object` is not
looked at: it is the work of whatever decoder somebody pasted into the profile.
"""

import re
from typing import Annotated

from pydantic import Field

from config.errors import FrameError
from ingest.codecs.envelopes.envelope import Part, Uplink, frame_bytes, parsed
from ingest.messages import Instant

_TOPIC = re.compile(r"application/[^/]+/device/(?P<eui>[0-9a-fA-F]{16})/event/up")


class _Device(Part):
    dev_eui: Annotated[str, Field(alias="devEui")]
    profile: Annotated[str, Field(alias="deviceProfileName")] = ""
    tags: Annotated[dict[str, str], Field(default_factory=dict)]


class _Up(Part):
    time: Instant
    device: Annotated[_Device, Field(alias="deviceInfo")]
    counter: Annotated[int, Field(alias="fCnt", ge=0, lt=2**32)] = 0
    port: Annotated[int, Field(alias="fPort", ge=0, le=255)] = 0
    data: str = ""


class ChirpStack:
    """Opens uplinks of ChirpStack."""

    name = "chirpstack-v4"

    def reads(self, topic: str) -> bool:
        """Whether a topic carries uplinks; joins, status and log events do not."""
        return _TOPIC.fullmatch(topic) is not None

    def open(self, topic: str, payload: bytes) -> Uplink:
        """Open one uplink."""
        up, found = parsed(_Up, payload), _TOPIC.fullmatch(topic)
        eui = found["eui"].lower() if found else ""
        if up.device.dev_eui.lower() != eui:
            raise FrameError("deviceInfo.devEui: not the device of the topic")
        return Uplink(
            eui,
            up.time,
            up.counter,
            up.port,
            frame_bytes("data", up.data),
            (up.device.tags.get("model", ""), up.device.profile),
        )
