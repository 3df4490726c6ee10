"""Prepare a database and a broker of your own for a region."""

from pathlib import Path
from typing import Annotated

import typer

MQTT_PORT, KEEPER_PORT = 1883, 4222


def command(
    broker_config: Annotated[
        Path | None,
        typer.Option(help="Write a NATS configuration with every device's rights there."),
    ] = None,
    broker_host: Annotated[
        str, typer.Option(help="Where that broker listens; 0.0.0.0 inside a container.")
    ] = "127.0.0.1",
) -> None:
    """Prepare a database and a broker of your own for a region.

    Creates the schema, loads the region, gives its devices their logins (kept in logins.json in
    the data folder, for its owner alone) and writes the broker's configuration. Run it again
    after the region changed: it changes only what differs.
    """
    from config.clock import open_clock
    from config.files import write_private
    from config.region_folder import load_region
    from config.settings import load_settings
    from ingest.broker import device_grants, keeper_grant, server_grant, server_secret
    from ingest.broker.nats import render_config
    from storage import assets
    from storage.database import open_database
    from storage.logins import LOGINS, keep_logins
    from storage.migrate import migrate

    settings = load_settings()
    region, clock = load_region(settings.region), open_clock(settings.clock)
    with open_database(settings) as database:
        applied = migrate(database)
        typer.echo(f"schema: {len(applied)} migrations applied" if applied else "schema: current")
        with database.connect() as connection:
            assets.load_region(connection, region, at=clock.now())
        typer.echo(f"region: {region.name}, {len(region.containers)} containers")
        logins = keep_logins(database, region, settings.data_dir / LOGINS, clock)
        typer.echo(f"logins: {len(logins)} in {settings.data_dir / LOGINS}")
        if broker_config is None:
            return
        with database.connect() as connection:
            devices = assets.devices(connection).values()
    grants = [
        server_grant(settings.broker_user, server_secret(settings)),
        keeper_grant(server_secret(settings)),
        *device_grants(region.id, devices),
    ]
    folder = broker_config.parent
    text = render_config(
        MQTT_PORT, folder / "store", folder / "nats.log", grants, broker_host, KEEPER_PORT
    )
    write_private(broker_config, text)
    typer.echo(f"broker: {broker_config}; tell a running one to read it again (SIGHUP)")
