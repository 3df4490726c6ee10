"""Fetch what a network server said while nobody listened."""

import signal
import threading
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.log import start_log
from config.clock import Clock, open_clock
from config.errors import SettingsError
from config.region import Region
from config.region_folder import load_region
from config.settings import load_settings, source_passwords
from config.source import Source
from ingest.backfill import MARGIN, Fetched, ThingsStackStorage, fetch
from ingest.counters import Counters
from ingest.registry import Registry
from ingest.writer import Writer
from storage import sources
from storage.database import Database, open_database
from storage.migrate import require_schema

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def command(
    source: Annotated[str, typer.Option(help="Which of the region's sources.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=FORMATS, help="In the region's time; by default what is missing."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=FORMATS, help="In the region's time; default: now.")
    ] = None,
) -> None:
    """Fetch what a network server said while nobody listened, from its storage.

    The ingester does this by itself whenever the line to the source comes up. What is stored
    already stays as it is, so a span may be fetched again.
    """
    settings = load_settings()
    start_log(settings)
    region, clock = load_region(settings.region), open_clock(settings.clock)
    wanted, storage = _storage(region, source)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with open_database(settings) as database:
        require_schema(database)
        first = (
            since.replace(tzinfo=region.time_zone) if since else _missing(database, wanted, clock)
        )
        last = until.replace(tzinfo=region.time_zone) if until else clock.now()
        if first >= last:
            raise SettingsError(f"nothing lies between {first:%c} and {last:%c}; see --since")
        _fetch(region, wanted, storage, database, clock, (first, last), stop)


def _storage(region: Region, name: str) -> tuple[Source, ThingsStackStorage]:
    with_storage = {each.id: each for each in region.sources if each.storage}
    found = with_storage.get(name)
    if found is None or found.storage is None:
        known = ", ".join(with_storage) or "none"
        raise SettingsError(f"no source {name!r} with a storage in region {region.id}: {known}")
    key = source_passwords([found])[found.id]
    if not key.get_secret_value():
        raise SettingsError(f"source {name} has no key; set {found.variable}")
    return found, ThingsStackStorage(found.storage, found.user, key, found.tls)


def _missing(database: Database, source: Source, clock: Clock) -> datetime:
    with database.connect() as connection:
        mark = sources.mark(connection, source.id)
    return mark - MARGIN if mark else clock.now() - timedelta(days=source.storage_days)


def _fetch(
    region: Region,
    source: Source,
    storage: ThingsStackStorage,
    database: Database,
    clock: Clock,
    span: tuple[datetime, datetime],
    stop: threading.Event,
) -> None:
    counters = Counters()
    writer = Writer(
        Fetched(),
        database,
        Registry(),
        lambda _topic, _payload: False,
        region=region.id,
        clock=clock,
        counters=counters,
        origin=source.origin,
    )
    fetched = 0
    try:
        for batch in fetch(storage, *span, writer, clock, stop):
            fetched += len(batch)
    finally:
        writer.hang_up()
        typer.echo(
            f"fetched {fetched} messages: {counters.stored} new records, "
            f"{counters.dead_letters} new dead letters, {counters.duplicates} known already"
        )
