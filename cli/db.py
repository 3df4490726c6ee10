"""The database: its schema and its state."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.person import who
from config.clock import open_clock
from config.errors import SettingsError
from config.region_folder import load_region
from config.settings import load_settings
from storage import audit, backup_files, retention
from storage import backup as copies
from storage import migrate as schema
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
    its owner may read it. It is noted in the audit. Who drove is not in it. Keep it in
    BINROUND_BACKUP_DIR, where the worker deletes it in time, or see `prune-backups`.
    """
    settings = load_settings()
    at = open_clock(settings.clock).now()
    with open_database(settings) as database:
        with database.connect() as connection:
            if audit.is_kept(connection):  # not by the very first schema, before its upgrade
                audit.record(connection, who(), "look-at-everything", "backup", at=at)
        taken = copies.back_up(database, file, at=at)
    rows = sum(content.rows for content in taken.contents.values())
    print(f"{file}: {_readable(file.stat().st_size)}, {len(taken.contents)} tables, {rows:,} rows")


@app.command()
def prune_backups(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder; by default BINROUND_BACKUP_DIR.")
    ] = None,
) -> None:
    """Delete the backups in a folder that are older than the region declares (`backup_days`).

    By what each says about itself, not by its name; files that are no backups stay.
    """
    settings = load_settings()
    where = folder or settings.backup_dir
    if where is None:
        raise SettingsError("name the folder of the backups, or set BINROUND_BACKUP_DIR")
    days = load_region(settings.region).retention.backup_days
    before = open_clock(settings.clock).now() - timedelta(days=days)
    gone = backup_files.prune(where, before)
    for path in gone:
        print(f"deleted {path}")
    print(f"{len(gone)} deleted; none in {where} is older than {days} days")


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
        if taken.taken_at < now - timedelta(days=rules.backup_days):
            print(
                f"this backup is older than the {rules.backup_days} days that the region declares; "
                "delete it"
            )


def _readable(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
