"""How long each table is kept, and why: the one place where it is declared.

Person-linked is what tells where a crew was or what somebody did, directly or through the
roster. A table with such columns that is missing here fails a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from pydantic import ValidationError

from config.errors import DatabaseError
from config.region import Retention
from storage import kilometres, rollups, timeseries
from storage.rollups import Span
from storage.sql import queries

_SQL = queries("retention")
COMPRESS_AFTER = timedelta(days=7)
NEWS_SPAN = timedelta(days=1)  # "something is new" helps only consoles that were away briefly
CHUNKS_AHEAD = timedelta(days=7)
_PROOF_DAYS = 3 * 365  # claims of residents and of the city fall under the statute of limitations
_READINGS_DAYS = 2 * 365  # two of each season, for the forecast
_COSTS_DAYS = 2 * 365  # this year's kilometres beside those of the last
_SECURITY_DAYS = 365


@dataclass(frozen=True)
class Policy:
    """How long a table is kept.

    Attributes:
        table: its name, with its schema where that is one of its own.
        column: the time of a row.
        person_linked: whether its rows can be tied to a person.
        purpose: what it is kept for.
        days: how long, by the region's declaration.
        series: whether it is a time series, which is dropped in whole parts.
    """

    table: str
    column: str
    person_linked: bool
    purpose: str
    days: Callable[[Retention], int]
    series: bool = False

    @property
    def identifier(self) -> sql.Identifier:
        """Its name in a statement."""
        return sql.Identifier(*self.table.split("."))


def _positions(retention: Retention) -> int:
    return retention.positions_days


def _crew(retention: Retention) -> int:
    return retention.crew_days


POLICIES = (
    Policy("position", "time", True, "dispatch, proof of a tour", _positions, series=True),
    Policy("event", "time", True, "dispatch, proof of a tour", _positions, series=True),
    Policy("status", "time", True, "health of devices", _positions, series=True),
    Policy("tracker_frame", "time", True, "repair of history", _positions, series=True),
    Policy("fleet_5min", "bucket", True, "dispatch, proof of a tour", _positions),
    Policy("last_position", "time", True, "live map", _positions),
    Policy("last_event", "time", True, "live map", _positions),
    Policy("last_status", "time", True, "health of devices", _positions),
    Policy("dead_letter", "received_at", True, "repair of bad messages", _positions),
    Policy("outbox", "at", True, "delivery of news and tours", _positions),
    Policy("crew.assignment", "day", True, "questions about a tour", _crew),
    Policy("km_day", "day", True, "kilometres: costs, workshop", lambda _: _COSTS_DAYS),
    Policy("plan", "created_at", True, "proof of service", lambda _: _PROOF_DAYS),
    Policy("tour", "ends_at", True, "proof of service", lambda _: _PROOF_DAYS),
    Policy("replan", "created_at", True, "proof of service", lambda _: _PROOF_DAYS),
    Policy("audit", "at", True, "security, data protection", lambda _: _SECURITY_DAYS),
    Policy("dispatch", "day", True, "revisions sent to trucks", lambda _: _PROOF_DAYS),
    Policy("idempotency", "at", True, "requests that are repeated", lambda _: 1),
    Policy("level", "time", False, "forecast of fill levels", lambda _: _READINGS_DAYS, True),
    Policy("frame", "time", False, "repair of history", lambda _: _READINGS_DAYS, True),
    Policy("level_hour", "hour", False, "fill levels by hour", lambda _: _READINGS_DAYS),
    Policy("last_level", "time", False, "map of fill levels", lambda _: _READINGS_DAYS),
    Policy("emptying", "time", False, "forecast of fill levels", lambda _: _READINGS_DAYS),
    Policy("study", "created_at", False, "comparison of studies", lambda _: _PROOF_DAYS),
)

_DECLARED = "while the region names it"
KEPT = {
    "region": _DECLARED,
    "fraction": _DECLARED,
    "depot": _DECLARED,
    "facility": _DECLARED,
    "vehicle": _DECLARED,
    "site": _DECLARED,
    "container": _DECLARED,
    "device": _DECLARED,
    "device_assignment": "with its device; what it was on at each instant",
    "device_clock": "overwritten by the next day's messages",
    "calibration": "with its device; how its distances were read at each instant",
    "source_mark": "overwritten as messages are stored; an instant for each source",
    "belief": "overwritten by the next computation",
    "level_day": "fill levels by day, for statistics over years; no vehicle, no person",
    "rolled_up": "one row a series: what the roll-ups have seen",
    "stop": "goes with its tour",
    "unserved": "goes with its plan",
    "basis": "goes with its plan",
}
"""Tables without a span of their own, and why. Every table is either here or in `POLICIES`."""


def declared(connection: psycopg.Connection) -> Retention:
    """Return what the region in the database declares; with several, the shortest span holds."""
    try:
        rows = [
            Retention.model_validate(facts["retention"])
            for (facts,) in connection.execute(_SQL["declarations"])
        ]
    except ValidationError:
        raise DatabaseError(
            "the region in the database declares a span without its purpose; mend [retention] in "
            "its region.toml and load it again with `binround setup`"
        ) from None
    shortest = Retention(purpose="no region declares one")
    return min(rows, key=lambda one: one.positions_days, default=shortest)


def enforce(connection: psycopg.Connection, retention: Retention, now: datetime) -> dict[str, int]:
    """Remove everything older than its policy allows.

    Args:
        connection: in autocommit mode, so that each table is freed by itself.
        retention: what the region declares.
        now: the instant, by the caller's clock.

    Returns:
        Parts dropped plus rows deleted, per table.
    """
    verbs = timeseries.detect(connection)
    rolled = {roll_up.table: roll_up for roll_up in rollups.ROLL_UPS}
    removed = {}
    for policy in POLICIES:
        before = now - timedelta(days=policy.days(retention))
        if policy.series:
            removed[policy.table] = verbs.drop_old(connection, policy.table, before)
        elif policy.table in rolled:
            removed[policy.table] = verbs.drop_rolled(connection, rolled[policy.table], before)
        else:
            statement = sql.SQL(_SQL["delete_old"]).format(
                table=policy.identifier, column=sql.Identifier(policy.column)
            )
            removed[policy.table] = connection.execute(statement, [before]).rowcount
    removed["outbox"] += connection.execute(_SQL["delete_old_news"], [now - NEWS_SPAN]).rowcount
    before = now - timedelta(days=_positions(retention))
    removed["jobs"] = connection.execute(_SQL["delete_finished_jobs"], [before]).rowcount
    return removed


def upkeep(
    connection: psycopg.Connection, retention: Retention, zone: ZoneInfo, now: datetime
) -> dict[str, int]:
    """Do the daily work on time series: parts, roll-ups, compression, retention.

    Nothing is lost when it did not run for weeks: what came meanwhile is found by when it came.

    Args:
        connection: in autocommit mode.
        retention: what the region declares.
        zone: the region's, whose days count for kilometres.
        now: the instant, by the caller's clock.

    Returns:
        What `enforce` removed.
    """
    verbs = timeseries.detect(connection)
    verbs.ensure_chunks(connection, now, now + CHUNKS_AHEAD)
    roll_up(connection, retention, zone, now)
    verbs.compress(connection, now - COMPRESS_AFTER)
    return enforce(connection, retention, now)


def roll_up(
    connection: psycopg.Connection, retention: Retention, zone: ZoneInfo, now: datetime
) -> None:
    """Bring everything that is kept in short up to date; arguments as in `upkeep`."""
    verbs = timeseries.detect(connection)
    spans = {policy.table: policy.days(retention) for policy in POLICIES}
    for series in sorted({roll_up.series for roll_up in rollups.ROLL_UPS}):
        since = rollups.came_until(connection, series)
        kept = Span(
            now - timedelta(days=spans[series]), rollups.floor(now, rollups.DAY) + rollups.DAY
        )
        verbs.roll_up(connection, series, since, kept)
        if series == "position":
            changed = rollups.changed(connection, series, since, kept)
            kilometres.compute(connection, zone, changed, kept)
        rollups.note(connection, series, now)
