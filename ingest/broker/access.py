"""Who may say and hear what: from the device registry to a broker's rights.

The broker ties a device to its topics, so the topic is the device's identity and nothing in a
payload has to be believed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import bcrypt

from ingest.messages import PREFIX

SERVER_HASH_ROUNDS = 4  # the lowest: our secrets are 128 random bits, not words to be guessed


class Speaker(Protocol):
    """A device with credentials, as the registry knows it."""

    @property
    def name(self) -> str:
        """Its user name at the broker."""
        ...

    @property
    def secret_hash(self) -> str:
        """The bcrypt hash of its secret; empty while it has none."""
        ...

    @property
    def speaks_for(self) -> tuple[str, ...]:
        """The sensors whose messages a gateway passes on."""
        ...


@dataclass(frozen=True)
class Grant:
    """A user of the broker and its rights, as MQTT topic filters.

    Attributes:
        user: its name.
        secret_hash: bcrypt hash of its secret.
        publish: what it may say.
        subscribe: what it may hear.
    """

    user: str
    secret_hash: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def device_grants(region: str, devices: Iterable[Speaker]) -> Iterator[Grant]:
    """Yield the rights of every device that has a secret.

    A device says what is below its own `up` and hears what is below its own `down`; a gateway
    may also say what is below the `up` of the sensors attached to it.
    """
    for device in devices:
        if not device.secret_hash:
            continue
        topics = [f"{PREFIX}/{region}/devices/{name}" for name in (device.name, *device.speaks_for)]
        yield Grant(
            user=device.name,
            secret_hash=device.secret_hash,
            publish=tuple(f"{topic}/up/#" for topic in topics),
            subscribe=(f"{topics[0]}/down/#",),
        )


def server_grant(user: str, secret: str) -> Grant:
    """Return the rights of our own server: everything below the contract's prefix."""
    hashed = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(SERVER_HASH_ROUNDS)).decode()
    return Grant(user, hashed, publish=(f"{PREFIX}/#",), subscribe=(f"{PREFIX}/#",))
