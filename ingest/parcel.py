"""A message on its path, and what the steps of the path are handed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from config.source import OWN_BROKER, Origin
from ingest.codecs import Refusal
from ingest.codecs.calibration import History
from ingest.codecs.envelopes import Report, Uplink
from ingest.messages import Message


class Earlier(Protocol):
    """What a device was on before."""

    @property
    def place(self) -> str:
        """The container or the vehicle."""
        ...

    @property
    def until(self) -> datetime:
        """Since when it is on something else."""
        ...


class KnownDevice(Protocol):
    """A device as the registry knows it."""

    @property
    def id(self) -> int:
        """Its number in the database."""
        ...

    @property
    def name(self) -> str:
        """Its name in topics."""
        ...

    @property
    def kind(self) -> str:
        """`sensor`, `unit` or `gateway`."""
        ...

    @property
    def container(self) -> str | None:
        """The container that a sensor watches."""
        ...

    @property
    def vehicle(self) -> str | None:
        """The vehicle that a unit sits in."""
        ...

    @property
    def earlier(self) -> Sequence[Earlier]:
        """What it was on before, oldest first."""
        ...

    @property
    def model(self) -> str | None:
        """Its maker's name for it, where the registry knows."""
        ...


class Surroundings(NamedTuple):
    """What the steps are handed besides the message.

    Attributes:
        region: whose messages these are.
        devices: those that the origin may speak for, by what they are called there.
        origin: where the messages come from.
        calibrations: how sensors' distances are read, by the device's number.
    """

    region: str
    devices: Mapping[str, KnownDevice]
    origin: Origin = OWN_BROKER
    calibrations: Mapping[int, History] = {}


class Reading(NamedTuple):
    """One thing said, judged.

    Attributes:
        message: what was said.
        clock_suspect: whether the device's clock cannot be right; the instant stays as it was
            told, because it is part of the record's name, but it never counts as the newest.
    """

    message: Message
    clock_suspect: bool


class Frame(NamedTuple):
    """What another maker's device sent, kept so that it can be read again.

    Attributes:
        time: when the network received it, or what it tells itself.
        seq: its number; (device, time, seq) names it for ever.
        model: whose decoder read it; for a server's JSON the server's.
        port: of LoRaWAN; None where there is none.
        payload: the bytes.
        clock_suspect: whether the time cannot be right.
    """

    time: datetime
    seq: int
    model: str
    port: int | None
    payload: bytes
    clock_suspect: bool = False


@dataclass(slots=True)
class Parcel:
    """A message on its path; each step adds what it found out."""

    topic: str
    payload: bytes
    received_at: datetime
    region: str = ""
    sender: str = ""
    messages: tuple[Message, ...] = ()
    device: KnownDevice | None = None
    opened: Uplink | Report | None = None
    reports: tuple[Report, ...] = ()
    frame: Frame | None = None
    readings: list[Reading] = field(default_factory=list)
    refusal: Refusal | None = None


Step = Callable[[Parcel, Surroundings], Refusal | None]
