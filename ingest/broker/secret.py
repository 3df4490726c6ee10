"""The secret of our own user at the broker: from the environment, or generated once."""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from config.errors import BrokerError
from config.settings import Settings


def server_secret(settings: Settings) -> str:
    """Return our secret at the broker.

    It comes from `BINROUND_BROKER_PASSWORD`, else from a file in the data folder that only its
    owner may read and that is generated at the first call.

    Raises:
        BrokerError: the file can be neither read nor written.
    """
    given = settings.broker_password.get_secret_value()
    return given or _kept_secret(settings.data_dir / "broker" / "server.secret")


def client_id(secret: str, purpose: str) -> str:
    """Return a client id that stays the same and that nobody without the secret can guess.

    A broker throws a client off when another one connects with the same id, so the id of a
    client that must not be thrown off is a secret too.
    """
    digest = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()
    return f"{purpose}-{digest[:16]}"


def _kept_secret(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_once(path, secrets.token_hex(16))
        return path.read_text().strip()
    except OSError as error:
        raise BrokerError(
            f"cannot keep the broker's secret at {path} ({error.strerror}); "
            "set BINROUND_DATA_DIR to a folder you may write, or BINROUND_BROKER_PASSWORD"
        ) from None


def _write_once(path: Path, secret: str) -> None:
    """Write the secret beside and link it: of two starters one wins, and both read the same."""
    if path.exists():
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    draft = Path(name)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
