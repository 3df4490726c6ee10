"""How a region's devices are divided among ingesters, so that each device keeps its order.

Every device belongs to one of a fixed number of shards, by its name. A shard has a session of its
own at the broker, and whoever serves the shard uses that session: the number of ingesters can
change at any time, and no session is left behind with messages in it.

The broker does the dividing where it can: our NATS configuration adds the shard to the topic,
``.../devices/truck-1/up/position`` arrives as ``.../devices/truck-1/up/position/5``. Other brokers
know the shard's devices by name, or hand out messages as they like (`$share`).
"""

import re
import zlib
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self

from config.errors import SettingsError
from ingest.messages import PREFIX

SHARDS = 8
_SHARE = "$share/binround/"


class Split(StrEnum):
    """Who divides the messages."""

    BROKER = "broker"  # NATS, with the shard in the topic
    DEVICES = "devices"  # each session subscribes to its devices' topics by name
    SHARED = "shared"  # a shared subscription; the order is as good as the broker's choice


class Seat(NamedTuple):
    """Which of several ingesters one is, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a seat such as `2/3`.

        Raises:
            SettingsError: it is none.
        """
        found = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text)
        seat = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= seat.number <= seat.of <= SHARDS:
            raise SettingsError(
                f"ingester {text!r}: say which of how many, such as 2/3; {SHARDS} at most"
            )
        return seat

    @property
    def is_first(self) -> bool:
        """Whether it does what only one may do, such as sending tours."""
        return self.number == 1

    @property
    def shards(self) -> tuple[int, ...]:
        """What it serves."""
        return tuple(range(self.number - 1, SHARDS, self.of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


ALONE = Seat()


def session_name(region: str, shard: int) -> str:
    """Return what a shard's session at the broker is called; it must never change."""
    return f"ingest-{region}-{shard}" if shard else f"ingest-{region}"


def shard_of(device: str) -> int:
    """Return the shard of a device where we divide; the broker's own division may differ."""
    return zlib.crc32(device.encode()) % SHARDS


def plain(topic: str) -> str:
    """Return a topic as its device said it, without the shard."""
    head, _, last = topic.rpartition("/")
    return head if last.isdecimal() else topic


def topics(split: Split, region: str, shard: int, devices: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what a shard's session listens to.

    The first shard also hears what a broker did not divide: one without our configuration, or
    what was kept from before it had it. So nothing goes unheard, it is only not shared.

    Args:
        split: who divides.
        region: whose devices they are.
        shard: whose session it is.
        devices: all that are known, for `Split.DEVICES`.
    """
    everything = _everything(region)
    match split:
        case Split.BROKER:
            divided = f"{everything}/{shard}"
            return (divided,) if shard else (divided, everything)
        case Split.DEVICES:
            own = sorted(name for name in devices if shard_of(name) == shard)
            return tuple(f"{PREFIX}/{region}/devices/{name}/up/+" for name in own)
        case Split.SHARED:
            return (_SHARE + everything,)


def left(split: Split, region: str) -> tuple[str, ...]:
    """Return what a session may still listen to from a time when others divided."""
    everything = _everything(region)
    match split:
        case Split.BROKER:
            return (_SHARE + everything,)
        case Split.DEVICES:
            return everything, _SHARE + everything
        case Split.SHARED:
            return (everything,)


def _everything(region: str) -> str:
    return f"{PREFIX}/{region}/devices/+/up/+"
