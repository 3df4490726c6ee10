"""Milesight EM310-UDL, EM400-MUD/UDL/TLD, EM500-UDL (ultrasonic, laser) and EM410-RDL (radar).

A frame is a row of items: a channel byte, a type byte, the value, little endian. Which items a
model has, and how long they are, is its table below. An item that no table knows has no known
length, so nothing after it can be read; what came before it counts.

EM400 also exists for NB-IoT: there the same items travel inside a frame of their own.

Sources: Milesight's user guides ("Uplink Data"), and the tables in
github.com/Milesight-IoT/SensorDecoders, folder em-series.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import attrgetter

from config.errors import FrameError
from ingest.codecs.cursor import Cursor
from ingest.codecs.frames import FrameCodec
from ingest.codecs.measurement import Draft, Measurement

_PORT = 85

# Distances that are none. Negative ones (a radar with an offset set) are none for us, either.
_NO_DISTANCE = {0xFFFD: "no target in range", 0xFFFE: "disabled", 0xFFFF: "sensor exception"}
_BLIND_ALARM, _NO_TARGET = 1, 2
_NOWHERE = (-1, -1)  # all bits set


class _Report:
    """What a frame says: the present, and history with times of its own.

    Attributes:
        whole: whether every item was known.
    """

    def __init__(self) -> None:
        self.whole = True
        self.now = Draft(Measurement)
        self.history: list[Measurement] = []

    def said(self) -> tuple[Measurement, ...]:
        """Return it, oldest first."""
        if not self.history:
            return self.now.found()
        present = self.now.done()
        past = sorted(self.history, key=attrgetter("time"))
        return (*past, present) if present != Measurement() else tuple(past)


Item = Callable[[Cursor, _Report], None]


def _skip(count: int) -> Item:
    def read(cursor: Cursor, _: _Report) -> None:
        cursor.take(count, "device information")

    return read


def _then_skip(read: Item, count: int) -> Item:
    """Return the reader of an alarm: a value, followed by what the alarm is about."""

    def both(cursor: Cursor, report: _Report) -> None:
        read(cursor, report)
        cursor.take(count, "alarm")

    return both


def _battery(cursor: Cursor, report: _Report) -> None:
    report.now.set("battery_pct", cursor.unsigned(1, "battery_pct"))


def _temperature(cursor: Cursor, report: _Report) -> None:
    report.now.set("temp_c", cursor.signed(2, "temp_c") / 10)


def _tilt(cursor: Cursor, report: _Report) -> None:
    report.now.set("tilt", cursor.unsigned(1, "tilt") != 0)


def _distance(cursor: Cursor, report: _Report) -> None:
    _set_distance(report.now, cursor.unsigned(2, "distance_mm"))


def _set_distance(draft: Draft[Measurement], raw: int) -> None:
    if raw < 0x8000:
        draft.set("distance_mm", raw)
    else:
        draft.lack("distance_mm", f"{_NO_DISTANCE.get(raw, 'below zero')} (0x{raw:04x})")


def _exception(cursor: Cursor, report: _Report) -> None:
    raw, code = cursor.unsigned(2, "distance_mm"), cursor.unsigned(1, "distance exception")
    if code == _BLIND_ALARM:
        report.now.set("too_close", True)
    elif code == 0:  # the surface has left the blind zone
        _set_distance(report.now, raw)
    else:
        what = "no target" if code == _NO_TARGET else "sensor exception"
        report.now.lack("distance_mm", f"{what} (exception {code})")


def _location(cursor: Cursor, report: _Report) -> None:
    lon, lat = cursor.signed(4, "lon"), cursor.signed(4, "lat")
    cursor.take(1, "motion")
    if (lon, lat) != _NOWHERE:
        report.now.set("lon", lon / 1e6)
        report.now.set("lat", lat / 1e6)


def _history(cursor: Cursor, report: _Report) -> None:
    report.history.append(_past(cursor).done())


def _long_history(cursor: Cursor, report: _Report) -> None:
    past = _past(cursor)
    past.set("temp_c", cursor.signed(2, "temp_c") / 10)
    cursor.take(3, "mutation and event")
    report.history.append(past.done())


def _past(cursor: Cursor) -> Draft[Measurement]:
    draft = Draft(Measurement)
    draft.set("time", datetime.fromtimestamp(cursor.unsigned(4, "time"), UTC))
    _set_distance(draft, cursor.unsigned(2, "distance_mm"))
    return draft


_DEVICE: dict[int, Item] = {
    0x0175: _battery,
    0xFF01: _skip(1),  # protocol version
    0xFF09: _skip(2),  # hardware version
    0xFF0A: _skip(2),  # firmware version
    0xFF0B: _skip(1),  # power on
    0xFF0F: _skip(1),  # LoRaWAN class
    0xFF16: _skip(8),  # serial number
    0xFFFE: _skip(1),  # reset
    0xFFFF: _skip(2),  # TSL version
}
_EM310 = _DEVICE | {0x0382: _distance, 0x0400: _tilt}
_EM400 = _DEVICE | {
    0x0367: _temperature,
    0x0482: _distance,
    0x0500: _tilt,
    0x0688: _location,
    0x8367: _then_skip(_temperature, 1),
    0x8482: _then_skip(_distance, 1),
}
_EM500 = _DEVICE | {0x0382: _distance, 0x83E9: _then_skip(_distance, 3), 0x20CE: _history}
_EM410 = _DEVICE | {
    0x01B9: _skip(2),  # voltage, in a unit that no page tells
    0x0367: _temperature,
    0x0482: _distance,
    0x0500: _tilt,
    0x06C7: _skip(2),  # strength of the echo
    0x8482: _then_skip(_distance, 1),
    0x9482: _then_skip(_distance, 3),
    0xB482: _exception,
    0x20CE: _history,
}
_EM410_LONG = _EM410 | {0x20CE: _long_history}


def _report(frame: bytes, items: Mapping[int, Item]) -> _Report:
    cursor, report = Cursor(frame, "little"), _Report()
    while cursor.left:
        channel = int.from_bytes(cursor.take(2, "channel and type"), "big")
        item = items.get(channel)
        if item is None:
            report.whole = False
            report.now.lack(f"item {channel:04x}", "not known; what follows it is not read")
            break
        item(cursor, report)
    return report


def _fits(frame: bytes, items: Mapping[int, Item]) -> bool:
    """Return whether a frame can be read to its end."""
    try:
        return _report(frame, items).whole
    except FrameError:
        return False


_NBIOT_START = 0x02  # no channel of EM400 has this number


def _nbiot_items(frame: bytes) -> bytes:
    """Return the items inside a frame of the NB-IoT version, which is big endian."""
    cursor = Cursor(frame, "big")
    cursor.take(3, "start and id")
    length = cursor.unsigned(2, "length")
    if cursor.left != length:
        raise FrameError(f"length: {length} bytes announced, {cursor.left} there")
    cursor.take(1 + 2 + 1 + 4 + 4, "flag, frame count and versions")
    cursor.take(16 + 15 + 15 + 20 + 1, "serial number, SIM and signal")
    items = cursor.take(cursor.unsigned(2, "length of the items"), "items")
    cursor.end()
    return items


def read_em310(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame of EM310-UDL."""
    return _report(frame, _EM310).said()


def read_em400(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame of EM400, by LoRaWAN or NB-IoT."""
    items = _nbiot_items(frame) if frame[0] == _NBIOT_START else frame
    return _report(items, _EM400).said()


def read_em500(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame of EM500-UDL."""
    return _report(frame, _EM500).said()


def read_em410(frame: bytes) -> tuple[Measurement, ...]:
    """Read a frame of EM410-RDL.

    A past measurement has 6 bytes, or 11 with temperature, mutation and event: Milesight's own
    pages contradict each other. So the frame decides, by which of them it can be read to its end.
    """
    long = not _fits(frame, _EM410) and _fits(frame, _EM410_LONG)
    return _report(frame, _EM410_LONG if long else _EM410).said()


CODECS = (
    FrameCodec("milesight-em310-udl", (_PORT,), read_em310),
    FrameCodec("milesight-em400-mud", (_PORT,), read_em400, aliases=("em400-udl", "em400-tld")),
    FrameCodec("milesight-em410-rdl", (_PORT,), read_em410),
    FrameCodec("milesight-em500-udl", (_PORT,), read_em500),
)
