"""Radio Bridge RBS306 (ultrasonic level, up to 10 m): big endian.

    0    protocol version (upper 4 bits, always 1) and packet counter (lower 4)
    1    kind of message; 0x10: level, 0x01: supervisory, others tell about the device
    level:        2 what caused it; 3-4 distance in millimetres
    supervisory:  2 errors; 3 state; 4 battery, a digit of volts and one of tenths

Sources: Radio Bridge, "Wireless Ultrasonic Level Sensor User Guide" 1.5, table 5, and its
support article "How do I decode an Ultrasonic Level Sensor event"; MultiTech RBS301 guide,
"Common messages".
"""

from config.errors import FrameError
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_VERSION = 1
_SUPERVISORY, _LEVEL = 0x01, 0x10


def read(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame."""
    cursor, draft = Cursor(frame, "big"), Draft(Measurement)
    version = cursor.unsigned(1, "protocol version") >> 4
    if version != _VERSION:
        raise FrameError(f"protocol version: {version} is not known, {_VERSION} is")
    kind = cursor.unsigned(1, "kind of message")
    if kind == _LEVEL:
        cursor.take(1, "cause")
        draft.set("distance_mm", cursor.unsigned(2, "distance_mm"))
    elif kind == _SUPERVISORY:
        cursor.take(2, "errors and state")
        volts, tenths = divmod(cursor.unsigned(1, "battery_v"), 16)
        draft.set("battery_v", volts + tenths / 10)
    return draft.found()


CODECS = (FrameCodec("radiobridge-rbs306", (), read, aliases=("rbs306-us10m",)),)
