"""Reads a frame from its first byte to its last; a missing byte is told by name."""

import struct
from typing import Literal

from config.errors import FrameError


class Cursor:
    """A place in a frame.

    Args:
        frame: the bytes.
        order: which byte of a number comes first.

    Every reader takes the name of what is read, for the reason of a frame that is too short.
    """

    def __init__(self, frame: bytes, order: Literal["big", "little"]) -> None:
        self._frame = frame
        self._at = 0
        self._order = order

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self._frame) - self._at

    def take(self, count: int, name: str) -> bytes:
        """Read so many bytes."""
        if self.left < count:
            raise FrameError(
                f"{name}: the frame is too short: byte {self._at + 1} to {self._at + count} "
                f"wanted, {len(self._frame)} there"
            )
        self._at += count
        return self._frame[self._at - count : self._at]

    def unsigned(self, count: int, name: str) -> int:
        """Read a number that is never negative."""
        return int.from_bytes(self.take(count, name), self._order)

    def signed(self, count: int, name: str) -> int:
        """Read a number in two's complement."""
        return int.from_bytes(self.take(count, name), self._order, signed=True)

    def float32(self, name: str) -> float:
        """Read an IEEE 754 number of four bytes."""
        (value,) = struct.unpack(">f" if self._order == "big" else "<f", self.take(4, name))
        return float(value)

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.left:
            raise FrameError(f"frame: {self.left} bytes too long")
