"""Pepperl+Fuchs WILSEN.sonic.level: ultrasonic, with positioning; big endian.

A frame is a row of packages: a length byte that counts what follows it, an id of two bytes, the
value. Ids that are not needed here (serial number, counters, amplitude) are stepped over, so a
service frame is understood and holds no measurement.

Source: Pepperl+Fuchs, "Description of the Payload, WILSEN.sonic.level" (TDOCT-7056).
"""

from collections.abc import Callable

from config.errors import FrameError
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_ID_BYTES = 2

Value = int | float
# id: (field, bytes of the value, how it is read)
_PACKAGES: dict[int, tuple[str, int, Callable[[Cursor, str], Value]]] = {
    0x0B01: ("distance_mm", 2, lambda value, name: value.unsigned(2, name) * 10),
    0x0B02: ("distance_mm", 2, lambda value, name: value.unsigned(2, name)),
    0x0B06: ("fill_pct", 1, lambda value, name: value.unsigned(1, name)),
    0x0201: ("temp_c", 4, lambda value, name: round(value.float32(name), 2)),
    0x5101: ("battery_v", 1, lambda value, name: value.unsigned(1, name) / 10),
    0x5001: ("lat", 4, lambda value, name: value.signed(4, name) / 1e6),
    0x5002: ("lon", 4, lambda value, name: value.signed(4, name) / 1e6),
}


def read(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame."""
    cursor, draft = Cursor(frame, "big"), Draft(Measurement)
    while cursor.left:
        length = cursor.unsigned(1, "package length")
        if length < _ID_BYTES:
            raise FrameError(f"package length: {length}, too short for the package's id")
        name = cursor.unsigned(_ID_BYTES, "package id")
        value = cursor.take(length - _ID_BYTES, f"package 0x{name:04x}")
        if name in _PACKAGES:
            field, size, convert = _PACKAGES[name]
            if len(value) != size:
                raise FrameError(f"{field}: {len(value)} bytes in package 0x{name:04x}, not {size}")
            draft.set(field, convert(Cursor(value, "big"), field))
    return draft.found()


CODECS = (FrameCodec("wilsen-sonic-level", (1,), read, aliases=("wilsen-sonic-distance",)),)
