"""Decentlab DL-MBX (ultrasonic) and DL-LID (lidar): big endian, protocol version 2.

A frame is the version (1 byte), the device's number (2), a mask of the sensors that follow (2) and
their values, two bytes each. In both models bit 0 is the distance, bit 1 the battery in
millivolts; with the mask at 2 a frame tells the battery alone.

    DL-MBX, bit 0   distance in millimetres, number of valid samples
    DL-LID, bit 0   average, minimum, maximum, median, 10th, 25th, 75th and 90th percentile and
                    most frequent value in millimetres, number of samples, acquisition time

Source: Decentlab's data sheets, and The Things Network's device repository, vendor/decentlab.
"""

from collections.abc import Callable

from config.errors import FrameError
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_VERSION = 2
_DISTANCE, _BATTERY = 0b01, 0b10

Words = Callable[[Cursor], tuple[int, int]]  # reads the distance and from how many samples it is


def _read(frame: bytes, distance: Words) -> tuple[Measurement, ...]:
    cursor, draft = Cursor(frame, "big"), Draft(Measurement)
    version = cursor.unsigned(1, "protocol version")
    if version != _VERSION:
        raise FrameError(f"protocol version: {version} is not known, {_VERSION} is")
    cursor.take(2, "device id")
    sensors = cursor.unsigned(2, "sensor mask")
    if sensors & _DISTANCE:
        millimetres, samples = distance(cursor)
        draft.set("n_valid", samples)
        if samples:
            draft.set("distance_mm", millimetres)
        else:
            draft.lack("distance_mm", "no valid sample")
    if sensors & _BATTERY:
        draft.set("battery_v", cursor.unsigned(2, "battery_v") / 1000)
    if sensors & ~(_DISTANCE | _BATTERY):
        draft.lack("sensor mask", "more sensors than are known; their values are not read")
    else:
        cursor.end()
    return draft.found()


def _mbx(cursor: Cursor) -> tuple[int, int]:
    return cursor.unsigned(2, "distance_mm"), cursor.unsigned(2, "number of valid samples")


def _lid(cursor: Cursor) -> tuple[int, int]:
    cursor.take(6, "average, minimum and maximum")
    median = cursor.unsigned(2, "distance_mm")
    cursor.take(10, "percentiles and mode")
    samples = cursor.unsigned(2, "number of samples")
    cursor.take(2, "acquisition time")
    return median, samples


def read_mbx(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame of DL-MBX."""
    return _read(frame, _mbx)


def read_lid(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame of DL-LID; of its statistics, the median is the distance."""
    return _read(frame, _lid)


CODECS = (
    FrameCodec("decentlab-mbx", (1,), read_mbx, aliases=("dl-mbx",)),
    FrameCodec("decentlab-lid", (1,), read_lid, aliases=("dl-lid",)),
)
