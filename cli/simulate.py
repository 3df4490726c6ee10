"""Run the simulated city: its sensors and trucks."""

import json
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def command(
    credentials: Annotated[Path, typer.Option(help="File with the broker's address and logins.")],
    clock: Annotated[Path, typer.Option(help="The simulated day's clock file.")],
    state: Annotated[Path, typer.Option(help="Folder of what the city remembers.")],
    region: Annotated[str, typer.Option(help="A shipped region, or a folder.")] = "bielefeld",
    sent: Annotated[Path | None, typer.Option(help="Write down all that is sent.")] = None,
    fast: Annotated[bool, typer.Option(help="Run the clock as fast as it goes.")] = False,
    until: Annotated[
        Literal["executed", "stopped"], typer.Option(help="When to end; --fast ends executed.")
    ] = "stopped",
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 1,
    history: Annotated[int, typer.Option(min=0, help="Days before to tell of.")] = 14,
    ca: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Who signed the broker's certificate (TLS).")
    ] = None,
    certificates: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="DEVICE.pem and DEVICE.key of each device (mutual TLS)."),
    ] = None,
) -> None:
    """Run the simulated city: its sensors and trucks.

    Prints one JSON object a line: how far it is, and at the end what the day came to.
    """
    from config.clock import SharedClock
    from config.region_folder import load_region
    from simulator.city import City, CityOptions
    from simulator.link import Credentials
    from simulator.sentlog import SentFile

    options = CityOptions(seed, history, fast, until_executed=fast or until == "executed")
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        log = stack.enter_context(SentFile(sent)) if sent else None
        city = City(
            load_region(region),
            Credentials.read(credentials, ca, certificates),
            SharedClock(clock),
            state,
            options,
            log,
            _say,
        )
        try:
            city.run()
        except KeyboardInterrupt:
            _say({"phase": "stopped"})


def _say(progress: dict[str, Any]) -> None:
    print(json.dumps(progress), flush=True)


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt
