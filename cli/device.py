"""Devices: who may speak to us, with which credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from cli.person import who
from config.clock import open_clock
from config.region_folder import load_region
from config.settings import Settings, load_settings
from storage import audit, devices
from storage.assets import Credentials
from storage.database import open_database
from storage.devices import Kind
from storage.logins import LOGINS, renew_login
from storage.migrate import require_schema

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The device's name.")]


@app.callback()
def _group() -> None:
    """Devices: who may speak to us, with which credentials."""


@app.command("list")
def list_() -> None:
    """List the region's devices; secrets are never shown again."""
    settings = load_settings()
    with _registry(settings) as (connection, region):
        found = devices.entries(connection, region)
    table = Table("device", "kind", "at", "speaks through", "credentials since", box=None,
                  pad_edge=False)  # fmt: skip
    for entry in sorted(found, key=lambda entry: (entry.kind, entry.name)):
        since = f"{entry.provisioned_at:%Y-%m-%d %H:%M}" if entry.provisioned_at else "-"
        if entry.revoked_at:
            since = f"revoked {entry.revoked_at:%Y-%m-%d %H:%M}"
        place = entry.container or entry.vehicle or "-"
        table.add_row(entry.name, entry.kind, place, entry.gateway or "itself", since)
    Console().print(table)


@app.command()
def add(
    name: Name,
    kind: Annotated[Kind, typer.Option(help="What it is; a unit has its vehicle's name.")],
    container: Annotated[str | None, typer.Option(help="What a sensor watches.")] = None,
    gateway: Annotated[
        str | None, typer.Option(help="Who speaks for a sensor without a line of its own.")
    ] = None,
) -> None:
    """Add a device, or take back a revoked one; its credentials are shown this once."""
    settings = load_settings()
    at = open_clock(settings.clock).now()
    with _registry(settings) as (connection, region):
        made = devices.add(
            connection,
            region,
            name,
            kind,
            at=at,
            server_user=settings.broker_user,
            container=container,
            gateway=gateway,
        )
        audit.record(connection, who(), "add-device", f"device/{name}", at=at)
    renew_login(settings.data_dir / LOGINS, name, made)
    _show(made) if made else print(f"{name} is known; {gateway} speaks for it")


@app.command()
def revoke(name: Name) -> None:
    """Strike a device off; the embedded broker cuts its connection within seconds.

    A broker of your own has to read the rights that `binround setup --broker-config` writes.
    """
    settings = load_settings()
    at = open_clock(settings.clock).now()
    with _registry(settings) as (connection, region):
        if devices.revoke(connection, region, name, at=at):
            audit.record(connection, who(), "revoke-device", f"device/{name}", at=at)
    renew_login(settings.data_dir / LOGINS, name, None)
    print(f"{name} is revoked")


@app.command()
def rotate(name: Name) -> None:
    """Give a device new credentials, shown this once; the old ones end as with `revoke`."""
    settings = load_settings()
    at = open_clock(settings.clock).now()
    with _registry(settings) as (connection, region):
        made = devices.rotate(connection, region, name, at=at)
        audit.record(connection, who(), "rotate-device", f"device/{name}", at=at)
    renew_login(settings.data_dir / LOGINS, name, made)
    _show(made)


@contextmanager
def _registry(settings: Settings) -> Iterator[tuple[psycopg.Connection, str]]:
    """Give a transaction on the registry, and the region's id."""
    region = load_region(settings.region).id
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            yield connection, region


def _show(made: Credentials) -> None:
    print(f"user       {made.device}")
    print(f"password   {made.secret}")
    print(f"client id  {made.client_id}   (a secret, too: whoever has it can cut the device off)")
