"""Teltonika trackers, Codec 8 and Codec 8 Extended: big endian, as sent over TCP.

A packet is four zero bytes, the data's length (4), the data, and a CRC-16/IBM of the data (4). The
data is the codec (0x08 or 0x8E), how many records, the records, and again how many. A record is

    8  milliseconds since 1970        2  altitude in metres, signed
    1  priority                       2  heading in degrees
    4  longitude, 1e-7 degrees        1  satellites; 0: no fix
    4  latitude, 1e-7 degrees         2  speed in km/h

and then numbered inputs: which one caused the record, how many, and groups of 1, 2, 4 and 8 bytes
wide values. In Codec 8 numbers and counts have one byte, in 8 Extended two, and there is a last
group of values that carry their length.

Source: Teltonika's wiki, "Teltonika Data Sending Protocols".
"""

from datetime import UTC, datetime
from typing import NamedTuple

from config.errors import FrameError
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Movement

_CODEC_8, _CODEC_8_EXTENDED = 0x08, 0x8E
_LAST_INSTANT_MS = 253_402_300_799_000  # the end of the year 9999
_IGNITION = 239
_KMH_PER_MPS = 3.6


class Record(NamedTuple):
    """One record, in Teltonika's own units and words."""

    timestamp_ms: int
    priority: int
    lon: float
    lat: float
    altitude_m: int
    angle_deg: int
    satellites: int
    speed_kmh: int
    event_io: int
    io: dict[int, int]


def records(packet: bytes) -> tuple[Record, ...]:
    """Return the records of a packet.

    Raises:
        FrameError: the packet is not whole, or its checksum is wrong.
    """
    cursor = Cursor(_checked(packet), "big")
    codec = cursor.unsigned(1, "codec")
    if codec not in (_CODEC_8, _CODEC_8_EXTENDED):
        raise FrameError(f"codec: 0x{codec:02x} is not known, 0x08 and 0x8e are")
    count = cursor.unsigned(1, "number of records")
    found = tuple(_record(cursor, extended=codec == _CODEC_8_EXTENDED) for _ in range(count))
    if cursor.unsigned(1, "number of records, again") != count:
        raise FrameError("number of records: told twice, and differently")
    cursor.end()
    return found


def _checked(packet: bytes) -> bytes:
    cursor = Cursor(packet, "big")
    if cursor.unsigned(4, "preamble"):
        raise FrameError("preamble: not four zero bytes")
    data = cursor.take(cursor.unsigned(4, "length"), "data")
    if cursor.unsigned(4, "checksum") != _crc16(data):
        raise FrameError("checksum: wrong")
    cursor.end()
    return data


def _crc16(data: bytes) -> int:
    """Return the CRC-16/IBM (polynomial 0xA001, reflected)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _record(cursor: Cursor, *, extended: bool) -> Record:
    width = 2 if extended else 1
    return Record(
        timestamp_ms=cursor.unsigned(8, "time"),
        priority=cursor.unsigned(1, "priority"),
        lon=cursor.signed(4, "lon") / 1e7,
        lat=cursor.signed(4, "lat") / 1e7,
        altitude_m=cursor.signed(2, "altitude"),
        angle_deg=cursor.unsigned(2, "heading"),
        satellites=cursor.unsigned(1, "satellites"),
        speed_kmh=cursor.unsigned(2, "speed"),
        event_io=cursor.unsigned(width, "event"),
        io=_inputs(cursor, width, extended=extended),
    )


def _inputs(cursor: Cursor, width: int, *, extended: bool) -> dict[int, int]:
    total = cursor.unsigned(width, "number of inputs")
    seen, inputs = 0, dict[int, int]()
    for size in (1, 2, 4, 8):
        group = cursor.unsigned(width, f"number of inputs of {size} bytes")
        for _ in range(group):
            number = cursor.unsigned(width, "input")
            inputs[number] = cursor.unsigned(size, f"input {number}")
        seen += group
    for _ in range(cursor.unsigned(2, "number of long inputs") if extended else 0):
        cursor.take(2, "input")
        cursor.take(cursor.unsigned(2, "length of an input"), "long input")
        seen += 1
    if seen != total:
        raise FrameError(f"number of inputs: {total} announced, {seen} there")
    return inputs


def read(packet: bytes) -> tuple[Movement, ...]:
    """Read a packet: one movement for each record."""
    return tuple(_movement(record) for record in records(packet))


def _movement(record: Record) -> Movement:
    draft = Draft(Movement)
    if record.timestamp_ms > _LAST_INSTANT_MS:
        raise FrameError("time: beyond the year 9999")
    draft.set("time", datetime.fromtimestamp(record.timestamp_ms / 1000, UTC))
    draft.set("satellites", record.satellites)
    draft.set("inputs", record.io)
    if _IGNITION in record.io:
        draft.set("ignition", record.io[_IGNITION] != 0)
    if record.satellites:
        draft.set("lon", record.lon)
        draft.set("lat", record.lat)
        draft.set("speed_mps", round(record.speed_kmh / _KMH_PER_MPS, 2))
        draft.set("heading_deg", float(record.angle_deg))
        draft.set("altitude_m", float(record.altitude_m))
    else:
        draft.lack("position", "no fix (0 satellites)")
    return draft.done()


CODECS = tuple(FrameCodec(f"teltonika-codec8{suffix}", (), read) for suffix in ("", "e"))
