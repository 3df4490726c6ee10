"""Time series in short: fill levels by hour and by day, the fleet by five minutes.

The rows of a roll-up come from one SELECT a series, the same on every server. TimescaleDB's TSL
edition keeps them as continuous aggregates, elsewhere they are tables. The days to compute again
are those of the readings that came since the last time, however late they were.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg import sql

from storage.sql import queries

_SQL = queries("rollups")
EPOCH = datetime(2001, 1, 1, tzinfo=UTC)  # a Monday, so that weeks begin on Mondays
DAY = timedelta(days=1)
_ALL = sql.SQL("")
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_SLACK = timedelta(days=1)  # a batch may wait that long for its commit after its messages came


@dataclass(frozen=True)
class RollUp:
    """What is kept of a series in short; a row for each key and step with readings.

    Attributes:
        table: its name.
        series: the table that it sums up.
        key: whose readings a row sums up.
        start: the column with the begin of a row's span.
        step: that span; a divisor of a day, counted in UTC.
    """

    table: str
    series: str
    key: str
    start: str
    step: timedelta


ROLL_UPS = (
    RollUp("level_hour", "level", "container", "hour", timedelta(hours=1)),
    RollUp("level_day", "level", "container", "day", DAY),
    RollUp("fleet_5min", "position", "vehicle", "bucket", timedelta(minutes=5)),
)


class Span(NamedTuple):
    """From an instant until before another."""

    since: datetime
    until: datetime


def of(series: str) -> list[RollUp]:
    """Return the roll-ups of a series."""
    return [roll_up for roll_up in ROLL_UPS if roll_up.series == series]


def floor(instant: datetime, step: timedelta) -> datetime:
    """Return when the step of an instant began, in UTC."""
    return instant - (instant - EPOCH) % step


def came_until(connection: psycopg.Connection, series: str) -> datetime:
    """Return since when readings of a series may have come that no roll-up has seen."""
    row = connection.execute(_SQL["came_until"], [series]).fetchone()
    return row[0] - _SLACK if row else _BEGINNING


def note(connection: psycopg.Connection, series: str, now: datetime) -> None:
    """Keep in mind that the roll-ups have seen what came before an instant."""
    connection.execute(_SQL["note"], [series, now])


def see_again(connection: psycopg.Connection, series: str, since: datetime) -> None:
    """Have the next roll-up of a series look again at what came at or after an instant."""
    connection.execute(_SQL["see_again"], [since, series])


def changed(connection: psycopg.Connection, series: str, since: datetime, kept: Span) -> list[Span]:
    """Return the days, in UTC and joined to spans, whose readings came since an instant.

    Args:
        connection: only read from.
        series: the table.
        since: what came at or after it counts.
        kept: only days that begin in it, because of older ones not all readings are left.
    """
    statement = sql.SQL(_SQL["changed_days"]).format(series=sql.Identifier(series))
    spans: list[Span] = []
    for (day,) in connection.execute(statement, {"came": since, **kept._asdict()}):
        if day < kept.since:
            continue
        if spans and spans[-1].until == day:
            spans[-1] = Span(spans[-1].since, day + DAY)
        else:
            spans.append(Span(day, day + DAY))
    return spans


def make_tables(connection: psycopg.Connection) -> None:
    """Have a table for each roll-up."""
    for roll_up in ROLL_UPS:
        (exists,) = connection.execute(_SQL["exists"], [roll_up.table]).fetchone() or (False,)
        if not exists:
            _run(connection, "make_table", roll_up, rows=_rows(roll_up, "date_bin"))


def refill(connection: psycopg.Connection, roll_up: RollUp, span: Span) -> None:
    """Compute a span of a table again from the readings that are there."""
    bounds = {"since": sql.Literal(span.since), "until": sql.Literal(span.until)}
    rows = _rows(roll_up, "date_bin", sql.SQL(_SQL["within"]).format(**bounds))
    with connection.transaction():
        _run(connection, "refill", roll_up, rows=rows, **bounds)


def trim(connection: psycopg.Connection, roll_up: RollUp, before: datetime) -> int:
    """Delete a table's rows whose span ended by an instant; returns their number."""
    begin = sql.Literal(floor(before, roll_up.step))
    return _run(connection, "delete_old", roll_up, before=begin)


def make_aggregates(connection: psycopg.Connection) -> None:
    """Have a continuous aggregate for each roll-up."""
    for roll_up in ROLL_UPS:
        _run(connection, "make_aggregate", roll_up, rows=_rows(roll_up, "time_bucket"))


def refresh(connection: psycopg.Connection, roll_up: RollUp, span: Span) -> None:
    """Compute a span of a continuous aggregate again from the readings that are there."""
    connection.execute(_SQL["refresh"], [roll_up.table, *span])


def trim_aggregate(connection: psycopg.Connection, roll_up: RollUp, before: datetime) -> int:
    """Drop an aggregate's rows whose span ended by an instant; returns their number."""
    begin = floor(before, roll_up.step)
    count = sql.SQL(_SQL["count_old"]).format(**_names(roll_up), before=sql.Literal(begin))
    (old,) = connection.execute(count).fetchone() or (0,)
    if old:
        connection.execute(_SQL["drop_parts"], [roll_up.table, begin])
        connection.execute(_SQL["refresh_dropped"], [roll_up.table, begin])
    return int(old)


def _rows(roll_up: RollUp, way: str, span: sql.Composable = _ALL) -> sql.Composed:
    bucket = sql.SQL(_SQL[way]).format(step=sql.Literal(roll_up.step))
    return sql.SQL(_SQL[roll_up.series]).format(
        start=sql.Identifier(roll_up.start), bucket=bucket, span=span
    )


def _run(
    connection: psycopg.Connection, name: str, roll_up: RollUp, **parts: sql.Composable
) -> int:
    statement = sql.SQL(_SQL[name]).format(**_names(roll_up), **parts)
    return connection.execute(statement).rowcount


def _names(roll_up: RollUp) -> dict[str, sql.Composable]:
    names = {"table": roll_up.table, "key": roll_up.key, "start": roll_up.start}
    return {part: sql.Identifier(name) for part, name in names.items()}
