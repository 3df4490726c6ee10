"""Terabee LoRa Level Monitoring XL: infrared time of flight; 6 bytes, big endian.

    0-1  distance in millimetres; 0: target too close, 1: invalid, 65535: target too far
    2    fill level in percent; 255: error
    3-4  battery in millivolts
    5    errors, one bit each: 0 reset after an error, 1 radio does not sleep, 2 battery not read,
         3 no answer from the distance sensor

Source: The Things Network's device repository, vendor/terabee/lora-lm-xl.
"""

from config.errors import FrameError
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_TOO_CLOSE, _INVALID, _TOO_FAR = 0, 1, 0xFFFF
_LEVEL_ERROR = 255
_BATTERY_NOT_READ, _NO_RESPONSE = 0b0100, 0b1000


def read(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame."""
    cursor, draft = Cursor(frame, "big"), Draft(Measurement)
    distance = cursor.unsigned(2, "distance_mm")
    level = cursor.unsigned(1, "fill_pct")
    battery_mv = cursor.unsigned(2, "battery_v")
    errors = cursor.unsigned(1, "errors")
    cursor.end()
    if errors & _NO_RESPONSE:
        raise FrameError("distance_mm: no response from ToF sensor (error bit 3)")
    _distance(draft, distance)
    if level == _LEVEL_ERROR:
        draft.lack("fill_pct", "the sensor reports a level error (255)")
    else:
        draft.set("fill_pct", level)
    if errors & _BATTERY_NOT_READ:
        draft.lack("battery_v", "the sensor could not read it (error bit 2)")
    else:
        draft.set("battery_v", battery_mv / 1000)
    return draft.found()


def _distance(draft: Draft[Measurement], distance: int) -> None:
    if distance == _TOO_CLOSE:
        draft.set("too_close", True)
    elif distance == _TOO_FAR:
        draft.set("too_far", True)
    elif distance == _INVALID:
        draft.lack("distance_mm", "invalid reading (1)")
    else:
        draft.set("distance_mm", distance)


CODECS = (FrameCodec("terabee-lm-xl", (1,), read, aliases=("lora-lm-xl",)),)
