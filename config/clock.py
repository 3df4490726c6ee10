"""The one clock. Every part is handed a `Clock`; no rule reads the time by itself.

A simulated day is played by several processes at once. They share its time through a small
mapped file: whoever plays the day writes an anchor (simulated instant, monotonic instant,
speed), everybody else extrapolates from it. The monotonic clock is the same for all processes
of a machine and never jumps.
"""

import mmap
import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from config.errors import SettingsError

_ANCHOR = struct.Struct("<Qddd")  # version, simulated epoch s, monotonic s, speed


class Clock(Protocol):
    """Tells the current instant."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is set; for tests and for pure computations."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant


class SharedClock:
    """The time of a simulated day, read by many processes and set by one.

    The version is odd while the anchor is being written; a reader that meets an odd or a
    changed version reads again, so that it never sees half an anchor.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_ANCHOR.pack(0, time.time(), time.monotonic(), 0.0))
        descriptor = os.open(path, os.O_RDWR)
        try:
            self._map = mmap.mmap(descriptor, _ANCHOR.size)
        finally:
            os.close(descriptor)

    def set(self, instant: datetime, speed: float) -> None:
        """Let the simulated time be `instant` now, and run `speed` times as fast as real time.

        Args:
            instant: the simulated instant.
            speed: simulated seconds per second; 0 stops the clock.
        """
        version = _ANCHOR.unpack_from(self._map)[0]
        struct.pack_into("<Q", self._map, 0, version + 1)
        struct.pack_into("<ddd", self._map, 8, instant.timestamp(), time.monotonic(), speed)
        struct.pack_into("<Q", self._map, 0, version + 2)

    def now(self) -> datetime:
        """Return the simulated instant in UTC."""
        simulated_s, anchor_s, speed = self._read()
        return datetime.fromtimestamp(simulated_s + (time.monotonic() - anchor_s) * speed, UTC)

    @property
    def speed(self) -> float:
        """Simulated seconds per second."""
        return self._read()[2]

    def _read(self) -> tuple[float, float, float]:
        while True:
            version, *anchor = _ANCHOR.unpack_from(self._map)
            if version % 2 == 0 and _ANCHOR.unpack_from(self._map)[0] == version:
                return anchor[0], anchor[1], anchor[2]
            time.sleep(0)


def open_clock(name: str) -> Clock:
    """Return the clock a setting names: `real`, or the path of a simulated day's clock file.

    Raises:
        SettingsError: there is no clock file; one made here would stand still for ever.
    """
    if name == "real":
        return RealClock()
    try:
        if Path(name).stat().st_size == _ANCHOR.size:
            return SharedClock(Path(name))
    except OSError:
        pass
    raise SettingsError(
        f"{name} is no clock file; unset BINROUND_CLOCK, or set it to the file of a running demo"
    )
