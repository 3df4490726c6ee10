"""Elsys ELT and ELT-2 with an ultrasonic head: big endian; a type byte, then its value.

Source: Elsys' list of payload types ("Elsys LoRa payload"), which all its sensors share.
"""

from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_TEMPERATURE, _SUPPLY, _DISTANCE = 0x01, 0x07, 0x0E

# How many bytes the value of each other type has: known so that what follows can be read.
_OTHER = {
    0x02: 1, 0x03: 3, 0x04: 2, 0x05: 1, 0x06: 2, 0x08: 2, 0x09: 6, 0x0A: 2, 0x0B: 4, 0x0C: 2,
    0x0D: 1, 0x0F: 1, 0x10: 4, 0x11: 1, 0x12: 1, 0x13: 65, 0x14: 4, 0x15: 2, 0x16: 2, 0x17: 4,
    0x18: 2, 0x19: 2, 0x1A: 1, 0x1B: 4, 0x1C: 2, 0x3D: 4,
}  # fmt: skip


def read(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame."""
    cursor, draft = Cursor(frame, "big"), Draft(Measurement)
    while cursor.left:
        kind = cursor.unsigned(1, "type")
        if kind == _TEMPERATURE:
            draft.set("temp_c", cursor.signed(2, "temp_c") / 10)
        elif kind == _SUPPLY:
            draft.set("battery_v", cursor.unsigned(2, "battery_v") / 1000)
        elif kind == _DISTANCE:
            draft.set("distance_mm", cursor.unsigned(2, "distance_mm"))
        elif kind in _OTHER:
            cursor.take(_OTHER[kind], f"type 0x{kind:02x}")
        else:
            draft.lack(f"type 0x{kind:02x}", "not known; what follows it is not read")
            break
    return draft.found()


CODECS = (FrameCodec("elsys-elt", (5,), read, aliases=("elt-ultrasonic", "elt-2", "elt2")),)
