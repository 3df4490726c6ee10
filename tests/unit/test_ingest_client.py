"""paho's client with large reads: every byte once, in order, and one write for many messages."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from ingest.client import CHUNK_BYTES, BufferedSocket, Client

MESSAGES = 300
WAIT_S = 10.0


@given(st.binary(min_size=1, max_size=2000), st.lists(st.integers(1, 300), min_size=1))
def test_bytes_come_in_order_whatever_parts_are_asked_for(data: bytes, parts: list[int]) -> None:
    """Nothing is lost between two reads of the kernel, and what is left over is told."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(data)
        there.shutdown(socket.SHUT_WR)
        buffered, had = BufferedSocket(here), b""
        while part := buffered.recv(parts[len(had) % len(parts)]):
            had += part
            assert buffered.pending() == len(data) - len(had)
        assert had == data


def test_a_large_part_needs_no_copy_in_between() -> None:
    """A message larger than the buffer comes whole."""
    here, there = socket.socketpair()
    data = bytes(range(256)) * (CHUNK_BYTES // 64)
    with here, there:
        sender = threading.Thread(target=there.sendall, args=(data,))
        sender.start()
        buffered, had = BufferedSocket(here), bytearray()
        while len(had) < len(data):
            had += buffered.recv(len(data) - len(had))
        sender.join()
    assert had == data


def test_nothing_there_is_no_end() -> None:
    """A line that is silent is not taken for one that was cut."""
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        with pytest.raises(BlockingIOError):
            BufferedSocket(here).recv(1)


class Counting:
    """A socket that counts how often the kernel is asked to read."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self.reads = 0

    def recv(self, most: int) -> bytes:
        """Read, and count it."""
        self.reads += 1
        return self._inner.recv(most)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def publish(mid: int) -> bytes:
    """Return a message of QoS 1 as it is on the wire."""
    body = struct.pack("!H3sH", 3, b"a/b", mid) + b"x" * 20
    return bytes([0x32, len(body)]) + body


@contextmanager
def broker(received: list[bytes]) -> Iterator[int]:
    """Accept one client, send it everything in one write, and keep what it answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1000)  # its CONNECT
                mids = range(1, MESSAGES + 1)
                line.sendall(b"\x20\x02\x00\x00" + b"".join(map(publish, mids)))
                while data := line.recv(100_000):
                    received.append(data)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(WAIT_S)


def test_many_messages_cost_few_reads_and_one_write() -> None:
    """Of the version of paho that is pinned: a read for what is there, a write for a batch."""
    counted: list[Counting] = []
    had: list[int] = []
    full = threading.Event()

    class Watched(Client):
        def _create_socket(self) -> BufferedSocket:
            counted.append(Counting(mqtt.Client._create_socket(self)))  # type: ignore[arg-type]
            return BufferedSocket(counted[0])  # type: ignore[arg-type]

    def take(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        had.append(message.mid)
        if len(had) == MESSAGES:
            full.set()

    received: list[bytes] = []
    client = Watched(CallbackAPIVersion.VERSION2, manual_ack=True)
    client.on_message = take
    with broker(received) as port:
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert full.wait(WAIT_S)
        client.ack_all(had)
        client.disconnect()
        client.loop_stop()
    assert had == list(range(1, MESSAGES + 1))
    acknowledged = b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in had)
    assert b"".join(received) == acknowledged + b"\xe0\x00"  # and DISCONNECT
    assert counted[0].reads < MESSAGES / 10
