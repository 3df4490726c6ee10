"""Run the worker: planning and studies."""

import typer

from cli.log import start_log
from config.clock import open_clock
from config.region_folder import load_region
from config.settings import load_settings
from jobs.worker import serve
from storage.database import open_database


def command() -> None:
    """Run the worker: it plans days, keeps beliefs fresh, and tidies up."""
    settings = load_settings()
    start_log(settings)
    region = load_region(settings.region)
    with open_database(settings) as database:
        clock = open_clock(settings.clock)
        serve(settings, region, clock, database, on_ready=lambda: typer.echo("READY"))
