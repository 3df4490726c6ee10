"""What is kept that can be tied to a person, and who looked at it.

A read of position history stands here and nowhere else, because it writes itself into the audit.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Self

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from config.region import Retention
from storage import audit, columns
from storage.retention import POLICIES
from storage.rows import PositionRow
from storage.sql import queries

_SQL = queries("privacy")
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_GRACE = timedelta(days=1)  # the rules are applied once a day


class Kept(NamedTuple):
    """A table, or another place, with rows that can be tied to a person.

    Attributes:
        table: its name.
        purpose: what it is kept for.
        days: how long a row may be kept.
        rows: how many there are.
        oldest: the oldest row.
        overdue: whether that should have been removed by now.
    """

    table: str
    purpose: str
    days: int
    rows: int
    oldest: datetime | None
    overdue: bool

    @classmethod
    def judged(
        cls, table: str, purpose: str, days: int, rows: int, oldest: datetime | None, now: datetime
    ) -> Self:
        """Return what is kept, with whether the oldest should be gone."""
        overdue = oldest is not None and oldest < now - timedelta(days=days) - _GRACE
        return cls(table, purpose, days, rows, oldest, overdue)


class Looks(NamedTuple):
    """How often somebody looked at something that can be tied to a person."""

    who: str
    action: str
    times: int
    last: datetime


def report(connection: psycopg.Connection, retention: Retention, now: datetime) -> list[Kept]:
    """Return every person-linked table with its rule and what it holds.

    Args:
        connection: where the tables are.
        retention: what the region declares.
        now: the instant, by the caller's clock.
    """
    found = []
    for policy in (policy for policy in POLICIES if policy.person_linked):
        statement = sql.SQL(_SQL["kept_series" if policy.series else "kept"]).format(
            table=policy.identifier, column=sql.Identifier(policy.column)
        )
        rows, oldest = connection.execute(statement).fetchone() or (0, None)
        rule = (policy.table, policy.purpose, policy.days(retention))
        found.append(Kept.judged(*rule, rows, oldest, now))
    return found


def looks(connection: psycopg.Connection) -> list[Looks]:
    """Return who looked at what, how often, and when the last time, newest first."""
    return [Looks._make(row) for row in connection.execute(_SQL["looks"], [])]


def positions(
    connection: psycopg.Connection,
    vehicle: str,
    since: datetime,
    until: datetime,
    *,
    who: str,
    at: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int = 1000,
) -> list[PositionRow]:
    """Return where a vehicle was in a span, in the order of its clock; that is audited.

    Args:
        connection: the look and its entry in the audit are one transaction on it.
        vehicle: which one.
        since: begin of the span.
        until: its end, not included.
        who: looks.
        at: the instant of looking, by the caller's clock.
        after: (time, seq) of the last row of the page before.
        limit: rows at most.
    """
    span = {"since": since.isoformat(), "until": until.isoformat()}
    audit.record(connection, who, "look-at-positions", f"vehicle/{vehicle}", at=at, detail=span)
    after_time, after_seq = after or (_BEGINNING, -1)
    asked = {
        "vehicle": vehicle,
        "since": since,
        "until": until,
        "after_time": after_time,
        "after_seq": after_seq,
        "limit": limit,
    }
    return [
        PositionRow._make(row) for row in connection.execute(_SQL["positions"], asked).fetchall()
    ]


@dataclass(frozen=True, eq=False)
class Track:
    """Where a vehicle was, in the order of its clock.

    Attributes:
        time: (n,) instants in UTC, `datetime64[us]`.
        lon: (n,) degrees.
        lat: (n,) degrees.
        speed_mps: (n,) as the unit stated it; NaN where it did not.
    """

    time: NDArray[np.datetime64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    speed_mps: NDArray[np.float64]


def track(
    connection: psycopg.Connection,
    vehicle: str,
    since: datetime,
    until: datetime,
    *,
    who: str,
    at: datetime,
) -> Track:
    """Return a vehicle's whole way in a span, as arrays; that is audited as `positions` is."""
    span = {"since": since.isoformat(), "until": until.isoformat()}
    audit.record(connection, who, "look-at-positions", f"vehicle/{vehicle}", at=at, detail=span)
    asked = {"vehicle": vehicle, "since": since, "until": until}
    with connection.cursor(binary=True) as cursor:
        time, *numbers = cursor.execute(_SQL["track"], asked).fetchone() or [None] * 4
    return Track(columns.instants(time), *map(columns.numbers, numbers))


def fleet_at(
    connection: psycopg.Connection,
    instant: datetime,
    *,
    who: str,
    at: datetime,
    within: timedelta = timedelta(minutes=15),
) -> dict[str, PositionRow]:
    """Return each vehicle's newest position at an instant; that is audited.

    Args:
        connection: the look and its entry in the audit are one transaction on it.
        instant: the moment that is looked at.
        who: looks.
        at: the instant of looking, by the caller's clock.
        within: vehicles that had been silent for longer are left out.
    """
    seen = {"instant": instant.isoformat()}
    audit.record(connection, who, "look-at-fleet", "fleet", at=at, detail=seen)
    asked = {"instant": instant, "oldest": instant - within}
    rows = map(PositionRow._make, connection.execute(_SQL["fleet_at"], asked).fetchall())
    return {row.vehicle: row for row in rows}


class Kilometres(NamedTuple):
    """What a vehicle drove on a day of the region's zone.

    Attributes:
        vehicle: which one.
        day: the day.
        km: along its fixes.
        fixes: their number.
        jumps: fixes or ways left out, because nothing drives that fast.
        gaps: silences of more than five minutes, bridged by a straight line.
    """

    vehicle: str
    day: date
    km: float
    fixes: int
    jumps: int
    gaps: int


def kilometres(
    connection: psycopg.Connection, vehicle: str, first: date, last: date, *, who: str, at: datetime
) -> list[Kilometres]:
    """Return what a vehicle drove on each day from the first to the last; that is audited."""
    days = {"first": first.isoformat(), "last": last.isoformat()}
    audit.record(connection, who, "look-at-kilometres", f"vehicle/{vehicle}", at=at, detail=days)
    rows = connection.execute(_SQL["kilometres"], [vehicle, first, last])
    return [Kilometres._make(row) for row in rows]
