from datetime import UTC, datetime

import bcrypt
import psycopg
import pytest

from config.errors import DatabaseError
from storage import assets
from storage.database import Database
from tests.integration.storage_region import small_region

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def _everything(connection: psycopg.Connection) -> list[object]:
    return [
        assets.sites(connection),
        assets.containers(connection),
        assets.vehicles(connection),
        assets.depots(connection),
        assets.facilities(connection),
        assets.devices(connection),
    ]


def test_a_region_is_loaded_with_its_devices(database: Database) -> None:
    """One unit a vehicle, one sensor a container that has one, one gateway for all sensors."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)
        devices = assets.devices(connection)
        assert {name: device.kind for name, device in devices.items()} == {
            "town-gateway": "gateway",
            "truck-1": "unit",
            "truck-2": "unit",
            "eye-1": "sensor",
            "eye-2": "sensor",
        }
        assert (devices["eye-1"].container, devices["eye-1"].gateway) == ("bin-1", "town-gateway")
        assert devices["truck-1"].vehicle == "truck-1"
        (region,) = assets.regions(connection)
        assert region.facts["retention"]["positions_days"] == 14
        assert [container.sensor for container in assets.containers(connection)] == [
            "eye-1",
            "eye-2",
            None,
        ]


def test_loading_again_changes_nothing(database: Database) -> None:
    """Ids of devices, which telemetry refers to, stay the same; so do credentials."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)
        assets.provision(connection, "truck-1", at=NOW)
        before = _everything(connection)
        assets.load_region(connection, small_region(), at=NOW)
        assert _everything(connection) == before


def test_what_a_region_no_longer_names_becomes_inactive(database: Database) -> None:
    """It disappears from all lists and cannot connect; named again, it is back as it was."""
    region = small_region()
    smaller = region.model_copy(
        update={"containers": region.containers[1:], "vehicles": region.vehicles[1:]}
    )
    with database.connect() as connection:
        assets.load_region(connection, region, at=NOW)
        number = assets.devices(connection)["eye-1"].id
        assets.load_region(connection, smaller, at=NOW)
        assert {"eye-1", "truck-1"}.isdisjoint(assets.devices(connection))
        assert [container.id for container in assets.containers(connection)] == ["bin-2", "bin-3"]
        with pytest.raises(DatabaseError, match="no device 'truck-1'"):
            assets.provision(connection, "truck-1", at=NOW)
        assets.load_region(connection, region, at=NOW)
        assert assets.devices(connection)["eye-1"].id == number


def test_two_regions_never_mix(database: Database) -> None:
    """A database is one region's; a second is refused, whatever its ids, and changes nothing."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)
        before = _everything(connection)
        with pytest.raises(DatabaseError, match="holds region 'town', not 'other'"):
            assets.load_region(connection, small_region("other", "o-"), at=NOW)
        assert _everything(connection) == before


def test_a_secret_is_shown_once(database: Database) -> None:
    """Only its hash is stored, in the format the broker reads; new credentials end the old."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)
        assert assets.devices(connection)["truck-1"].secret_hash is None
        first = assets.provision(connection, "truck-1", at=NOW)
        second = assets.provision(connection, "truck-1", at=NOW)
        stored = assets.devices(connection)["truck-1"]
    assert stored.secret_hash is not None
    assert stored.secret_hash.startswith("$2a$")
    assert stored.client_id == second.client_id != first.client_id
    assert bcrypt.checkpw(second.secret.encode(), stored.secret_hash.encode())
    assert not bcrypt.checkpw(first.secret.encode(), stored.secret_hash.encode())


def test_provisioning_is_all_or_nothing(database: Database) -> None:
    """One unknown name, and no device gets new credentials."""
    with database.connect() as connection:
        assets.load_region(connection, small_region(), at=NOW)
        with pytest.raises(DatabaseError, match="no device 'nobody'"):
            assets.provision_many(connection, ["truck-1", "nobody"], at=NOW)
        assert assets.devices(connection)["truck-1"].secret_hash is None
