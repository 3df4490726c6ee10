"""The five verbs in which TimescaleDB and plain PostgreSQL differ.

Make a series, ensure its chunks, compress, roll up, drop old. Everything else, the writer and
all reads, is the same SQL on both. On TimescaleDB's Apache edition, which lacks compression and
continuous aggregates, the roll-up is the plain one and compressing does nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg
from psycopg import sql

from storage import rollups
from storage.database import Database
from storage.rollups import RollUp, Span
from storage.sql import queries

_SQL = queries("timeseries")


@dataclass(frozen=True)
class Series:
    """A table that grows with time.

    Attributes:
        table: its name; its column `time` says when.
        chunk: span of one part.
    """

    table: str
    chunk: timedelta


SERIES = (
    Series("level", timedelta(days=7)),
    Series("position", timedelta(days=1)),
    Series("event", timedelta(days=7)),
    Series("status", timedelta(days=7)),
    Series("frame", timedelta(days=7)),
    Series("tracker_frame", timedelta(days=1)),
)


class TimeSeries(Protocol):
    """What differs between servers; a connection is in autocommit mode for all but `make_all`."""

    def make_all(self, connection: psycopg.Connection) -> None:
        """Turn the empty tables of `SERIES` into time series; does nothing the second time."""
        ...

    def ensure_chunks(
        self, connection: psycopg.Connection, since: datetime, until: datetime
    ) -> None:
        """Have a part for every instant of a span."""
        ...

    def compress(self, connection: psycopg.Connection, before: datetime) -> int:
        """Compress what is older than an instant; returns the number of parts."""
        ...

    def roll_up(
        self, connection: psycopg.Connection, series: str, since: datetime, kept: Span
    ) -> None:
        """Bring the roll-ups of a series up to date with what came at or after an instant.

        Nothing outside of the span `kept`, whose readings are all there, is computed again.
        """
        ...

    def roll_up_again(self, connection: psycopg.Connection, series: str, span: Span) -> None:
        """Bring the roll-ups of a series up to date after its readings in a span were corrected."""
        ...

    def drop_rolled(self, connection: psycopg.Connection, roll_up: RollUp, before: datetime) -> int:
        """Remove the rows of a roll-up whose span ended by an instant; returns their number."""
        ...

    def drop_old(self, connection: psycopg.Connection, table: str, before: datetime) -> int:
        """Remove every row older than an instant; returns parts dropped plus rows deleted."""
        ...


class Partitions:
    """Plain PostgreSQL: range partitions, and a DEFAULT one for what fits nowhere."""

    def make_all(self, connection: psycopg.Connection) -> None:
        """Turn the empty tables of `SERIES` into partitioned ones."""
        for series in SERIES:
            if not _exists(connection, f"{series.table}_default"):
                _run(connection, "make_partitioned", **_names(series.table))
        rollups.make_tables(connection)

    def ensure_chunks(
        self, connection: psycopg.Connection, since: datetime, until: datetime
    ) -> None:
        """Have a partition for every instant of a span, and for what lies in the default one.

        Rows come to lie there when nobody made partitions ahead, or long after their time.
        """
        for series in SERIES:
            strays = {"step": series.chunk, "until": until}
            default = sql.SQL(_SQL["strays"]).format(**_names(series.table))
            starts = {start for (start,) in connection.execute(default, strays)}
            start = rollups.floor(since, series.chunk)
            while start < until:
                starts.add(start)
                start += series.chunk
            for start in sorted(starts):
                _add_partition(connection, series, start)

    def compress(self, connection: psycopg.Connection, before: datetime) -> int:
        """Do nothing: PostgreSQL compresses no rows."""
        return 0

    def roll_up(
        self, connection: psycopg.Connection, series: str, since: datetime, kept: Span
    ) -> None:
        """Compute the days again whose readings came since then."""
        _roll_up_changed(self, connection, series, since, kept)

    def roll_up_again(self, connection: psycopg.Connection, series: str, span: Span) -> None:
        """Compute all days of the span again."""
        for roll_up in rollups.of(series):
            rollups.refill(connection, roll_up, span)

    def drop_old(self, connection: psycopg.Connection, table: str, before: datetime) -> int:
        """Drop whole partitions, then delete what is left over in the others."""
        chunk = next(series.chunk for series in SERIES if series.table == table)
        dropped = 0
        for (part,) in connection.execute(_SQL["partitions"], [table]).fetchall():
            start = datetime.strptime(f"{part[-8:]}Z", "%Y%m%d%z")
            if start + chunk <= before:
                _run(connection, "drop_partition", part=sql.Identifier(part))
                dropped += 1
        return dropped + _delete(connection, table, before)

    def drop_rolled(self, connection: psycopg.Connection, roll_up: RollUp, before: datetime) -> int:
        """Delete the old rows of the table."""
        return rollups.trim(connection, roll_up, before)


class Hypertables:
    """TimescaleDB; what only its TSL edition has is left out on the Apache edition."""

    def __init__(self, *, community: bool) -> None:
        self._community = community
        self._plain = Partitions()

    def make_all(self, connection: psycopg.Connection) -> None:
        """Turn the empty tables of `SERIES` into hypertables."""
        for series in SERIES:
            connection.execute(_SQL["make_hypertable"], [series.table, series.chunk])
            if self._community:
                _run(connection, "allow_compression", table=sql.Identifier(series.table))
        if self._community:
            rollups.make_aggregates(connection)
        else:
            rollups.make_tables(connection)

    def ensure_chunks(
        self, connection: psycopg.Connection, since: datetime, until: datetime
    ) -> None:
        """Do nothing: TimescaleDB makes chunks as rows come."""

    def compress(self, connection: psycopg.Connection, before: datetime) -> int:
        """Compress whole chunks."""
        if not self._community:
            return 0
        return sum(
            _count(connection, "compress_chunks", [series.table, before]) for series in SERIES
        )

    def roll_up(
        self, connection: psycopg.Connection, series: str, since: datetime, kept: Span
    ) -> None:
        """Compute the days again whose readings came since then."""
        _roll_up_changed(self, connection, series, since, kept)

    def roll_up_again(self, connection: psycopg.Connection, series: str, span: Span) -> None:
        """Compute all days of the span again."""
        if self._community:
            for roll_up in rollups.of(series):
                rollups.refresh(connection, roll_up, span)
        else:
            self._plain.roll_up_again(connection, series, span)

    def drop_old(self, connection: psycopg.Connection, table: str, before: datetime) -> int:
        """Drop whole chunks, then delete what is left over in the others."""
        dropped = _count(connection, "drop_chunks", [table, before])
        with connection.transaction():
            if self._community:
                connection.execute(_SQL["allow_decompression"])
            return dropped + _delete(connection, table, before)

    def drop_rolled(self, connection: psycopg.Connection, roll_up: RollUp, before: datetime) -> int:
        """Drop the old rows of the aggregate."""
        if self._community:
            return rollups.trim_aggregate(connection, roll_up, before)
        return self._plain.drop_rolled(connection, roll_up, before)


def _roll_up_changed(
    verbs: TimeSeries, connection: psycopg.Connection, series: str, since: datetime, kept: Span
) -> None:
    for span in rollups.changed(connection, series, since, kept):
        verbs.roll_up_again(connection, series, span)


def load_extension(database: Database) -> None:
    """Load TimescaleDB where the server offers it.

    On a connection of its own: a server that has it installed but not preloaded ends the
    connection that asks for it.
    """
    with database.connect(autocommit=True) as connection:
        if connection.execute(_SQL["offers_timescale"]).fetchone():
            try:
                connection.execute(_SQL["load_timescale"])
            except psycopg.Error:
                return


def detect(connection: psycopg.Connection) -> TimeSeries:
    """Return the verbs for a server."""
    found = connection.execute(_SQL["edition"]).fetchone()
    return Hypertables(community=found[1] == "timescale") if found else Partitions()


def version(connection: psycopg.Connection) -> str:
    """Return the version of TimescaleDB that keeps the series; nothing for native partitions."""
    found = connection.execute(_SQL["edition"]).fetchone()
    return str(found[0]) if found else ""


def edition(connection: psycopg.Connection) -> str:
    """Name the server's TimescaleDB and its edition, or say that there is none."""
    found = connection.execute(_SQL["edition"]).fetchone()
    if not found:
        return "none (native partitions)"
    return f"{found[0]} ({'TSL' if found[1] == 'timescale' else 'Apache'} edition)"


