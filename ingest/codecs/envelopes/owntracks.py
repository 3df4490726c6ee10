"""OwnTracks: a phone as a truck unit, `owntracks/{user}/{device}`; the device is `user/device`.

Only messages of `_type` location carry a position. Speed is in km/h, `tst` in seconds since 1970.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from config.errors import FrameError
from ingest.codecs.envelopes.envelope import Part, Report, parsed
from ingest.codecs.measurement import Draft, Movement

_TOPIC = re.compile(r"owntracks/(?P<device>[!-.0-~]{1,64}/[!-.0-~]{1,64})")
_KMH_PER_MPS = 3.6


class _Typed(Part):
    kind: Annotated[str, Field(alias="_type", max_length=32)]


class _Location(Part):
    kind: Annotated[Literal["location"], Field(alias="_type")]
    tst: Annotated[int, Field(ge=0, le=253_402_300_799)]
    lat: float
    lon: float
    vel: float | None = None
    cog: float | None = None
    acc: float | None = None
    alt: float | None = None


class OwnTracks:
    """Opens a phone's locations."""

    name = "owntracks"

    def reads(self, topic: str) -> bool:
        """Whether a topic is a phone's own; its commands and events lie below it."""
        return _TOPIC.fullmatch(topic) is not None

    def open(self, topic: str, payload: bytes) -> Report:
        """Open one location."""
        kind = parsed(_Typed, payload).kind
        if kind != "location":
            raise FrameError(f"_type: {kind!r} carries no position, only 'location' does")
        location, found = parsed(_Location, payload), _TOPIC.fullmatch(topic)
        time = datetime.fromtimestamp(location.tst, UTC)
        return Report(found["device"] if found else "", time, 0, _movement(location, time))


def _movement(location: _Location, time: datetime) -> Movement:
    draft = Draft(Movement)
    draft.set("time", time)
    draft.set("lon", location.lon)
    draft.set("lat", location.lat)
    if location.vel is not None and location.vel >= 0:  # iPhones say -1 for unknown
        draft.set("speed_mps", round(location.vel / _KMH_PER_MPS, 2))
    draft.set("heading_deg", location.cog)
    draft.set("accuracy_m", location.acc)
    draft.set("altitude_m", location.alt)
    return draft.done()
