"""Our own secret at the broker."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.errors import BrokerError
from config.settings import load_settings
from ingest.broker import client_id, server_secret


def test_it_is_generated_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Several processes that start together agree on one; the file's mode is 0600."""
    settings = load_settings(data_dir=tmp_path, broker_password=SecretStr(""))
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: server_secret(settings), range(8)))
    (path,) = (tmp_path / "broker").iterdir()
    assert made == {path.read_text()}
    assert len(path.read_text()) >= 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_environment_wins(tmp_path: Path) -> None:
    """A given secret is used as it is, and nothing is written."""
    settings = load_settings(data_dir=tmp_path, broker_password=SecretStr("given"))
    assert server_secret(settings) == "given"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    """The message says which settings help."""
    (tmp_path / "broker").write_text("not a folder")
    settings = load_settings(data_dir=tmp_path, broker_password=SecretStr(""))
    with pytest.raises(BrokerError, match=r"^cannot keep .*BINROUND_BROKER_PASSWORD[^\n]*$"):
        server_secret(settings)


def test_a_client_id_is_lasting_and_cannot_be_guessed() -> None:
    """The session is found again after a restart; nobody without the secret knows its name."""
    assert client_id("secret", "ingest-town") == client_id("secret", "ingest-town")
    assert client_id("secret", "ingest-town") != client_id("other", "ingest-town")
    assert client_id("secret", "ingest-town").startswith("ingest-town-")
