"""The database: its schema and its state."""

import typer
from rich.console import Console
from rich.table import Table

from config.settings import load_settings
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


def _readable(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
