"""The device registry as people keep it: add, strike off, give new credentials.

A device that was struck off stays so when the region is loaded again; one that was added by hand
stays although the region's folder does not name it.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import psycopg

from config.errors import DatabaseError
from config.region import ID_PATTERN
from storage.assets import Credentials, provision
from storage.sql import queries

_SQL = queries("devices")
_LIST = "see `binround device list`"


class Kind(StrEnum):
    """What a device is."""

    SENSOR = "sensor"
    UNIT = "unit"
    GATEWAY = "gateway"


_ALIAS = re.compile(r"[!-~]{1,128}")
_EUI = re.compile(r"[0-9A-Fa-f]{16}")


class Behind(NamedTuple):
    """How a device is known at another server, which speaks for it.

    Attributes:
        source: the region's source.
        alias: its name there: The Things Stack's device id, ChirpStack's EUI, Traccar's unique
            id, OwnTracks' `user/device`, or the last level of its topic.
        model: `vendor-model`; None takes what the server says.
    """

    source: str
    alias: str
    model: str | None = None


class Entry(NamedTuple):
    """A device in the registry, struck off or not.

    Attributes:
        gateway: the device that speaks for it, if it does not speak for itself.
        declared: whether the region's folder names it.
        provisioned_at: since when it has its credentials.
        revoked_at: when it was struck off.
        source, alias, model: as in `Behind`, if it is behind another server.
    """

    name: str
    kind: Kind
    container: str | None
    vehicle: str | None
    gateway: str | None
    declared: bool
    provisioned_at: datetime | None
    revoked_at: datetime | None
    source: str
    alias: str | None
    model: str | None


def entries(connection: psycopg.Connection, region: str) -> list[Entry]:
    """Return a region's devices, struck-off ones included."""
    return [Entry._make(row) for row in connection.execute(_SQL["list"], [region])]


def add(
    connection: psycopg.Connection,
    region: str,
    name: str,
    kind: Kind,
    *,
    at: datetime,
    container: str | None = None,
    gateway: str | None = None,
    behind: Behind | None = None,
) -> Credentials | None:
    """Add a device, take back one that was struck off, or move one behind another server.

    Args:
        connection: all of it is one transaction on it.
        region: whose device it is.
        name: in topics and at the broker; a unit has the name of its vehicle.
        kind: what it is.
        at: the instant, by the caller's clock.
        container: what a sensor watches.
        gateway: who speaks for a sensor that has no line of its own.
        behind: the other server that speaks for it, instead of our own broker.

    Returns:
        Its credentials; nothing for a device that others speak for.

    Raises:
        DatabaseError: the name cannot be used or is taken, or what it is attached to is not there.
    """
    if not re.fullmatch(ID_PATTERN, name):
        raise DatabaseError(f"{name!r} is no name for a device: use 1 to 32 of a-z, 0-9 and -")
    with connection.transaction():
        if behind and (gateway or kind is Kind.GATEWAY):
            raise DatabaseError("a device has a source or a gateway, and a gateway has neither")
        _require_place(connection, region, name, kind, container, gateway)
        vehicle = name if kind is Kind.UNIT else None
        source, alias, model = _place_behind(connection, name, behind)
        row = [region, name, kind.value, container, vehicle, gateway, source, alias, model]
        if connection.execute(_SQL["add"], row).rowcount != 1:
            raise DatabaseError(f"there is a device {name!r} already; {_LIST}")
        return None if gateway or behind else provision(connection, name, at=at)


def revoke(connection: psycopg.Connection, region: str, name: str, *, at: datetime) -> None:
    """Strike a device off: its credentials end, and nobody may speak for it.

    Raises:
        DatabaseError: there is no such device.
    """
    if connection.execute(_SQL["revoke"], [at, name, region]).rowcount != 1:
        raise DatabaseError(f"there is no device {name!r} that could be revoked; {_LIST}")


def rotate(connection: psycopg.Connection, region: str, name: str, *, at: datetime) -> Credentials:
    """Give a device new credentials; the old ones end.

    Raises:
        DatabaseError: there is no such device, or it has no credentials of its own.
    """
    found = connection.execute(_SQL["speaks_through"], [name, region]).fetchone()
    if found is None:
        raise DatabaseError(f"there is no device {name!r} in use; {_LIST}")
    if found[0]:
        raise DatabaseError(f"{name} has no credentials here: {found[0]} speaks for it")
    return provision(connection, name, at=at)


def _place_behind(
    connection: psycopg.Connection, name: str, behind: Behind | None
) -> tuple[str, str | None, str | None]:
    """Make room for a device's name at another server; a struck-off one gives it up."""
    if behind is None:
        return "", None, None
    source, alias, model = behind
    if not _ALIAS.fullmatch(alias):
        raise DatabaseError(
            f"{alias!r} is no name at {source}: use 1 to 128 printable characters without spaces"
        )
    alias = alias.lower() if _EUI.fullmatch(alias) else alias
    if owner := _one(connection, "alias_owner", source, alias, name):
        raise DatabaseError(f"{alias} at {source} is {owner}; revoke that first; {_LIST}")
    connection.execute(_SQL["free_alias"], [source, alias, name])
    return source, alias, model


def _require_place(
    connection: psycopg.Connection,
    region: str,
    name: str,
    kind: Kind,
    container: str | None,
    gateway: str | None,
) -> None:
    """Make sure that a device is attached to what it needs, and to nothing else."""
    if kind is not Kind.SENSOR and (container or gateway):
        raise DatabaseError(f"a {kind} has no container and no gateway; leave them out")
    if kind is Kind.SENSOR:
        free = _one(connection, "container_is_free", name, container, region)
        if free is None:
            raise DatabaseError(f"there is no container {container!r} in {region}; name one")
        if not free:
            raise DatabaseError(f"container {container} has a sensor; revoke that first; {_LIST}")
    if kind is Kind.UNIT and not _one(connection, "vehicle_exists", name, region):
        raise DatabaseError(f"a unit has the name of its vehicle, and {region} has no {name!r}")
    if gateway and not _one(connection, "gateway_exists", gateway, region):
        raise DatabaseError(f"there is no gateway {gateway!r} in {region}; {_LIST}")


def _one(connection: psycopg.Connection, name: str, *arguments: object) -> Any:
    row = connection.execute(_SQL[name], list(arguments)).fetchone()
    return row[0] if row else None
