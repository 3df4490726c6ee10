"""Who may say and hear what: from the device registry to a broker's rights.

The broker ties a device to its topics, so the topic is the device's identity and nothing in a
payload has to be believed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import bcrypt

from ingest.broker.secret import client_id
from ingest.messages import PREFIX

KEEPER = "binround_keeper"  # no name of a device: those have no underscore
SERVER_HASH_ROUNDS = 4  # the lowest: our secrets are 128 random bits, not words to be guessed


class Speaker(Protocol):
    """A device as the registry knows it."""

    @property
    def name(self) -> str:
        """Its user name at the broker."""
        ...

    @property
    def secret_hash(self) -> str | None:
        """The bcrypt hash of its secret, if it has one."""
        ...

    @property
    def gateway(self) -> str | None:
        """The device that speaks for it, if it does not speak for itself."""
        ...


@dataclass(frozen=True)
class Grant:
    """A user of the broker and its rights, as MQTT topic filters.

    Attributes:
        user: its name.
        secret_hash: bcrypt hash of its secret.
        publish: what it may say.
        subscribe: what it may hear.
        line: how it may speak; MQTT, or NATS's own way.
    """

    user: str
    secret_hash: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    line: Literal["MQTT", "STANDARD"] = "MQTT"


def device_grants(region: str, devices: Iterable[Speaker]) -> Iterator[Grant]:
    """Yield the rights of every device that has a secret.

    A device says what is below its own `up` and hears what is below its own `down`; a gateway
    may also say what is below the `up` of the sensors attached to it.
    """
    devices = list(devices)
    attached: dict[str, list[str]] = defaultdict(list)
    for device in devices:
        if device.gateway:
            attached[device.gateway].append(device.name)
    for device in devices:
        if device.secret_hash:
            own = f"{PREFIX}/{region}/devices"
            speakers = (device.name, *attached[device.name])
            yield Grant(
                user=device.name,
                secret_hash=device.secret_hash,
                publish=tuple(f"{own}/{name}/up/#" for name in speakers),
                subscribe=(f"{own}/{device.name}/down/#",),
            )


def server_grant(user: str, secret: str) -> Grant:
    """Return the rights of our own server: everything below the contract's prefix."""
    return Grant(user, _hashed(secret), publish=(f"{PREFIX}/#",), subscribe=(f"{PREFIX}/#",))


def keeper_grant(secret: str) -> Grant:
    """Return the rights of who sets a NATS's age limits: its streams' settings, no message."""
    return Grant(
        KEEPER,
        _hashed(keeper_secret(secret)),
        publish=("$JS/API/STREAM/INFO/#", "$JS/API/STREAM/UPDATE/#"),
        subscribe=("_INBOX/#",),
        line="STANDARD",
    )


def keeper_secret(secret: str) -> str:
    """Return the keeper's secret, which follows from our server's."""
    return client_id(secret, "keeper")


def _hashed(secret: str) -> str:
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(SERVER_HASH_ROUNDS)).decode()
