"""Frames that were kept are read again, and what they said is put right.

The decoders are those of today, the calibration is the one in force at each instant, the place is
where the device was when it spoke. Each row knows by when it came which frame said it, so a row is
changed by its own frame only, and running it again changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from config.source import Family, Origin
from ingest.codecs import Refusal
from ingest.codecs.calibration import History
from ingest.foreign import reopen
from ingest.rows import Haul, gather
from ingest.steps import KEPT_PATH, Parcel, Surroundings, follow
from storage import calibrations, frames, rollups, telemetry, timeseries
from storage.assets import Device
from storage.frames import Choice, KeptFrame, Owner, Said
from storage.rollups import Span

PAGE = 1_000

Key = tuple[datetime, int]


@dataclass
class Repaired:
    """What became of the frames.

    Attributes:
        frames: how many were read.
        right: rows that were right already.
        changed: rows that say something else now.
        added: rows that were missing.
        removed: rows that no frame says any more.
        unreadable: frames that cannot be used any more, by the reason; what they said stays.
    """

    frames: int = 0
    right: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)


@dataclass
class _Change:
    """What has to happen to one series of a device."""

    gone: list[Said] = field(default_factory=list)
    new: list[Said] = field(default_factory=list)


@dataclass
class _Span:
    """The instants that were looked at."""

    first: datetime | None = None
    last: datetime | None = None

    def take_in(self, instants: Sequence[datetime]) -> None:
        if instants:
            self.first = min(self.first or instants[0], *instants)
            self.last = max(self.last or instants[0], *instants)


def redecode(
    connection: psycopg.Connection,
    region: str,
    choice: Choice,
    *,
    dry_run: bool = False,
    on_page: Callable[[str, Repaired], None] = lambda _device, _so_far: None,
) -> Repaired:
    """Read frames again, a transaction for each thousand of a device; it can be broken off.

    Args:
        connection: in autocommit mode.
        region: whose devices.
        choice: which frames.
        dry_run: only say what would happen.
        on_page: told after each transaction.
    """
    done, span = Repaired(), _Span()
    read = calibrations.histories(connection)
    for owner in frames.owners(connection, region, choice):
        for page in _pages(connection, owner, choice):
            _repair(connection, owner, page, read, done, span, dry_run=dry_run)
            on_page(owner.name, done)
    if span.first and span.last and not dry_run:
        # All of the span, not only what changed: a run that was broken off has not come here.
        days = Span(_midnight(span.first), _midnight(span.last) + timedelta(days=1))
        verbs = timeseries.detect(connection)
        for series in ("level", "position"):
            verbs.roll_up_again(connection, series, days)
        rollups.see_again(connection, "position", days.since)  # for the kilometres
    return done


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _pages(
    connection: psycopg.Connection, owner: Owner, choice: Choice
) -> Iterator[list[KeptFrame]]:
    after: KeptFrame | None = None
    while page := frames.page(connection, owner, choice, after, PAGE):
        yield page
        after = page[-1]


def _repair(
    connection: psycopg.Connection,
    owner: Owner,
    page: Sequence[KeptFrame],
    read: Mapping[int, History],
    done: Repaired,
    span: _Span,
    *,
    dry_run: bool,
) -> None:
    said, came = _say_again(owner, page, read, done)
    with connection.transaction():
        changes = {
            table: _compare(connection, table, owner, rows, came, done)
            for table, rows in said.items()
        }
        if not dry_run:
            _apply(connection, owner, changes)
    span.take_in([row.time for row in said["level"].values() if not row.clock_suspect])
    span.take_in([row.time for row in changes["level"].gone if not row.clock_suspect])


def _say_again(
    owner: Owner, page: Sequence[KeptFrame], read: Mapping[int, History], done: Repaired
) -> tuple[dict[str, dict[Key, Said]], set[datetime]]:
    """Return what frames say today, by table, and when those came that can be read."""
    said: dict[str, dict[Key, Said]] = {table: {} for table in frames.SERIES}
    came = set()
    for frame in page:
        done.frames += 1
        parcel = _walk_again(owner, frame, read)
        if parcel.refusal:
            done.unreadable[parcel.refusal.reason] += 1
            continue
        came.add(frame.received_at)
        for table, rows in _rows(gather([parcel])).items():
            for row in rows:
                said[table].setdefault((row.time, row.seq), row)
    return said, came


def _rows(haul: Haul) -> dict[str, Sequence[Said]]:
    return {"level": haul.levels, "position": haul.positions, "status": haul.statuses}


def _walk_again(owner: Owner, frame: KeptFrame, read: Mapping[int, History]) -> Parcel:
    """Lead a frame along the path, as the device stood when it came."""
    unit = owner.kind == "unit"
    device = Device(
        id=owner.id,
        name=owner.name,
        kind="unit" if unit else "sensor",
        container=None if unit else frame.place,
        vehicle=frame.place if unit else None,
        gateway=None,
        client_id=None,
        secret_hash=None,
        model=frame.model,
    )
    parcel = Parcel("", frame.payload, frame.received_at, device=device)
    opened = reopen(frame.model, frame.payload, frame.port, frame.time, frame.seq)
    if isinstance(opened, Refusal):
        parcel.refusal = opened
        return parcel
    parcel.opened = opened
    family = Family(frame.model) if frame.model in Family else Family.FRAMES
    around = Surroundings("", {}, Origin("", family), read)
    return follow(KEPT_PATH, parcel, around)


def _compare(
    connection: psycopg.Connection,
    table: str,
    owner: Owner,
    said: Mapping[Key, Said],
    came: set[datetime],
    done: Repaired,
) -> _Change:
    """Return what is wrong in a series: a row is judged by the frame that it came with."""
    change = _Change()
    held, real = frames.stored(connection, table, owner, {time for time, _ in said}, came)
    there = {(row.time, row.seq): row for row in held}
    for key, row in there.items():
        if row.received_at not in came:
            continue
        again = said.get(key)
        if again is None:
            change.gone.append(row)
            done.removed += 1
        elif frames.as_stored(again, real) != row:
            change.gone.append(row)
            change.new.append(again)
            done.changed += 1
        else:
            done.right += 1
    missing = [row for key, row in said.items() if key not in there]
    done.added += len(missing)
    change.new += missing
    return change


def _apply(connection: psycopg.Connection, owner: Owner, changes: Mapping[str, _Change]) -> None:
    touched = {table: change for table, change in changes.items() if change.gone or change.new}
    for table, change in touched.items():
        frames.remove(connection, table, owner, change.gone)
    new = [row for change in touched.values() for row in change.new]
    if new:
        batch = telemetry.Batch(
            levels=[row for row in new if isinstance(row, telemetry.LevelRow)],
            positions=[row for row in new if isinstance(row, telemetry.PositionRow)],
            statuses=[row for row in new if isinstance(row, telemetry.StatusRow)],
        )
        telemetry.store(connection, batch)
    for table in touched:
        frames.renew_state(connection, table, owner)
