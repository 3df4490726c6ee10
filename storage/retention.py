"""How long each table is kept, and why: the one place where it is declared.

Person-linked is what tells where a crew was or what somebody did, directly or through the
roster. A table with such columns that is missing here fails a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from pydantic import ValidationError

from config.errors import DatabaseError
from config.region import Retention
from storage import timeseries
from storage.sql import queries

_SQL = queries("retention")
ROLL_UP_SPAN = timedelta(days=8)  # readings may come that late and still count in their day
COMPRESS_AFTER = timedelta(days=7)
NEWS_SPAN = timedelta(days=1)  # "something is new" helps only consoles that were away briefly
CHUNKS_AHEAD = timedelta(days=7)
_PROOF_DAYS = 3 * 365  # claims of residents and of the city fall under the statute of limitations
_READINGS_DAYS = 2 * 365  # two of each season, for the forecast
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
    Policy("last_position", "time", True, "live map", _positions),
    Policy("last_event", "time", True, "live map", _positions),
    Policy("last_status", "time", True, "health of devices", _positions),
    Policy("dead_letter", "received_at", True, "repair of bad messages", _positions),
    Policy("outbox", "at", True, "delivery of news and tours", _positions),
    Policy("crew.assignment", "day", True, "questions about a tour", _crew),
    Policy("plan", "created_at", True, "proof of service", lambda _: _PROOF_DAYS),
    Policy("tour", "ends_at", True, "proof of service", lambda _: _PROOF_DAYS),
    Policy("audit", "at", True, "security, data protection", lambda _: _SECURITY_DAYS),
    Policy("dispatch", "day", True, "revisions sent to trucks", lambda _: _PROOF_DAYS),
    Policy("idempotency", "at", True, "requests that are repeated", lambda _: 1),
    Policy("level", "time", False, "forecast of fill levels", lambda _: _READINGS_DAYS, True),
    Policy("frame", "time", False, "repair of history", lambda _: _READINGS_DAYS, True),
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
    "device_clock": "overwritten by the next day's messages",
    "calibration": "with its device; how its distances were read at each instant",
    "source_mark": "overwritten as messages are stored; an instant for each source",
    "belief": "overwritten by the next computation",
    "level_day": "fill levels by day, for statistics over years; no vehicle, no person",
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
    removed = {}
    for policy in POLICIES:
        before = now - timedelta(days=policy.days(retention))
        if policy.series:
            removed[policy.table] = verbs.drop_old(connection, policy.table, before)
        else:
            statement = sql.SQL(_SQL["delete_old"]).format(
                table=policy.identifier, column=sql.Identifier(policy.column)
            )
            removed[policy.table] = connection.execute(statement, [before]).rowcount
    removed["outbox"] += connection.execute(_SQL["delete_old_news"], [now - NEWS_SPAN]).rowcount
    before = now - timedelta(days=_positions(retention))
    removed["jobs"] = connection.execute(_SQL["delete_finished_jobs"], [before]).rowcount
    return removed


def upkeep(connection: psycopg.Connection, retention: Retention, now: datetime) -> dict[str, int]:
    """Do the daily work on time series: parts ahead, roll-up, compression, retention.

    Args:
        connection: in autocommit mode.
        retention: what the region declares.
        now: the instant, by the caller's clock.

    Returns:
        What `enforce` removed.
    """
    verbs = timeseries.detect(connection)
    verbs.ensure_chunks(connection, now - ROLL_UP_SPAN, now + CHUNKS_AHEAD)
    verbs.roll_up(connection, now - ROLL_UP_SPAN, now)
    verbs.compress(connection, now - COMPRESS_AFTER)
    return enforce(connection, retention, now)
