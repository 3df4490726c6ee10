"""The device registry as people keep it: add, strike off, give new credentials.

A device that was struck off stays so when the region is loaded again; one that was added by hand
stays although the region's folder does not name it.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import psycopg

from config.errors import DeviceConflictError, DeviceError
from config.region import ID_PATTERN
from ingest.codecs.frames import frame_codecs
from storage import assignments
from storage.assets import Credentials, provision
from storage.sql import queries

_SQL = queries("devices")


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


def behind_source(source: str | None, alias: str | None, model: str | None) -> Behind | None:
    """Return how a device is known at another server; None if our own broker speaks for it.

    Raises:
        DeviceError: one of the three is missing or unknown.
    """
    if model is not None and model not in frame_codecs():
        raise DeviceError("model", model, f"no decoder; known are {', '.join(frame_codecs())}")
    if source and alias:
        return Behind(source, alias, model)
    if source or alias:
        missing = "alias" if source else "source"
        raise DeviceError(missing, None, "a device behind a source needs a source and an alias")
    if model is not None:
        raise DeviceError("model", model, "only a device behind a source has one; name the source")
    return None


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


def entries(
    connection: psycopg.Connection,
    region: str,
    *,
    kind: Kind | None = None,
    revoked: bool | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[Entry]:
    """Return a region's devices in the order of their names, struck-off ones included.

    Args:
        connection: for the query.
        region: whose devices they are.
        kind: of this kind only.
        revoked: only those that are struck off, or only those that are not.
        after: the last name of the page before.
        limit: how many at most.
    """
    return _entries(connection, region, kind=kind, revoked=revoked, after=after, limit=limit)


def entry(connection: psycopg.Connection, region: str, name: str) -> Entry | None:
    """Return a device, struck off or not; None if there is none of that name."""
    return next(iter(_entries(connection, region, name=name)), None)


def _entries(connection: psycopg.Connection, region: str, **wanted: object) -> list[Entry]:
    every = dict.fromkeys(("name", "kind", "revoked", "after", "limit"))
    found = connection.execute(_SQL["entries"], {**every, "region": region, **wanted})
    return [Entry._make(row) for row in found]


def add(
    connection: psycopg.Connection,
    region: str,
    name: str,
    kind: Kind,
    *,
    at: datetime,
    server_user: str,
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
        server_user: our own user at the broker, whose name no device may have.
        container: what a sensor watches.
        gateway: who speaks for a sensor that has no line of its own.
        behind: the other server that speaks for it, instead of our own broker.

    Returns:
        Its credentials; nothing for a device that others speak for.

    Raises:
        DeviceError: the name cannot be used, or what it is attached to is not there.
        DeviceConflictError: the name is taken, or the container has a sensor.
    """
    if not re.fullmatch(ID_PATTERN, name):
        raise DeviceError("name", name, "no name for a device: use 1 to 32 of a-z, 0-9 and -")
    if name == server_user:
        raise DeviceError("name", name, "this is our own user at the broker; choose another name")
    with connection.transaction():
        if behind and (gateway or kind is Kind.GATEWAY):
            raise DeviceError(
                "source", behind.source, "it has a gateway or is one; leave one of them out"
            )
        _require_place(connection, region, name, kind, container, gateway)
        vehicle = name if kind is Kind.UNIT else None
        source, alias, model = _place_behind(connection, name, behind)
        row = [region, name, kind.value, container, vehicle, gateway, source, alias, model]
        if connection.execute(_SQL["add"], row).rowcount != 1:
            raise DeviceConflictError(
                "name", name, "there is such a device already; rotate it for new credentials"
            )
        assignments.note(connection, region, at=at)
        return None if gateway or behind else provision(connection, name, at=at)


def revoke(connection: psycopg.Connection, region: str, name: str, *, at: datetime) -> bool:
    """Strike a device off: its credentials end, and nobody may speak for it.

    Returns:
        Whether anything changed; not when it was struck off before.

    Raises:
        DeviceError: there is no such device.
    """
    if connection.execute(_SQL["revoke"], [at, name, region]).rowcount == 1:
        return True
    if entry(connection, region, name) is None:
        raise DeviceError("device", name, "there is no such device; look at the list")
    return False


def rotate(connection: psycopg.Connection, region: str, name: str, *, at: datetime) -> Credentials:
    """Give a device new credentials; the old ones end.

    Raises:
        DeviceError: there is no such device.
        DeviceConflictError: it is revoked, or it has no credentials of its own.
    """
    known = entry(connection, region, name)
    if known is None:
        raise DeviceError("device", name, "there is no such device; look at the list")
    if known.revoked_at:
        raise DeviceConflictError(
            "device", name, "this device is revoked; add it again to take it back"
        )
    if others := known.source or known.gateway:
        raise DeviceConflictError(
            "device", name, f"it has no credentials here: {others} speaks for it"
        )
    return provision(connection, name, at=at)


def _place_behind(
    connection: psycopg.Connection, name: str, behind: Behind | None
) -> tuple[str, str | None, str | None]:
    """Make room for a device's name at another server; a struck-off one gives it up."""
    if behind is None:
        return "", None, None
    source, alias, model = behind
    if not _ALIAS.fullmatch(alias):
        raise DeviceError("alias", alias, "use 1 to 128 printable characters without spaces")
    alias = alias.lower() if _EUI.fullmatch(alias) else alias
    if owner := _one(connection, "alias_owner", source, alias, name):
        raise DeviceConflictError("alias", alias, f"that is {owner} already; revoke that first")
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
    if kind is Kind.SENSOR:
        _require_container(connection, region, name, container)
    elif container:
        raise DeviceError("container", container, "only a sensor watches a container; leave it out")
    elif gateway:
        raise DeviceError("gateway", gateway, "only a sensor is behind a gateway; leave it out")
    if kind is Kind.UNIT and not _one(connection, "vehicle_exists", name, region):
        raise DeviceError(
            "name", name, "a unit has its vehicle's name, and there is no such vehicle"
        )
    if gateway and not _one(connection, "gateway_exists", gateway, region):
        raise DeviceError("gateway", gateway, "there is no such gateway in use; add it first")


def _require_container(
    connection: psycopg.Connection, region: str, name: str, container: str | None
) -> None:
    """Make sure that a container is there and has no sensor; two who ask wait for each other."""
    if container is None:
        raise DeviceError("container", None, "a sensor watches a container; name it")
    connection.execute(_SQL["lock_container"], [container])
    free = _one(connection, "container_is_free", name, container, region)
    if free is None:
        raise DeviceError("container", container, "there is no such container in this region")
    if not free:
        raise DeviceConflictError(
            "container", container, "this container has a sensor; revoke that first"
        )


def _one(connection: psycopg.Connection, name: str, *arguments: object) -> Any:
    row = connection.execute(_SQL[name], list(arguments)).fetchone()
    return row[0] if row else None
