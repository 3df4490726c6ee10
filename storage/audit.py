"""Who did what, and who looked at what: every change by a person, every look at history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from storage.sql import queries

_SQL = queries("audit")


class Entry(NamedTuple):
    """One act of a person or of a part of the system."""

    at: datetime
    who: str
    action: str
    object: str
    detail: Mapping[str, Any]


def record(
    connection: psycopg.Connection,
    who: str,
    action: str,
    object_: str,
    *,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry; it stands or falls with the caller's transaction."""
    connection.execute(_SQL["record"], [at, who, action, object_, Jsonb(dict(detail or {}))])


def is_kept(connection: psycopg.Connection) -> bool:
    """Whether the schema has an audit."""
    row = connection.execute(_SQL["is_kept"]).fetchone()
    return bool(row and row[0])


def entries(connection: psycopg.Connection, limit: int = 100) -> list[Entry]:
    """Return the newest entries."""
    return [Entry._make(row) for row in connection.execute(_SQL["entries"], [limit])]
