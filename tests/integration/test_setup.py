import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import build
from config.errors import DeviceError
from config.region_folder import load_region
from ingest.broker.nats import find_server
from storage.database import Database
from tests.conftest import ROOT


@pytest.mark.db
def test_setup_prepares_database_and_broker_and_can_be_run_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NATS itself accepts the configuration; a second run keeps every device's login."""
    data = tmp_path / "not" / "there" / "yet"
    monkeypatch.setenv("BINROUND_DATA_DIR", str(data))
    monkeypatch.setenv("BINROUND_DATABASE_URL", database.dsn)
    monkeypatch.setenv("BINROUND_REGION", "example")
    config = tmp_path / "broker" / "nats.conf"
    arguments = ["setup", "--broker-config", str(config)]
    first = CliRunner().invoke(build(), arguments, catch_exceptions=False)
    logins = (data / "logins.json").read_text()
    again = CliRunner().invoke(build(), arguments, catch_exceptions=False)
    assert first.exit_code == again.exit_code == 0
    assert (data / "logins.json").read_text() == logins
    for secret in (config, data / "logins.json"):
        assert secret.stat().st_mode & 0o077 == 0
    judged = subprocess.run([find_server(), "-t", "-c", config], capture_output=True, check=False)
    assert judged.returncode == 0, judged.stderr


@pytest.fixture
def ready(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings for `setup` with a copy of the example region, and that copy."""
    region = tmp_path / "example"
    shutil.copytree(ROOT / "config/regions/example", region)
    monkeypatch.setenv("BINROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BINROUND_DATABASE_URL", database.dsn)
    monkeypatch.setenv("BINROUND_REGION", str(region))
    return region


@pytest.mark.db
def test_mosquitto_keeps_sessions_as_long_as_the_region_keeps_positions(
    ready: Path, tmp_path: Path
) -> None:
    """What waits at the broker for somebody who never comes is positions, too."""
    facts = (ready / "region.toml").read_text()
    (ready / "region.toml").write_text(facts.replace("positions_days = 14", "positions_days = 9"))
    arguments = ["setup", "--mosquitto", str(tmp_path / "broker")]
    CliRunner().invoke(build(), arguments, catch_exceptions=False)
    written = (tmp_path / "broker" / "mosquitto.conf").read_text()
    assert "persistent_client_expiration 9d" in written.splitlines()


@pytest.mark.db
def test_no_vehicle_logs_in_as_our_own_server(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region whose vehicle has our user's name would hand it everybody's messages."""
    truck = load_region(str(ready)).vehicles[0].id
    monkeypatch.setenv("BINROUND_BROKER_USER", truck)
    with pytest.raises(DeviceError, match="our own user at the broker; rename it in region"):
        CliRunner().invoke(build(), ["setup"], catch_exceptions=False)
    assert not (tmp_path / "data" / "logins.json").exists()


def test_compose_publishes_nothing_beyond_loopback_and_has_no_default_password() -> None:
    """Every published port names 127.0.0.1, every image is pinned, every secret must be given."""
    text = (ROOT / "docker-compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    assert {"database", "broker", "ingest", "worker", "api"} <= services.keys()
    for service in services.values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
        assert ":" in service["image"]
        assert not service["image"].endswith(":latest")
    assert "PASSWORD:-" not in text
