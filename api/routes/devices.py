"""The device registry: who may speak to us, with which credentials."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Response

from api import schemas, views
from api.context import Asker, Connection, Context, Parts
from api.pages import Cursor, Limit, decode, page
from api.problems import CONFLICT, INVALID, NOT_FOUND, HttpProblem, declared
from config.region import ID_PATTERN
from storage import audit, devices
from storage.devices import Entry, Kind, behind_source
from storage.logins import LOGINS, renew_login

router = APIRouter(tags=["devices"])
DeviceName = Annotated[str, Path(pattern=ID_PATTERN)]


@router.get("/v1/devices", responses=declared(INVALID))
def get_devices(
    parts: Parts,
    connection: Connection,
    kind: schemas.DeviceKind | None = None,
    state: schemas.DeviceState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.Page[schemas.Device]:
    """Devices by name, revoked ones included; their secrets are never shown again."""
    after = decode(cursor, 1)
    found = devices.entries(
        connection,
        parts.region.id,
        kind=kind and Kind(kind),
        revoked=None if state is None else state == "revoked",
        after=after[0] if after else None,
        limit=limit + 1,
    )
    return page([views.device(entry) for entry in found], limit, lambda item: [item.name])


@router.get("/v1/devices/{device}", responses=declared(NOT_FOUND, INVALID))
def get_device(parts: Parts, connection: Connection, device: DeviceName) -> schemas.Device:
    """One device."""
    return views.device(_known(parts, connection, device))


@router.post("/v1/devices", status_code=201, responses=declared(CONFLICT, INVALID))
def post_device(
    order: schemas.NewDevice,
    response: Response,
    background: BackgroundTasks,
    parts: Parts,
    connection: Connection,
    asker: Asker,
) -> schemas.ProvisionedDevice:
    """Add a device, or take back a revoked one. Its credentials are shown this once.

    Asking again is a conflict, because they cannot be shown again: if the answer got lost,
    rotate the device.
    """
    now = parts.clock.now()
    made = devices.add(
        connection,
        parts.region.id,
        order.name,
        Kind(order.kind),
        at=now,
        server_user=parts.settings.broker_user,
        container=order.container,
        gateway=order.gateway,
        behind=behind_source(order.source, order.alias, order.model),
    )
    audit.record(connection, asker.name, "add-device", f"device/{order.name}", at=now)
    background.add_task(renew_login, parts.settings.data_dir / LOGINS, order.name, made)
    response.headers["Location"] = f"/v1/devices/{order.name}"
    response.headers["Cache-Control"] = "no-store"
    return views.provisioned_device(_known(parts, connection, order.name), made)


@router.post("/v1/devices/{device}/rotate", responses=declared(NOT_FOUND, CONFLICT, INVALID))
def post_rotate(
    response: Response,
    background: BackgroundTasks,
    parts: Parts,
    connection: Connection,
    asker: Asker,
    device: DeviceName,
) -> schemas.ProvisionedDevice:
    """Give a device new credentials, shown this once; the old ones end as with `revoke`.

    Every call makes new ones: if the answer got lost, ask again.
    """
    _known(parts, connection, device)
    now = parts.clock.now()
    made = devices.rotate(connection, parts.region.id, device, at=now)
    audit.record(connection, asker.name, "rotate-device", f"device/{device}", at=now)
    background.add_task(renew_login, parts.settings.data_dir / LOGINS, device, made)
    response.headers["Cache-Control"] = "no-store"
    return views.provisioned_device(_known(parts, connection, device), made)


@router.post("/v1/devices/{device}/revoke", responses=declared(NOT_FOUND, INVALID))
def post_revoke(
    background: BackgroundTasks,
    parts: Parts,
    connection: Connection,
    asker: Asker,
    device: DeviceName,
) -> schemas.Device:
    """Strike a device off: its credentials end, and nobody may speak for it.

    The embedded broker cuts its connection within seconds. Revoking it again changes nothing.
    """
    _known(parts, connection, device)
    now = parts.clock.now()
    if devices.revoke(connection, parts.region.id, device, at=now):
        audit.record(connection, asker.name, "revoke-device", f"device/{device}", at=now)
        background.add_task(renew_login, parts.settings.data_dir / LOGINS, device, None)
    return views.device(_known(parts, connection, device))


def _known(parts: Context, connection: Connection, name: str) -> Entry:
    found = devices.entry(connection, parts.region.id, name)
    if found is None:
        raise HttpProblem(NOT_FOUND, "There is no such device.")
    return found
