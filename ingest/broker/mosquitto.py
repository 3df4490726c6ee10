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
from ingest.broker.nats import HEADER_BYTES, WINDOW
from ingest.messages import MAX_PAYLOAD_BYTES

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
    port: int = 1883,
    address: str = "127.0.0.1",
    keep_days: int = 14,
) -> Path:
    """Write `mosquitto.conf`, `acl` and `passwords`; a running broker takes them by SIGHUP.

    Args:
        folder: where the files go.
        data: where the broker keeps messages and sessions.
        grants: all users with their rights.
        secrets: by user. Mosquitto cannot read the registry's bcrypt hashes, so these have to
            be at hand; who has none here cannot log in.
        port: where it listens.
        address: on which address.
        keep_days: for how long a session that nobody takes up again keeps what waits in it.

    Returns:
        The configuration's path.
    """
    acl, passwords, config = folder / "acl", folder / "passwords", folder / "mosquitto.conf"
    write_private(acl, "\n".join(map(_rights, grants)))
    write_private(passwords, "".join(f"{user}:{_digest(key)}\n" for user, key in secrets.items()))
    write_private(
        config,
        f"""\
listener {port} {address}
allow_anonymous false
password_file {passwords}
acl_file {acl}
persistence true
persistence_location {data}/
autosave_interval {SNAPSHOT_S}
persistent_client_expiration {keep_days}d
max_queued_messages 0
max_inflight_messages {WINDOW}
max_packet_size {MAX_PAYLOAD_BYTES + HEADER_BYTES}
""",
    )
    return config


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
