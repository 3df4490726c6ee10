"""Where messages come from, besides our own broker: other servers' brokers, each with its words."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config.errors import SettingsError
from config.fact import Fact, Id
from config.mqtt_filter import filter_problem


class Family(StrEnum):
    """What the messages of a source are written in."""

    CONTRACT = "contract"  # our own
    THINGS_STACK = "things-stack-v3"
    CHIRPSTACK = "chirpstack-v4"
    TRACCAR = "traccar"
    OWNTRACKS = "owntracks"
    FRAMES = "frames"  # a device's bare bytes; its name is the topic's last level


SHAPES: Mapping[Family, tuple[str, ...]] = {
    # Another binround's NATS adds the shard that one of its ingesters serves.
    Family.CONTRACT: ("binround/v1/+/devices/+/up/+", "binround/v1/+/devices/+/up/+/+"),
    Family.THINGS_STACK: ("v3/+/devices/+/up",),
    Family.CHIRPSTACK: ("application/+/device/+/event/up",),
    Family.TRACCAR: ("#/positions",),
    Family.OWNTRACKS: ("owntracks/+/+",),
    Family.FRAMES: ("#",),
}
"""The topics that each family's messages come on; a leading `#` stands for any levels."""


class Origin(NamedTuple):
    """Where a message came from.

    Attributes:
        id: the source's name in the region; empty for our own broker.
        family: what its messages are written in.
    """

    id: str = ""
    family: Family = Family.CONTRACT


OWN_BROKER = Origin()


@dataclass(frozen=True)
class TlsFiles:
    """What a TLS line needs beyond the system's own authorities.

    Attributes:
        ca: certificates of the authority that signed the server's.
        certificate: ours, where the server wants to know us (mutual TLS).
        key: its private key.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return the settings of a client's line: the server is always verified.

        Raises:
            SettingsError: a file is missing or cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file)
            raise SettingsError(
                f"TLS: {files}: {error.strerror or error}; name PEM files that you may read"
            ) from None
        return context


def _broker_address(url: str) -> str:
    return _address(url, {"mqtt", "mqtts"}, "mqtt://host:port or mqtts://host:port")


def _storage_address(url: str) -> str:
    """Refuse to send the key in the clear to another machine."""
    _address(url, {"http", "https"}, "https://host/...")
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError(f"{url!r}: the key would travel unprotected; use https")
    return url


def _address(url: str, schemes: set[str], example: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and parts.hostname and parts.port != 0
        good = good and bool(parts.hostname and parts.hostname.encode("idna"))
    except ValueError:  # a port that is none, a host name that cannot be
        good = False
    if not good:
        raise ValueError(f"{url!r} is not {example}")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user and no password; leave them out")
    return url


def _well_formed(topic_filter: str) -> str:
    if problem := filter_problem(topic_filter):
        raise ValueError(f"{topic_filter!r}: {problem}")
    return topic_filter


class Source(Fact):
    """A broker besides our own: where it is, who we are there, and what we listen to.

    Its password comes from the environment, see `variable`.
    """

    id: Id
    family: Family
    url: Annotated[str, AfterValidator(_broker_address)]
    topics: tuple[Annotated[str, AfterValidator(_well_formed)], ...] = Field(min_length=1)
    user: str = ""
    client_id: str | None = None  # by default one that nobody can guess
    ca: str | None = None  # PEM files in the region's folder (when loaded: full paths)
    certificate: str | None = None
    key: str | None = None
    storage: Annotated[str, AfterValidator(_storage_address)] | None = None  # of The Things Stack
    storage_days: int = Field(default=30, ge=1)  # how far back it is asked

    @property
    def origin(self) -> Origin:
        """What its messages are known by."""
        return Origin(self.id, self.family)

    @property
    def tls(self) -> TlsFiles:
        """What its TLS lines need."""
        ca, certificate, key = (
            Path(f) if f else None for f in (self.ca, self.certificate, self.key)
        )
        return TlsFiles(ca, certificate, key)

    @property
    def variable(self) -> str:
        """The environment variable of its password."""
        return f"BINROUND_SOURCE_{self.id.upper().replace('-', '_')}_PASSWORD"
