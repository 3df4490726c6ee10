"""Privacy: what is kept about people, why, how long, and who looked."""

import typer
from rich.console import Console
from rich.table import Table

from config.clock import open_clock
from config.errors import BinroundError
from config.settings import load_settings
from storage import privacy, retention
from storage.database import open_database
from storage.migrate import require_schema

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What is kept about people, why, how long, and who looked."""


@app.command()
def report() -> None:
    """Show every table that can be tied to a person: purpose, span, oldest row, and who looked.

    Fails when a row is older than its rule allows by more than a day.
    """
    settings = load_settings()
    now = open_clock(settings.clock).now()
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            rules = retention.declared(connection)
            kept = privacy.report(connection, rules, now)
            looks = privacy.looks(connection)
    console = Console(width=120, soft_wrap=True)
    console.print(f"declared purpose: {rules.purpose}", markup=False)
    table = Table("table", "kept for", "days", "rows", "oldest", box=None, pad_edge=False)
    for one in kept:
        oldest = f"{one.oldest:%Y-%m-%d %H:%M}" if one.oldest else "-"
        table.add_row(one.table, one.purpose, str(one.days), f"{one.rows:,}",
                      f"{oldest} OVERDUE" if one.overdue else oldest)  # fmt: skip
    console.print(table)
    console.print()
    seen = Table("who looked", "at", "times", "last", box=None, pad_edge=False)
    for look in looks:
        what = look.action.removeprefix("look-at-").replace("-", " ")
        seen.add_row(look.who, what, str(look.times), f"{look.last:%Y-%m-%d %H:%M}")
    if looks:
        console.print(seen)
    else:
        console.print("nobody looked at position history or at the bytes of dead letters")
    if late := [one.table for one in kept if one.overdue]:
        raise BinroundError(
            f"rows are kept for longer than declared in {', '.join(late)}; "
            "see that `binround worker` runs, it removes them every day"
        )
