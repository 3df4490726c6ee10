"""Run the API and the console."""

import signal
import socket
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.guard import require_safe_listener
from cli.log import start_log
from config.clock import open_clock
from config.errors import SettingsError
from config.region_folder import load_region
from config.settings import load_settings
from storage.database import open_database

_GRACE_S = 3


class _Server(uvicorn.Server):
    """Says where it answers, and ends the live streams before it waits for open requests."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started and sockets:
            typer.echo(f"READY {address(sockets[0])}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        self.config.app.state.hub.close()  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def command(
    host: Annotated[
        str | None, typer.Option(help="Where to listen; else BINROUND_API_HOST.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 picks one; else BINROUND_API_PORT.")
    ] = None,
) -> None:
    """Run the API and the console."""
    settings = load_settings()
    host = settings.api_host if host is None else host
    require_safe_listener(settings, host)
    start_log(settings)
    facts = load_region(settings.region)
    listener = listen(host, settings.api_port if port is None else port)
    with listener, open_database(settings) as database:
        app = create_app(settings, open_clock(settings.clock), database, facts)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=15,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)  # it raises them again when it has ended
        _Server(config).run([listener])


def listen(host: str, port: int) -> socket.socket:
    """Take a port, before anything else is started.

    Raises:
        SettingsError: it is taken, or the host is not one of ours.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port} ({error.strerror}): stop what uses it, "
            "or choose another with BINROUND_API_PORT or --port"
        ) from None


def address(listener: socket.socket) -> str:
    """Return where a browser finds a listener."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
