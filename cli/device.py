"""Devices: who may speak to us, with which credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import psycopg
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cli.person import who
from config.clock import open_clock
from config.errors import BinroundError
from config.region_folder import load_region
from config.settings import Settings, load_settings
from ingest.codecs.calibration import Calibration, name_of, shape_called
from ingest.codecs.codec import first_problem
from storage import audit, calibrations, clocks, devices
from storage.assets import Credentials
from storage.database import open_database
from storage.devices import Kind, behind_source
from storage.logins import LOGINS, renew_login
from storage.migrate import require_schema

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The device's name.")]
EmptyMm = Annotated[int | None, typer.Option(help="Distance to the floor of the container.")]
FullMm = Annotated[int, typer.Option(help="Distance to the surface of the full container.")]
ShapeName = Annotated[
    str, typer.Option(help="straight, bell, bin, underground, or points like 0:0,0.5:0.7,1:1.")
]


@app.callback()
def _group() -> None:
    """Devices: who may speak to us, with which credentials."""


@app.command("list")
def list_() -> None:
    """List the region's devices; secrets are never shown again."""
    settings = load_settings()
    with _registry(settings) as (connection, region):
        found = devices.entries(connection, region)
        read = calibrations.in_force(connection, open_clock(settings.clock).now())
        leads = clocks.ahead(connection)
    heads = ("device", "kind", "at", "speaks through", "model", "distances", "clock",
             "credentials since")  # fmt: skip
    table = Table(*heads, box=None, pad_edge=False)
    for entry in sorted(found, key=lambda entry: (entry.kind, entry.name)):
        since = f"{entry.provisioned_at:%Y-%m-%d %H:%M}" if entry.provisioned_at else "-"
        if entry.revoked_at:
            since = f"revoked {entry.revoked_at:%Y-%m-%d %H:%M}"
        place = entry.container or entry.vehicle or "-"
        through = f"{entry.source}: {entry.alias}" if entry.source else entry.gateway or "itself"
        distances = _numbers(read[entry.name]) if entry.name in read else "-"
        model, clock = entry.model or "-", _lead(leads.get(entry.name))
        table.add_row(entry.name, entry.kind, place, through, model, distances, clock, since)
    Console().print(table)


@app.command()
def add(
    name: Name,
    kind: Annotated[Kind, typer.Option(help="What it is; a unit has its vehicle's name.")],
    container: Annotated[str | None, typer.Option(help="What a sensor watches.")] = None,
    gateway: Annotated[
        str | None, typer.Option(help="Who speaks for a sensor without a line of its own.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="The region's source that speaks for it, instead of ours.")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="Its name at that source.")] = None,
    model: Annotated[str | None, typer.Option(help="Its model, as vendor-model.")] = None,
    empty_mm: EmptyMm = None,
    full_mm: FullMm = 0,
    shape: ShapeName = "straight",
) -> None:
    """Add a device, or take back a revoked one; its credentials are shown this once.

    A device in use moves from our own broker to `--source`: its credentials end.
    """
    settings = load_settings()
    behind = behind_source(source, alias, model)
    calibration = _calibration(empty_mm, full_mm, shape)
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
            behind=behind,
        )
        if calibration:
            calibrations.give(connection, region, name, calibration, since=at)
        audit.record(connection, who(), "add-device", f"device/{name}", at=at)
    renew_login(settings.data_dir / LOGINS, name, made)
    _show(made) if made else print(f"{name} is known; {source or gateway} speaks for it")
    if source and source not in {one.id for one in load_region(settings.region).sources}:
        print(
            f"but sources.toml of this region declares no source {source}: nothing is heard of it"
        )


@app.command()
def calibrate(
    name: Name,
    empty_mm: EmptyMm = None,
    full_mm: FullMm = 0,
    shape: ShapeName = "straight",
    since: Annotated[
        datetime | None, typer.Option(help="From when on it counts, in UTC; default: from now on.")
    ] = None,
) -> None:
    """Tell how a sensor's distances are read; without `--empty-mm`, show how they are.

    The first calibration counts from the beginning. Readings that are stored already change
    with `binround redecode`.
    """
    settings = load_settings()
    calibration = _calibration(empty_mm, full_mm, shape)
    at = open_clock(settings.clock).now()
    with _registry(settings) as (connection, region):
        if calibration:
            start = since.replace(tzinfo=UTC) if since else at
            calibrations.give(connection, region, name, calibration, since=start)
            numbers = calibration.model_dump(include={"empty_mm", "full_mm"})
            audit.record(
                connection, who(), "calibrate-device", f"device/{name}", at=at, detail=numbers
            )
        known = calibrations.entries(connection, name)
    for entry in known:
        print(f"since {entry.since:%Y-%m-%d %H:%M}  {_numbers(entry)}")
    if not known:
        print(f"{name} has no calibration")


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


def _calibration(empty_mm: int | None, full_mm: int, shape: str) -> Calibration | None:
    if empty_mm is None:
        if full_mm or shape != "straight":
            raise BinroundError(
                "--empty-mm is missing: the distance to the empty container's floor"
            )
        return None
    try:
        points = shape_called(shape)
        return Calibration(empty_mm=empty_mm, full_mm=full_mm, shape=points)
    except ValidationError as error:
        raise BinroundError(f"calibration: {first_problem(error)}") from None
    except ValueError as error:
        raise BinroundError(str(error)) from None


def _numbers(entry: calibrations.Entry) -> str:
    """Return a calibration in a few words."""
    known = entry.calibration
    learned = ", learned" if entry.learned else ""
    return f"{known.empty_mm} to {known.full_mm} mm, {name_of(known.shape)}{learned}"


def _lead(seconds: float | None) -> str:
    """Say how far a clock is off; what is off by less than a second is right."""
    if seconds is None:
        return "-"
    if abs(seconds) < 1:
        return "right"
    return f"{abs(seconds):,.0f} s {'fast' if seconds > 0 else 'slow'}"


def _show(made: Credentials) -> None:
    print(f"user       {made.device}")
    print(f"password   {made.secret}")
    print(f"client id  {made.client_id}   (a secret, too: whoever has it can cut the device off)")
