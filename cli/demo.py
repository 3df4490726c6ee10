"""Run the whole system on this machine, with a simulated city."""

import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def command(
    region: Annotated[str, typer.Option(help="A shipped region, or a folder.")] = "",
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day to begin with.")
    ] = None,
    speed: Annotated[float, typer.Option(min=1, max=3600, help="Simulated s per second.")] = 60,
    port: Annotated[int | None, typer.Option(help="Of the API and the console.")] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Play a day as fast as it goes, without a console.")
    ] = False,
    until: Annotated[
        Literal["executed"], typer.Option(help="Where a headless day ends.")
    ] = "executed",
    json: Annotated[Path | None, typer.Option(help="Write the day's account there.")] = None,
    sent: Annotated[Path | None, typer.Option(help="Write down all that is sent.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is random in the city.")] = 1,
) -> None:
    """Run the whole system on this machine: database, broker, services and a simulated city.

    It is 05:30 on a working day and time runs sixty times as fast. Ctrl-C ends everything; the
    next start goes on where this one stopped.
    """
    from cli.play import Play, PlayOptions
    from config.errors import FileFormatError
    from config.region_folder import load_region
    from config.settings import load_settings

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if json and not json.parent.is_dir():
        raise FileFormatError(f"{json}: cannot be written: there is no folder {json.parent}")
    settings = load_settings(**({"region": region} if region else {}))
    facts = load_region(settings.region)
    folder = settings.data_dir / "demo" / facts.id
    options = PlayOptions(
        begin=date.date() if date else None,
        speed=speed,
        seed=seed,
        port=settings.api_port if port is None else port,
        sent=sent,
    )
    play = Play(facts, settings, folder, options)
    try:
        if headless:
            play.headless(json)
        else:
            play.live()
    except KeyboardInterrupt:
        typer.echo("stopped; the next start goes on from here")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
