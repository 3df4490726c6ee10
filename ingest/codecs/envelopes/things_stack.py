"""The Things Stack v3: `v3/{application}@{tenant}/devices/{device}/up`; without @tenant, its own.

Fields that are zero or empty are left out: the first frame of a session has no `f_cnt`, one
without a port no `f_port`. The time is that of `uplink_message`: the one at the top is, after a
backfill, that of the backfill. `decoded_payload` is not looked at; its names drift.
"""

import re
from typing import Annotated

from pydantic import Field

from config.errors import FrameError
from ingest.codecs.envelopes.envelope import Part, Uplink, frame_bytes, parsed
from ingest.messages import Instant

_TOPIC = re.compile(r"v3/[^/]+/devices/(?P<device>[a-z0-9-]{1,36})/up")


class _Ids(Part):
    device_id: str


class _Version(Part):
    brand_id: str = ""
    model_id: str = ""


class _Message(Part):
    received_at: Instant
    f_port: Annotated[int, Field(ge=0, le=255)] = 0
    f_cnt: Annotated[int, Field(ge=0, lt=2**32)] = 0
    frm_payload: str = ""
    version_ids: _Version = _Version()


class _Up(Part):
    end_device_ids: _Ids
    uplink_message: _Message
    simulated: bool = False


class ThingsStack:
    """Opens uplinks of The Things Stack."""

    name = "things-stack-v3"

    def reads(self, topic: str) -> bool:
        """Whether a topic carries uplinks; joins and downlink events do not."""
        return _TOPIC.fullmatch(topic) is not None

    def open(self, topic: str, payload: bytes) -> Uplink:
        """Open one uplink."""
        up, found = parsed(_Up, payload), _TOPIC.fullmatch(topic)
        device = found["device"] if found else ""
        if up.end_device_ids.device_id != device:
            raise FrameError("end_device_ids.device_id: not the device of the topic")
        if up.simulated:
            raise FrameError("simulated: nobody measured this")
        message = up.uplink_message
        version = message.version_ids
        return Uplink(
            device,
            message.received_at,
            message.f_cnt,
            message.f_port,
            frame_bytes("uplink_message.frm_payload", message.frm_payload),
            (f"{version.brand_id}-{version.model_id}", version.model_id),
        )
