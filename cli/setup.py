"""Prepare a database and a broker of your own for a region."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from config.settings import Settings
    from ingest.broker import Grant, ServerTls

MQTT_PORT, MQTT_TLS_PORT, SERVER_PORT, KEEPER_PORT = 1883, 8883, 1884, 4222


def command(
    broker_config: Annotated[
        Path | None,
        typer.Option(help="Write a NATS configuration with every device's rights there."),
    ] = None,
    mosquitto: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a Mosquitto configuration into this folder."),
    ] = None,
    broker_host: Annotated[
        str, typer.Option(help="Where that broker listens; 0.0.0.0 inside a container.")
    ] = "127.0.0.1",
    broker_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Its port for devices; 1883, or 8883 with TLS."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="PEM", help="The broker's certificate: TLS.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="PEM", help="The private key of that certificate.")
    ] = None,
    tls_clients: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Who signs the devices' certificates: mutual TLS."),
    ] = None,
    tls_revoked: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Its list of revoked certificates (Mosquitto)."),
    ] = None,
) -> None:
    """Prepare a database and a broker of your own for a region.

    Creates the schema, loads the region, gives its devices their logins (kept in logins.json in
    the data folder, for its owner alone) and writes the broker's configuration. Run it again
    after the region changed: it changes only what differs.
    """
    from config.clock import open_clock
    from config.region_folder import load_region
    from config.settings import load_settings
    from ingest.broker import device_grants, keeper_grant, server_grant, server_secret
    from storage import assets
    from storage.database import open_database
    from storage.logins import LOGINS, keep_logins
    from storage.migrate import migrate

    settings = load_settings()
    tls = _tls(tls_cert, tls_key, tls_clients, tls_revoked)
    region, clock = load_region(settings.region), open_clock(settings.clock)
    with open_database(settings) as database:
        applied = migrate(database)
        typer.echo(f"schema: {len(applied)} migrations applied" if applied else "schema: current")
        with database.connect() as connection:
            assets.load_region(connection, region, at=clock.now(), server_user=settings.broker_user)
        typer.echo(f"region: {region.name}, {len(region.containers)} containers")
        logins = keep_logins(database, region, settings.data_dir / LOGINS, clock)
        typer.echo(f"logins: {len(logins)} in {settings.data_dir / LOGINS}")
        with database.connect() as connection:
            devices = assets.devices(connection).values()
    grants = [
        server_grant(settings.broker_user, server_secret(settings)),
        *device_grants(region.id, devices),
    ]
    port = broker_port or (MQTT_TLS_PORT if tls else MQTT_PORT)
    if broker_config:
        keeper = keeper_grant(server_secret(settings))
        _write_nats(broker_config, [*grants, keeper], broker_host, port, tls)
    if mosquitto:
        days = region.retention.positions_days
        _write_mosquitto(settings, mosquitto, grants, logins, days, broker_host, port, tls)


def _tls(
    cert: Path | None, key: Path | None, clients: Path | None, revoked: Path | None
) -> "ServerTls | None":
    """Return the broker's TLS files, with full paths; the broker reads them, not we."""
    from config.errors import SettingsError
    from ingest.broker import ServerTls

    if not cert and not key and not clients and not revoked:
        return None
    if not cert or not key or (revoked and not clients):
        raise SettingsError(
            "TLS needs --tls-cert and --tls-key; mutual TLS --tls-clients, too, and only then "
            "--tls-revoked"
        )
    for path in filter(None, (cert, key, clients, revoked)):
        if not path.is_file():
            raise SettingsError(f"{path}: there is no such file; give a PEM file")
    return ServerTls(
        cert.resolve(),
        key.resolve(),
        clients and clients.resolve(),
        revoked and revoked.resolve(),
    )


def _write_nats(
    path: Path, grants: "Iterable[Grant]", host: str, port: int, tls: "ServerTls | None"
) -> None:
    from config.files import write_private
    from ingest.broker.nats import render_config

    folder = path.parent
    text = render_config(
        port, folder / "store", folder / "nats.log", grants, host, KEEPER_PORT, tls
    )
    write_private(path, text)
    typer.echo(f"broker: {path}; tell a running one to read it again (SIGHUP)")


def _write_mosquitto(
    settings: "Settings",
    folder: Path,
    grants: "Iterable[Grant]",
    logins: Mapping[str, Mapping[str, str]],
    keep_days: int,
    host: str,
    port: int,
    tls: "ServerTls | None",
) -> None:
    from config.files import private_folder
    from ingest.broker import server_secret
    from ingest.broker.mosquitto import write_mosquitto

    folder = folder.resolve()
    private_folder(folder / "data")
    secrets = {user: login["password"] for user, login in logins.items()}
    config = write_mosquitto(
        folder,
        folder / "data",
        grants,
        {settings.broker_user: server_secret(settings), **secrets},
        server=settings.broker_user,
        port=port,
        server_port=SERVER_PORT,
        address=host,
        keep_days=keep_days,
        tls=tls,
    )
    typer.echo(f"broker: {config}; tell a running one to read it again (SIGHUP)")
    typer.echo(
        f"our own server connects to port {SERVER_PORT}; set BINROUND_BROKER_URL, and "
        "BINROUND_BROKER_SPLIT=devices for several ingesters"
    )
