"""Where messages come from, besides our own broker: other servers' brokers, each with its words."""

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from config.errors import SettingsError


class Family(StrEnum):
    """What the messages of a source are written in."""

    CONTRACT = "contract"  # our own
    THINGS_STACK = "things-stack-v3"
    CHIRPSTACK = "chirpstack-v4"
    TRACCAR = "traccar"
    OWNTRACKS = "owntracks"
    FRAMES = "frames"  # a device's bare bytes; its name is the topic's last level


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
