"""What vehicles drove, by day of the region's zone: a roll-up of our own on every server.

It needs the way between successive fixes, a window function, which no continuous aggregate takes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from config.earth import RADIUS_M
from storage.rollups import Span
from storage.sql import queries

_SQL = queries("kilometres")
_LONGEST_GAP = timedelta(hours=1)  # after a longer silence nobody knows what was driven
_RULES: dict[str, Any] = {
    "longest_gap": _LONGEST_GAP,
    "silence_s": 300,
    "fastest_mps": 40.0,  # 144 km/h, far above what a truck drives
    "accuracy_m": 100.0,  # what is less exact is no fix
    "walking_mps": 1.0,
    "trembling_m": 50.0,
    "radius_m": RADIUS_M,
}


def compute(
    connection: psycopg.Connection, zone: ZoneInfo, changed: Iterable[Span], kept: Span
) -> None:
    """Compute the days again that changed; each in a transaction of its own.

    Args:
        connection: in autocommit mode, or the caller's transaction.
        zone: the region's; a day begins at its midnight.
        changed: spans in which positions came, changed or went.
        kept: only days that begin in it, because of older ones not all positions are left.
    """
    parts = {name: sql.SQL(_SQL[name]) for name in ("line", "previous", "duration_s", "way_m")}
    statement = sql.SQL(_SQL["compute"]).format(**parts)
    for day in sorted({day for span in changed for day in _days(span, zone)}):
        since, until = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        if since >= kept.since:
            with connection.transaction():
                connection.execute(_SQL["forget"], {"day": day})
                bounds = {"day": day, "since": since, "until": until}
                connection.execute(statement, {**_RULES, **bounds})


def _days(span: Span, zone: ZoneInfo) -> Iterator[date]:
    """Yield the days of a span, and the one that a way which begins in it may end on."""
    day = span.since.astimezone(zone).date()
    last = (span.until + _LONGEST_GAP).astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
