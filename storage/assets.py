"""What a region declares, loaded into the registry, and the devices with their credentials."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import bcrypt
import psycopg
from psycopg.types.json import Jsonb

from config.errors import DatabaseError, DeviceError
from config.region import Region
from storage import assignments
from storage.assignments import Earlier
from storage.sql import queries

_SQL = queries("assets")
# Secrets are 192 random bits, so the slowness of bcrypt adds nothing; NATS wants its format.
_BCRYPT_ROUNDS = 4


class Device(NamedTuple):
    """A sensor, a truck's unit, or a gateway that publishes for the sensors behind it.

    Attributes:
        source: the region's source that it speaks through; empty for our own broker.
        alias: its name there.
        model: `vendor-model`, where somebody told.
        earlier: what it was on before, oldest first.
    """

    id: int
    name: str
    kind: Literal["sensor", "unit", "gateway"]
    container: str | None
    vehicle: str | None
    gateway: str | None
    client_id: str | None
    secret_hash: str | None
    source: str = ""
    alias: str | None = None
    model: str | None = None
    earlier: tuple[Earlier, ...] = ()


class Credentials(NamedTuple):
    """What a device needs to connect; the secret is shown once and stored as a hash only.

    The client id is part of the secret: with it a stranger could throw the device off.
    """

    device: str
    client_id: str
    secret: str


def gateway_name(region: str) -> str:
    """Return the name of the gateway device that a region's sensors are attached to."""
    return f"{region[:24]}-gateway"


def load_region(
    connection: psycopg.Connection, region: Region, *, at: datetime, server_user: str = ""
) -> None:
    """Make the registry say what the region's folder says; again changes nothing.

    What the folder no longer names becomes inactive; devices that were added by hand stay, and
    those that were revoked are not brought back (see `storage.devices`). Each vehicle gets a unit
    of its own name, each container with a sensor gets that sensor, all sensors share the region's
    gateway.

    Args:
        connection: the load is one transaction on it.
        region: the facts.
        at: the instant, by the caller's clock.
        server_user: our own user at the broker, whose name no device may have.

    Raises:
        DatabaseError: the database holds another region.
        DeviceError: a device would be our own user at the broker.
    """
    _require_free(region, server_user)
    facts = region.model_dump(mode="json", exclude={"sites", "containers", "sources"})
    with connection.transaction():
        _require_alone(connection, region)
        connection.execute(
            _SQL["upsert_region"],
            [region.id, region.name, region.zone, region.attribution, Jsonb(facts), at],
        )
        for table in ("fraction", "depot", "facility", "vehicle", "site", "container", "device"):
            connection.execute(_SQL[f"retire_{table}"], [region.id])
        for table, rows in _rows(region).items():
            _upsert(connection, table, rows)
        connection.execute(_SQL["retire_replaced"], [region.id])
        assignments.note(connection, region.id, at=at)


def _require_free(region: Region, server_user: str) -> None:
    """Refuse a device that would log in as we do: a unit has its vehicle's name."""
    taken = {
        **{container.sensor: "sensor" for container in region.containers if container.sensor},
        **{vehicle.id: "vehicle" for vehicle in region.vehicles},
    }
    if field := taken.get(server_user):
        raise DeviceError(
            field,
            server_user,
            f"this is our own user at the broker; rename it in region {region.id!r}, or set "
            "BINROUND_BROKER_USER",
        )


def _rows(region: Region) -> dict[str, list[tuple[Any, ...]]]:
    gateway = gateway_name(region.id)
    return {
        "fraction": [(region.id, f.id, f.name_de, f.name_en) for f in region.fractions],
        "depot": [(d.id, region.id, d.name, d.lon, d.lat) for d in region.depots],
        "facility": [
            (f.id, region.id, f.name, f.lon, f.lat, list(f.accepts)) for f in region.facilities
        ],
        "vehicle": [(v.id, region.id, v.depot, v.name, list(v.services)) for v in region.vehicles],
        "site": [
            (s.id, region.id, s.name, s.lon, s.lat, s.curb, s.synthetic) for s in region.sites
        ],
        "container": [
            (c.id, region.id, c.site, c.fraction, c.volume_l, c.synthetic)
            for c in region.containers
        ],
        "gateway": [(region.id, gateway)],
        "unit": [(region.id, v.id, v.id) for v in region.vehicles],
        "sensor": [(region.id, c.sensor, c.id, gateway) for c in region.containers if c.sensor],
    }


