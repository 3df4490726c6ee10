"""What tables hold, in one number each: equal numbers mean equal rows."""

from typing import NamedTuple

import psycopg
from psycopg import sql

from storage.sql import queries

_SQL = queries("backup")


class Content(NamedTuple):
    """What a table holds.

    Attributes:
        rows: their number.
        checksum: sum over all rows of a hash of their text, whatever their order.
    """

    rows: int
    checksum: str


def tables(connection: psycopg.Connection) -> list[str]:
    """Return all tables of the schema; a time series counts as one."""
    return [name for (name,) in connection.execute(_SQL["tables"])]


def contents(connection: psycopg.Connection) -> dict[str, Content]:
    """Return what every table holds. Reads everything once: some seconds per million rows."""
    found = {}
    for name in tables(connection):
        statement = sql.SQL(_SQL["checksum"]).format(table=sql.Identifier(name))
        row = connection.execute(statement).fetchone()
        found[name] = Content(*(row or (0, "0")))
    return found