def sizes(connection: psycopg.Connection) -> dict[str, int]:
    """Return the bytes of each hypertable with its chunks; nothing without TimescaleDB."""
    if not version(connection):
        return {}
    return dict(connection.execute(_SQL["hypertable_sizes"]).fetchall())


def _add_partition(connection: psycopg.Connection, series: Series, start: datetime) -> None:
    """Have a partition; it takes its rows over from the default one."""
    part = f"{series.table}_{start:%Y%m%d}"
    if not _exists(connection, part):
        with connection.transaction():
            _run(
                connection,
                "add_partition",
                part=sql.Identifier(part),
                start=sql.Literal(start),
                end=sql.Literal(start + series.chunk),
                **_names(series.table),
            )


def compression(connection: psycopg.Connection) -> dict[str, float]:
    """Return how many times smaller its compressed chunks became, per hypertable that has some."""
    if not version(connection):
        return {}
    return dict(connection.execute(_SQL["compression"]).fetchall())


def _names(table: str) -> dict[str, sql.Identifier]:
    return {
        "table": sql.Identifier(table),
        "shape": sql.Identifier(f"{table}_shape"),
        "default": sql.Identifier(f"{table}_default"),
    }


def _run(connection: psycopg.Connection, name: str, **parts: sql.Composable) -> None:
    connection.execute(sql.SQL(_SQL[name]).format(**parts))


def _exists(connection: psycopg.Connection, table: str) -> bool:
    return bool(_one(connection, "exists", [table]))


def _count(connection: psycopg.Connection, name: str, arguments: list[object]) -> int:
    return int(_one(connection, name, arguments) or 0)


def _one(connection: psycopg.Connection, name: str, arguments: list[object]) -> Any:
    row = connection.execute(_SQL[name], arguments).fetchone()
    return row[0] if row else None


def _delete(connection: psycopg.Connection, table: str, before: datetime) -> int:
    """Delete old rows, and those with an impossible clock that came before the instant."""
    statements = [sql.SQL(_SQL[name]) for name in ("delete_old", "delete_suspect")]
    return sum(
        connection.execute(statement.format(table=sql.Identifier(table)), [before]).rowcount
        for statement in statements
    )
