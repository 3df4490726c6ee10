"""paho's client with one read and one write for many packets.

As it comes it reads each packet with three calls to the kernel behind a fourth that waits, and
wakes its thread and writes anew for each acknowledgement. That is half of what a message costs,
and each call hands the interpreter to another thread. Two steps of it are overridden that are not
part of its documented surface: `constraints.txt` pins its version, and tests hold them to it.
"""

import socket
import struct
from collections.abc import Iterable
from typing import cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MessageType, MQTTErrorCode

CHUNK_BYTES = 1 << 16
_PUBACK = struct.Struct("!BBH")


class BufferedSocket:
    """A socket that reads as much as there is, and hands it out in the small parts asked for."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._chunk = b""
        self._at = 0

    def recv(self, buffer_size: int) -> bytes:
        """Return up to so many bytes; they come from the kernel if none are left from before."""
        if self._at == len(self._chunk):
            if buffer_size >= CHUNK_BYTES:
                return self._inner.recv(buffer_size)
            self._chunk, self._at = self._inner.recv(CHUNK_BYTES), 0
        part = self._chunk[self._at : self._at + buffer_size]
        self._at += len(part)
        return part

    def pending(self) -> int:
        """Return how many bytes can be had at once; with some, paho does not wait for more."""
        if left := len(self._chunk) - self._at:
            return left
        pending = getattr(self._inner, "pending", None)  # of TLS
        return int(pending()) if pending else 0

    def send(self, buffer: bytes | bytearray) -> int:
        """Send what the kernel takes."""
        return self._inner.send(buffer)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """Make it wait, or not."""
        self._inner.setblocking(flag)

    def shutdown(self, how: int) -> None:
        """Cut the connection."""
        self._inner.shutdown(how)

    def close(self) -> None:
        """Let go of the connection."""
        self._inner.close()


class Client(mqtt.Client):
    """A client that reads and acknowledges in lots."""

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Deal with every packet that is here already."""
        connection = self.socket()
        while True:
            outcome = super().loop_read(max_packets)
            if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS or self.socket() is not connection:
                return outcome
            if not isinstance(connection, BufferedSocket) or not connection.pending():
                return outcome

    def ack_all(self, mids: Iterable[int]) -> None:
        """Acknowledge messages of QoS 1, by their numbers, in one write."""
        lot = b"".join(_PUBACK.pack(MessageType.PUBACK, 2, mid) for mid in mids)
        if lot:
            self._packet_queue(MessageType.PUBACK, lot, 0, 1)

    def _create_socket(self) -> BufferedSocket:
        return BufferedSocket(cast("socket.socket", super()._create_socket()))