def _upsert(connection: psycopg.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_SQL[f"upsert_{table}"], rows)


def _require_alone(connection: psycopg.Connection, region: Region) -> None:
    """Refuse a second region: an operator's cell has a database of its own."""
    others = [known.id for known in regions(connection) if known.id != region.id]
    if others:
        raise DatabaseError(
            f"this database holds region {others[0]!r}, not {region.id!r}; set BINROUND_REGION to "
            "it, or use another BINROUND_DATA_DIR or database"
        )


def provision(connection: psycopg.Connection, name: str, *, at: datetime) -> Credentials:
    """Give a device new credentials; the old ones end.

    Raises:
        DatabaseError: there is no such device.
    """
    return provision_many(connection, [name], at=at)[0]


def provision_many(
    connection: psycopg.Connection, names: Iterable[str], *, at: datetime
) -> list[Credentials]:
    """Give several devices new credentials in one transaction.

    Raises:
        DatabaseError: one of them does not exist; nothing is changed.
    """
    made = [Credentials(n, secrets.token_hex(16), secrets.token_urlsafe(24)) for n in names]
    with connection.transaction():
        for credentials in made:
            digest = bcrypt.hashpw(
                credentials.secret.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS, prefix=b"2a")
            )
            done = connection.execute(
                _SQL["provision"],
                [credentials.client_id, digest.decode(), at, credentials.device],
            )
            if done.rowcount != 1:
                raise DatabaseError(
                    f"there is no device {credentials.device!r} in use at our own broker; "
                    "load its region first"
                )
    return made


def devices(connection: psycopg.Connection) -> dict[str, Device]:
    """Return every active device by its name."""
    earlier = assignments.earlier(connection)
    rows = connection.execute(_SQL["devices"]).fetchall()
    known = (Device._make((*row, earlier.get(row[0], ()))) for row in rows)
    return {device.name: device for device in known}


def by_source(devices: Iterable[Device]) -> dict[str, dict[str, Device]]:
    """Return devices by the source they speak through, and what they are called there."""
    found: dict[str, dict[str, Device]] = {}
    for device in devices:
        found.setdefault(device.source, {})[device.alias or device.name] = device
    return found


class RegionRecord(NamedTuple):
    """A region as it was loaded; `facts` holds everything but sites and containers."""

    id: str
    name: str
    zone: str
    attribution: str
    facts: dict[str, Any]
    loaded_at: datetime


class SiteRecord(NamedTuple):
    """A place with containers."""

    id: str
    region: str
    name: str
    lon: float
    lat: float
    curb: bool
    synthetic: bool


class ContainerRecord(NamedTuple):
    """A container with the place where it stands."""

    id: str
    region: str
    site: str
    site_name: str
    lon: float
    lat: float
    fraction: str
    volume_l: float
    synthetic: bool
    sensor: str | None


class VehicleRecord(NamedTuple):
    """A truck."""

    id: str
    region: str
    depot: str
    name: str
    services: list[str]


class PlaceRecord(NamedTuple):
    """A depot or a facility."""

    id: str
    region: str
    name: str
    lon: float
    lat: float


def regions(connection: psycopg.Connection) -> list[RegionRecord]:
    """Return the regions in this database."""
    return [RegionRecord._make(row) for row in connection.execute(_SQL["regions"])]


def sites(connection: psycopg.Connection) -> list[SiteRecord]:
    """Return all active sites."""
    return [SiteRecord._make(row) for row in connection.execute(_SQL["sites"])]


def containers(connection: psycopg.Connection) -> list[ContainerRecord]:
    """Return all active containers."""
    return [ContainerRecord._make(row) for row in connection.execute(_SQL["containers"])]


def vehicles(connection: psycopg.Connection) -> list[VehicleRecord]:
    """Return all active vehicles."""
    return [VehicleRecord._make(row) for row in connection.execute(_SQL["vehicles"])]


def depots(connection: psycopg.Connection) -> list[PlaceRecord]:
    """Return all active depots."""
    return [PlaceRecord._make(row) for row in connection.execute(_SQL["depots"])]


def facilities(connection: psycopg.Connection) -> list[PlaceRecord]:
    """Return all active facilities."""
    return [PlaceRecord._make(row) for row in connection.execute(_SQL["facilities"])]
