"""Crews: who sat in which vehicle on which day, kept apart and for days only."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from cli.person import who
from config.clock import open_clock
from config.errors import CrewError
from config.settings import load_settings
from storage import crew, retention
from storage.database import open_database
from storage.migrate import require_schema

app = typer.Typer(no_args_is_help=True)
FORMATS = ["%Y-%m-%d"]
OneVehicle = Annotated[str | None, typer.Option("--vehicle", help="Of this vehicle only.")]
OneDay = Annotated[datetime | None, typer.Option("--day", formats=FORMATS, help="Of this day.")]


@app.callback()
def _group() -> None:
    """Crews: who sat in which vehicle on which day, kept apart and for days only."""


@app.command()
def assign(
    vehicle: Annotated[str, typer.Argument(help="The vehicle.")],
    day: Annotated[datetime, typer.Argument(formats=FORMATS, help="The day.")],
    names: Annotated[list[str], typer.Argument(help="Everybody in it, by name or number.")],
) -> None:
    """Write down a vehicle's crew of a day, in place of the one before.

    It is deleted after the days that the region declares (`crew_days`), and no other part of
    binround reads it.
    """
    with _kept() as (connection, at):
        rules = retention.declared(connection)
        count = crew.assign(connection, vehicle, day.date(), names, rules, who=who(), at=at)
    print(f"{vehicle} on {day:%Y-%m-%d}: {count}, kept for {rules.crew_days} days")


@app.command()
def show(vehicle: OneVehicle = None, day: OneDay = None) -> None:
    """Show who sat where; that is noted in the audit."""
    with _kept() as (connection, at):
        found = crew.show(connection, vehicle, day and day.date(), who=who(), at=at)
    table = Table("day", "vehicle", "name", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.day.isoformat(), one.vehicle, one.name)
    Console(markup=False).print(table if found else "no crew is written down")


@app.command()
def clear(
    vehicle: OneVehicle = None,
    day: OneDay = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
) -> None:
    """Delete crews before their time."""
    if bool(vehicle or day) == everything:
        raise CrewError("say whose crews to delete, with --vehicle or --day, or say --all")
    with _kept() as (connection, at):
        gone = crew.clear(connection, vehicle, day and day.date(), who=who(), at=at)
    print(f"{gone} deleted")


@contextmanager
def _kept() -> Iterator[tuple[psycopg.Connection, datetime]]:
    """Give a connection and the instant; what is done on it is one transaction."""
    settings = load_settings()
    at = open_clock(settings.clock).now()
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            yield connection, at
