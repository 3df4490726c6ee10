"""Dead letters: messages that could not be used, and a way to use them after all."""

from typing import Annotated

import typer

from cli.person import who
from config.clock import open_clock
from config.errors import BinroundError
from config.region_folder import load_region
from config.settings import load_settings
from config.source import Origin
from ingest.replay import replay as walk_again
from ingest.steps import Surroundings
from storage import assets, audit, calibrations, deadletters
from storage.database import open_database
from storage.migrate import require_schema

app = typer.Typer(no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="Its number in the list.")]


@app.callback()
def _group() -> None:
    """Messages that could not be used: look at them, and use them after all."""


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    reason: Annotated[str, typer.Option(help="Only those whose reason holds this text.")] = "",
) -> None:
    """List the newest dead letters with their reasons."""
    with open_database(load_settings()) as database:
        require_schema(database)
        with database.connect() as connection:
            letters = deadletters.newest(connection, limit, reason)
            counts = deadletters.by_reason(connection)
    for letter in letters:
        again = f" (came {letter.repeats + 1} times)" if letter.repeats else ""
        topic = ascii(letter.topic)[1:-1]
        source = f"{letter.source}: " if letter.source else ""
        print(f"{letter.id}  {letter.received_at:%Y-%m-%dT%H:%M:%SZ}  {source}{topic}")
        print(f"    {' '.join(ascii(letter.reason)[1:-1].split())}{again}")
    total = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"in all: {total or 'none'}")


@app.command()
def show(number: Number) -> None:
    """Show one dead letter with its bytes; that is noted in the audit."""
    settings = load_settings()
    at = open_clock(settings.clock).now()
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            letter = deadletters.get(connection, number)
            if letter is None:
                raise BinroundError(
                    f"there is no dead letter {number}; see `binround deadletters list`"
                )
            audit.record(connection, who(), "look-at-dead-letter", f"dead_letter/{number}", at=at)
    print(f"number    {letter.id}")
    print(f"received  {letter.received_at.isoformat()}")
    print(f"source    {letter.source or 'our own broker'}")
    print(f"topic     {ascii(letter.topic)[1:-1]}")
    print(f"reason    {ascii(letter.reason)[1:-1]}")
    print(f"repeats   {letter.repeats}")
    print(f"bytes     {len(letter.payload)}")
    print(_printable(letter.payload))


@app.command()
def replay(
    numbers: Annotated[list[int] | None, typer.Argument(help="Which ones.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
) -> None:
    """Read dead letters again with the decoders and devices of today.

    What is good now is stored and is no dead letter any more; the others stay with the reason
    of today. All of it is one transaction, and repeating it changes nothing.
    """
    if bool(numbers) == everything:
        raise BinroundError("name the dead letters to replay, or say --all")
    settings = load_settings()
    region, clock = load_region(settings.region).id, open_clock(settings.clock)
    with open_database(settings) as database:
        require_schema(database)
        with database.connect() as connection:
            chosen = numbers or deadletters.all_ids(connection)
            devices = assets.by_source(assets.devices(connection).values())
            read = calibrations.histories(connection)

            def around(origin: Origin) -> Surroundings:
                return Surroundings(region, devices.get(origin.id, {}), origin, read)

            done = walk_again(connection, chosen, around)
            told = {"stored": done.stored, "kept": done.kept}
            audit.record(
                connection, who(), "replay-dead-letters", "dead_letter", at=clock.now(), detail=told
            )
    print(f"stored {done.stored} ({done.rows} new records), still not usable {done.kept}")


def _printable(payload: bytes) -> str:
    """Return bytes as text where they are printable text, else in hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex()
    return text if text.isprintable() else payload.hex()
