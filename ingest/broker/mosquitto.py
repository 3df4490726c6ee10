"""The same rights for an Eclipse Mosquitto: its configuration, access list and passwords.

Mosquitto's own defaults lose data silently: it keeps 1,000 messages for a subscriber that is
away and writes to disk every 30 minutes. What is set here keeps them all and writes every second;
what it acknowledged since is lost when it is killed. The promise to our own units does not rest on
it (they keep a record until `down/ack`), that to other devices does.
"""

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from config.files import write_private
from ingest.broker.access import Grant
from ingest.broker.nats import HEADER_BYTES
from ingest.broker.tls import ServerTls
from ingest.messages import MAX_PAYLOAD_BYTES

IN_FLIGHT = 2_000  # on their way to one subscriber; fewer than the ingester's queue holds
# Each snapshot writes everything that waits. Once a second costs the same whatever comes in;
# `autosave_on_changes` would write it all for every message and stands still with a few thousand.
SNAPSHOT_S = 1
ITERATIONS = 101  # Mosquitto's default; our secrets are random, not words to be guessed


def write_mosquitto(
    folder: Path,
    data: Path,
    grants: Iterable[Grant],
    secrets: Mapping[str, str],
    *,
    server: str,
    port: int = 1883,
    server_port: int = 1884,
    address: str = "127.0.0.1",
    keep_days: int,
    tls: ServerTls | None = None,
) -> Path:
    """Write `mosquitto.conf`, `acl` and passwords; a running broker takes them by SIGHUP.

    Devices and our own server have a listener each. On the devices' a client's id is its user
    name, whatever it says, so nobody throws another off; our server has several lines at once
    and keeps its ids, and no device gets in on its listener.

    Args:
        folder: where the files go.
        data: where the broker keeps messages and sessions.
        grants: all users with their rights.
        secrets: by user. Mosquitto cannot read the registry's bcrypt hashes, so these have to
            be at hand; who has none here cannot log in with a password.
        server: our own user among them.
        port: where devices connect.
        server_port: where our own server connects.
        address: on which address it listens.
        keep_days: for how long a session that nobody takes up again keeps what waits in it.
        tls: its files; without them it speaks in the clear.

    Returns:
        The configuration's path.
    """
    acl, config = folder / "acl", folder / "mosquitto.conf"
    devices, ours = folder / "passwords", folder / "passwords.server"
    write_private(acl, "\n".join(map(_rights, grants)))
    write_private(devices, _passwords({u: key for u, key in secrets.items() if u != server}))
    write_private(ours, _passwords({server: secrets[server]}))
    mutual = tls is not None and tls.clients is not None
    known_by = "use_identity_as_username true" if mutual else f"password_file {devices}"
    write_private(
        config,
        f"""\
per_listener_settings true
persistence true
persistence_location {data}/
autosave_interval {SNAPSHOT_S}
persistent_client_expiration {keep_days}d
max_queued_messages 0
max_inflight_messages {IN_FLIGHT}
max_packet_size {MAX_PAYLOAD_BYTES + HEADER_BYTES}

listener {port} {address}
allow_anonymous false
use_username_as_clientid true
{known_by}
acl_file {acl}
{_tls(tls)}
listener {server_port} {address}
allow_anonymous false
password_file {ours}
acl_file {acl}
{_tls(tls)}""",
    )
    return config


def _tls(tls: ServerTls | None) -> str:
    if tls is None:
        return ""
    lines = [f"certfile {tls.certificate}", f"keyfile {tls.key}", "tls_version tlsv1.2"]
    if tls.clients:
        lines += [f"cafile {tls.clients}", "require_certificate true"]
        lines += [f"crlfile {tls.revoked}"] if tls.revoked else []
    return "\n".join(lines) + "\n"


def _passwords(secrets: Mapping[str, str]) -> str:
    return "".join(f"{user}:{_digest(key)}\n" for user, key in secrets.items())


def _rights(grant: Grant) -> str:
    lines = [f"user {grant.user}"]
    lines += [f"topic write {topic}" for topic in grant.publish]
    lines += [f"topic read {topic}" for topic in grant.subscribe]
    return "\n".join(lines) + "\n"


def _digest(secret: str) -> str:
    """Return a password as mosquitto_passwd would write it: PBKDF2 with SHA-512."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${ITERATIONS}${next(encoded)}${next(encoded)}"
