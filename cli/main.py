"""The `binround` command."""

import sys

import typer

from cli import (
    api,
    check,
    config,
    db,
    demo,
    ingest,
    plan,
    region,
    roads,
    setup,
    simulate,
    solve,
    study,
    worker,
)
from config.errors import BinroundError

app = typer.Typer(
    name="binround",
    help="Waste-collection logistics: fill levels in, optimised tours out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

START, DECIDE, FACTS, SERVICES = "Start here", "Decide", "Facts", "Services"

app.command("demo", rich_help_panel=START)(demo.command)
app.command("plan", rich_help_panel=DECIDE)(plan.command)
app.command("solve", rich_help_panel=DECIDE)(solve.command)
app.command("check", rich_help_panel=DECIDE)(check.command)
app.add_typer(study.app, name="study", rich_help_panel=DECIDE)
app.add_typer(region.app, name="region", rich_help_panel=FACTS)
app.add_typer(roads.app, name="roads", rich_help_panel=FACTS)
app.add_typer(config.app, name="config", rich_help_panel=FACTS)
app.add_typer(db.app, name="db", rich_help_panel=FACTS)
app.command("setup", rich_help_panel=SERVICES)(setup.command)
app.command("ingest", rich_help_panel=SERVICES)(ingest.command)
app.command("worker", rich_help_panel=SERVICES)(worker.command)
app.command("api", rich_help_panel=SERVICES)(api.command)
app.command("simulate", rich_help_panel=SERVICES)(simulate.command)


def main() -> None:
    """Run the command; what went wrong is told in one line, with an exit code that is not 0."""
    try:
        app()
    except BinroundError as error:
        print(f"binround: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
