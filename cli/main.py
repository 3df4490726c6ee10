"""The `binround` command.

A service that is started again after a crash should be back at once, so only the module of the
command that was asked for is imported; the others are known by name and one line.
"""

import sys
from importlib import import_module
from typing import NamedTuple

import typer

from config.errors import BinroundError


class Entry(NamedTuple):
    """A command, or a group of them, in the module of the same name."""

    name: str
    panel: str
    summary: str
    group: bool = False


START, DECIDE, FACTS, SERVICES = "Start here", "Decide", "Facts", "Services"
ENTRIES = (
    Entry("demo", START, "Run the whole system on this machine, with a simulated city."),
    Entry("plan", DECIDE, "Plan the tours of a day."),
    Entry(
        "explain", DECIDE, "Say why a container is emptied today or not, and what would change it."
    ),
    Entry("replan", DECIDE, "Answer what happened during a published plan's day."),
    Entry("solve", DECIDE, "Solve a routing problem from a file."),
    Entry("check", DECIDE, "Judge a plan: against its problem, or by a region's rules."),
    Entry("study", DECIDE, "What-if studies on simulated weeks.", group=True),
    Entry("region", FACTS, "Regions: check one, or build one from OpenStreetMap.", group=True),
    Entry("roads", FACTS, "The road network: fetch it, prepare it, look at it.", group=True),
    Entry("decode", FACTS, "Decode what a sensor, a tracker or their server sent."),
    Entry("config", FACTS, "Settings: what can be set, what is set, what it means.", group=True),
    Entry("db", FACTS, "The database: its schema and its state.", group=True),
    Entry("device", FACTS, "Devices: add one, strike one off, new credentials.", group=True),
    Entry("redecode", FACTS, "Read kept frames again, after a decoder or calibration was mended."),
    Entry("deadletters", FACTS, "Messages that could not be used: look, replay.", group=True),
    Entry("crew", FACTS, "Who drove: write it down, look, clear.", group=True),
    Entry("privacy", FACTS, "What is kept about people, and who looked.", group=True),
    Entry("setup", SERVICES, "Prepare a database and a broker of your own for a region."),
    Entry("ingest", SERVICES, "Run the ingester: from the broker into the database."),
    Entry("backfill", SERVICES, "Fetch what a network server said while nobody listened."),
    Entry("worker", SERVICES, "Run the worker: planning and studies."),
    Entry("api", SERVICES, "Run the API and the console."),
    Entry("simulate", SERVICES, "Run the simulated city: its sensors and trucks."),
)


def build(asked: str | None = None) -> typer.Typer:
    """Return the command line.

    Args:
        asked: the one command that is going to run; None builds all of them.
    """
    app = typer.Typer(
        name="binround",
        help="Waste-collection logistics: fill levels in, optimised tours out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for entry in ENTRIES:
        _add(app, entry, real=asked in (None, entry.name))
    return app


def _add(app: typer.Typer, entry: Entry, *, real: bool) -> None:
    name, panel, summary, group = entry
    module = import_module(f"cli.{name}") if real else None
    if module and group:
        app.add_typer(module.app, name=name, rich_help_panel=panel, short_help=summary)
    else:
        command = module.command if module else _not_asked_for
        app.command(name, rich_help_panel=panel, short_help=summary)(command)


def _not_asked_for() -> None:
    """Stand in for a command that is not the one to run."""


def main() -> None:
    """Run the command; what went wrong is told in one line, with an exit code that is not 0."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        build(asked)()
    except BinroundError as error:
        print(f"binround: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
