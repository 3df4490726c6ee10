"""Dragino LDDS45, LDDS75 and LDDS20: ultrasonic; one fixed frame of 8 bytes, big endian.

    0-1  battery in millivolts, the lower 14 bits
    2-3  distance in millimetres; 0: no sensor attached, 20: invalid reading
    4    whether the interrupt pin woke it
    5-6  temperature of the optional DS18B20 in tenths of a degree; 0 without one
    7    whether an ultrasonic sensor was found

Source: Dragino's user manuals of LDDS45, LDDS75 and LDDS20, "Uplink Payload".
"""

from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_NO_DISTANCE = {0: "no ultrasonic sensor attached (0)", 20: "invalid reading (20)"}


def read(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame."""
    cursor, draft = Cursor(frame, "big"), Draft(Measurement)
    draft.set("battery_v", (cursor.unsigned(2, "battery_v") & 0x3FFF) / 1000)
    distance = cursor.unsigned(2, "distance_mm")
    if distance in _NO_DISTANCE:
        draft.lack("distance_mm", _NO_DISTANCE[distance])
    else:
        draft.set("distance_mm", distance)
    cursor.take(1, "interrupt flag")
    draft.set("temp_c", cursor.signed(2, "temp_c") / 10)
    cursor.take(1, "sensor flag")
    cursor.end()
    return draft.found()


CODECS = tuple(
    FrameCodec(f"dragino-{name}", (2,), read, aliases=(f"{name}-114",))
    for name in ("ldds45", "ldds75", "ldds20")
)
