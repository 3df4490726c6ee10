"""Privacy: what is kept about people, why, how long, and who looked."""

import typer
from rich.console import Console
from rich.table import Table

from cli.elsewhere import kept_elsewhere
from config.clock import open_clock
from config.errors import BinroundError
from config.region_folder import load_region
from config.settings import load_settings
from storage import privacy, retention
from storage.database import open_database
from storage.migrate import require_schema
from storage.privacy import Kept, Looks

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What is kept about people, why, how long, and who looked."""


@app.command()
def report() -> None:
    """Show what is kept that can be tied to a person: purpose, span, oldest row, and who looked.

    Tables, the broker's messages and retained tours, backups. Fails when something is older than
    its rule allows by more than a day.
    """
    settings = load_settings()
    now = open_clock(settings.clock).now()
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            rules = retention.declared(connection)
            kept = privacy.report(connection, rules, now)
            looks = privacy.looks(connection)
    elsewhere = list(kept_elsewhere(settings, load_region(settings.region).id, rules, now))
    kept += [one for one in elsewhere if isinstance(one, Kept)]
    console = Console(width=120, soft_wrap=True, markup=False)
    console.print(f"declared purpose: {rules.purpose}")
    if rules.longer_because:
        console.print(f"longer because: {rules.longer_because}")
    console.print(_kept_table(kept))
    for unknown in (one for one in elsewhere if isinstance(one, str)):
        console.print(unknown)
    console.print()
    console.print(
        _looks_table(looks)
        if looks
        else "nobody looked at position history, crews or the bytes of messages"
    )
    if late := [one.table for one in kept if one.overdue]:
        raise BinroundError(
            f"kept for longer than declared: {', '.join(late)}; "
            "see that `binround worker` and `binround ingest` run, they remove it every day"
        )


def _kept_table(kept: list[Kept]) -> Table:
    table = Table("table", "kept for", "days", "rows", "oldest", box=None, pad_edge=False)
    for one in kept:
        oldest = f"{one.oldest:%Y-%m-%d %H:%M}" if one.oldest else "-"
        table.add_row(one.table, one.purpose, str(one.days), f"{one.rows:,}",
                      f"{oldest} OVERDUE" if one.overdue else oldest)  # fmt: skip
    return table


def _looks_table(looks: list[Looks]) -> Table:
    table = Table("who looked", "at", "times", "last", box=None, pad_edge=False)
    for look in looks:
        what = look.action.removeprefix("look-at-").replace("-", " ")
        table.add_row(look.who, what, str(look.times), f"{look.last:%Y-%m-%d %H:%M}")
    return table
