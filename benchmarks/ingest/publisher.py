"""Says what a fleet would say, over a bare socket, so that the load itself costs next to nothing.

MQTT 3.1.1 with QoS 1 (OASIS standard, sections 3.1 to 3.4). Run as a process of its own:
`python -m benchmarks.ingest.publisher PORT COUNT RATE`; user, password and client id come from
the environment. It prints one line of JSON when the broker has confirmed everything.
"""

import json
import os
import socket
import struct
import sys
import time
from datetime import UTC, datetime

from ingest.messages import Kind, up_topic

TRUCKS = 200
IN_FLIGHT = 500
PIECE = 50  # messages between two looks at the clock
KEEPALIVE_S = 60
_CONNECT, _CONNACK, _PUBLISH_QOS1, _PUBACK = 0x10, 0x20, 0x32, 0x40


def payload(number: int, at: datetime) -> bytes:
    """Return the position that a fleet sends as its `number`th, about 190 bytes.

    It names its truck, too: our ingester takes that from the topic, the peer from the payload.
    """
    truck = number % TRUCKS
    return (
        f'{{"time":"{at:%Y-%m-%dT%H:%M:%S.%f}Z","seq":{number},"lon":{8.5 + number % 997 / 1e4},'
        f'"lat":{52.0 + number % 991 / 1e4},"speed_mps":{number % 20},"heading_deg":{number % 360},'
        f'"accuracy_m":4.5,"vehicle":"truck-{truck}","device_id":{truck}}}'
    ).encode()


def publish(port: int, count: int, rate_per_s: float) -> dict[str, float]:
    """Publish and wait for the broker's word.

    Args:
        port: the broker's, on loopback.
        count: how many messages.
        rate_per_s: how fast; 0: as fast as the broker takes them.

    Returns:
        when it began and ended, and the processor time that it took.
    """
    region = os.environ["BINROUND_REGION"]
    topics = [up_topic(region, f"truck-{truck}", Kind.POSITION).encode() for truck in range(TRUCKS)]
    with socket.create_connection(("127.0.0.1", port)) as line:
        _log_in(line)
        began, sent, confirmed = time.time(), 0, 0
        while confirmed < count:
            due = count if not rate_per_s else min(count, int((time.time() - began) * rate_per_s))
            fresh = min(due - sent, PIECE, IN_FLIGHT - (sent - confirmed))
            if fresh > 0:
                now = datetime.now(UTC)
                numbers = range(sent, sent + fresh)
                line.sendall(b"".join(_packet(topics[n % TRUCKS], n, now) for n in numbers))
                sent += fresh
            if sent - confirmed >= IN_FLIGHT or sent >= count:
                confirmed += _confirmations(line)
            elif fresh <= 0:
                time.sleep(0.001)
            if rate_per_s and sent > confirmed:
                confirmed += _confirmations(line)
        return {"began": began, "ended": time.time(), "cpu_s": time.process_time()}


def _packet(topic: bytes, number: int, now: datetime) -> bytes:
    body = _text(topic) + struct.pack(">H", number % 65_535 + 1) + payload(number, now)
    return bytes([_PUBLISH_QOS1]) + _length(len(body)) + body


def _log_in(line: socket.socket) -> None:
    credentials = [
        os.environ[f"PUBLISHER_{name}"].encode() for name in ("CLIENT_ID", "USER", "PASSWORD")
    ]
    # Protocol level 4; flags: user, password, clean session.
    body = _text(b"MQTT") + struct.pack(">BBH", 4, 0b1100_0010, KEEPALIVE_S)
    body += b"".join(map(_text, credentials))
    line.sendall(bytes([_CONNECT]) + _length(len(body)) + body)
    answer = line.recv(4)
    if len(answer) != 4 or answer[0] != _CONNACK or answer[3]:
        raise SystemExit(f"the broker refused the publisher: {answer.hex()}")


def _confirmations(line: socket.socket) -> int:
    """Wait for PUBACKs, four bytes each; returns how many came."""
    answers = line.recv(4 * IN_FLIGHT)
    while len(answers) % 4:
        answers += line.recv(4 - len(answers) % 4)
    if not answers or any(answers[at] != _PUBACK for at in range(0, len(answers), 4)):
        raise SystemExit("the broker hung up on the publisher")
    return len(answers) // 4


def _text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def _length(count: int) -> bytes:
    """Return a remaining length as MQTT writes it: seven bits a byte, lowest first."""
    digits = bytearray()
    while True:
        count, digit = divmod(count, 128)
        digits.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(digits)


if __name__ == "__main__":
    port, count, rate = sys.argv[1:4]
    print(json.dumps(publish(int(port), int(count), float(rate))))
