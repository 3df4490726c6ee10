"""Run the ingester: from the broker into the database."""

import signal
import threading

import typer

from cli.log import start_log
from config.clock import open_clock
from config.region_folder import load_region
from config.settings import load_settings, source_passwords
from ingest.service import serve
from storage.database import open_database


def command() -> None:
    """Run the ingester: from the broker into the database, and tours back to the trucks."""
    settings = load_settings()
    start_log(settings)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    region = load_region(settings.region)
    with open_database(settings) as database:
        serve(
            settings,
            region.id,
            open_clock(settings.clock),
            database,
            stop,
            sources=region.sources,
            passwords=source_passwords(region.sources),
            on_ready=lambda url: typer.echo(f"READY {url}"),
        )
