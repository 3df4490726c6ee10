"""The broker's side of TLS: what it shows, and what it wants to be shown."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerTls:
    """Files of a broker that speaks TLS, all PEM.

    With `clients` it is mutual: a device shows a certificate that names it, as common name
    (Mosquitto) and as DNS name (NATS), and needs no password.

    Attributes:
        certificate: the broker's.
        key: its private key.
        clients: certificates of the authority that signs the devices'.
        revoked: its list of certificates that are no longer good (Mosquitto).
    """

    certificate: Path
    key: Path
    clients: Path | None = None
    revoked: Path | None = None
