"""The database: its schema and its state."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from config.clock import open_clock
from config.settings import load_settings
from storage import backup as copies
from storage import migrate as schema
from storage import retention
from storage.database import open_database

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The database: its schema and its state."""


@app.command()
def migrate() -> None:
    """Bring the schema up to date; safe to repeat."""
    with open_database(load_settings()) as database:
        done = schema.migrate(database)
    for name in done:
        print(f"applied {name}")
    print("the schema is up to date" if done else "the schema was up to date")


@app.command()
def status() -> None:
    """Show the server, the schema's version, what is pending, and sizes."""
    with open_database(load_settings()) as database:
        state = schema.status(database)
    print(f"PostgreSQL   {state.server}")
    print(f"TimescaleDB  {state.timescale}")
    print(f"schema       {state.version}")
    print(f"pending      {', '.join(state.pending) or 'nothing'}")
    if state.sizes:
        table = Table("table", "size", box=None, pad_edge=False)
        for name, size in state.sizes.items():
            table.add_row(name, _readable(size))
        Console().print(table)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; a new one.")]) -> None:
    """Write the whole database into one file, with a checksum of every table.

    Services may go on working meanwhile. The file holds positions and hashes of secrets: only
    its owner may read it, and it has to be kept and deleted as the database itself.
    """
    settings = load_settings()
    with open_database(settings) as database:
        taken = copies.back_up(database, file, at=open_clock(settings.clock).now())
    rows = sum(content.rows for content in taken.contents.values())
    print(f"{file}: {_readable(file.stat().st_size)}, {len(taken.contents)} tables, {rows:,} rows")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")]) -> None:
    """Bring a backup into an empty database, prove it equal, and apply the retention again.

    Every table is compared with its checksum in the backup. Then the schema is brought up to
    date, and what has outlived its retention since the backup is removed.
    """
    settings = load_settings()
    with open_database(settings) as database:
        taken = copies.restore(database, file)
        print(f"restored the backup of {taken.taken_at:%Y-%m-%d %H:%M} UTC, schema {taken.schema}")
        print(f"{len(taken.contents)} tables, each with the checksum that it had")
        for name in schema.migrate(database):
            print(f"applied {name}")
        with database.connect(autocommit=True) as connection:
            rules, now = retention.declared(connection), open_clock(settings.clock).now()
            removed = sum(retention.enforce(connection, rules, now).values())
        print(f"retention applied: {removed} rows and parts removed")


def _readable(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
