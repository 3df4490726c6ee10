"""Run the ingester: from the broker into the database."""

import signal
import threading
from typing import Annotated

import typer

from cli.log import start_log
from config.clock import open_clock
from config.errors import SettingsError
from config.region_folder import load_region
from config.settings import load_settings, source_passwords
from ingest.service import serve
from ingest.shards import SHARDS, Seat
from storage.database import open_database


def command(
    instances: Annotated[
        int, typer.Option(min=1, max=SHARDS, help="How many processes share the load.")
    ] = 1,
    instance: Annotated[
        str,
        typer.Option(
            metavar="I/N", help="Be one of N on several machines, such as 2/3; start all of them."
        ),
    ] = "1/1",
) -> None:
    """Run the ingester: from the broker into the database, and tours back to the trucks.

    Several share the devices between them, and each device's messages keep their order. With
    --instances they are processes of this one, which starts again what dies and ends with all of
    them. Their number can be changed at any start.
    """
    seat = Seat.parse(instance)
    if instances > 1 and seat.of > 1:
        raise SettingsError("give --instances (here) or --instance (one of several), not both")
    settings = load_settings()
    start_log(settings, f"ingester={seat}" if seat.of > 1 else "")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    region = load_region(settings.region)
    with open_database(settings) as database:
        if instances > 1:
            from cli.ingesters import run_ingesters

            run_ingesters(settings, region.id, database, instances, stop)
            return
        serve(
            settings,
            region.id,
            open_clock(settings.clock),
            database,
            stop,
            sources=region.sources,
            passwords=source_passwords(region.sources),
            seat=seat,
            on_ready=lambda url: typer.echo(f"READY {url}"),
        )
