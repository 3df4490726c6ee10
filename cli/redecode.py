"""Read kept frames again and put right what they said."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.person import who
from config.clock import open_clock
from config.errors import BinroundError
from config.region_folder import load_region
from config.settings import load_settings
from ingest.codecs.envelopes import OF_FAMILY
from ingest.codecs.frames import frame_codecs
from ingest.redecode import Repaired, redecode
from storage import audit, devices
from storage.database import open_database
from storage.frames import Choice
from storage.migrate import require_schema

_MOST_REASONS = 20


def command(
    device: Annotated[str | None, typer.Option(help="Only this device's frames.")] = None,
    model: Annotated[str | None, typer.Option(help="Only frames of this vendor-model.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only frames from then on, in UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="Only frames before then, in UTC.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Read kept frames again with the decoders of today and the calibration of each instant.

    History is repaired: rows that were read wrongly change, missing ones are added, those that no
    frame says any more go; states and daily figures follow. What cannot be read any more is named
    and stays. It may be broken off and started again at any time.
    """
    settings = load_settings()
    region, at = load_region(settings.region).id, open_clock(settings.clock).now()
    choice = Choice(device, model, _utc(since), _utc(until))
    about = f"device/{device}" if device else "frame"
    asked = {name: str(value) for name, value in choice._asdict().items() if value is not None}
    if model is not None and model not in (known := [*frame_codecs(), *map(str, OF_FAMILY)]):
        raise BinroundError(f"no frames are of model {model!r}; known are {', '.join(known)}")
    with open_database(settings) as database:
        require_schema(database)
        with database.connect(autocommit=True) as connection:
            if device and device not in {one.name for one in devices.entries(connection, region)}:
                raise BinroundError(f"there is no device {device!r}; see `binround device list`")
            if not dry_run:
                audit.record(connection, who(), "redecode", about, at=at, detail=asked)
            done = redecode(connection, region, choice, dry_run=dry_run, on_page=_tell)
            if not dry_run:
                audit.record(connection, who(), "redecoded", about, at=at, detail=_counts(done))
    for reason, count in done.unreadable.most_common(_MOST_REASONS):
        typer.echo(f"{count} frames cannot be used any more, what they said stays: {reason}")
    told = ", ".join(f"{name} {count}" for name, count in _counts(done).items())
    typer.echo(f"{'would be: ' if dry_run else ''}{told}")


def _counts(done: Repaired) -> dict[str, int]:
    return {
        "frames": done.frames,
        "right": done.right,
        "changed": done.changed,
        "added": done.added,
        "removed": done.removed,
        "unreadable": done.unreadable.total(),
    }


def _tell(device: str, so_far: Repaired) -> None:
    typer.echo(f"{device}: {so_far.frames} frames so far", err=True)


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant else None
