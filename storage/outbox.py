"""News, written in the same transaction as the change that they announce.

The only place that notifies: channel `binround_outbox`, the payload is the id of the newest
row. A listener that was away asks for everything after the last id it saw.

Ids are handed out before commits, so a smaller id could become visible after a greater one was
read. `append` therefore lets one transaction after another write its row (a lock held until
the commit), and rows become visible in the order of their ids.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from storage.sql import queries

CHANNEL = "binround_outbox"
_LOCK = 0x6F757462  # "outb"
_SQL = queries("outbox")


class Kind(StrEnum):
    """What a row is about."""

    TELEMETRY = "telemetry"  # new readings; key empty, payload: rows per table
    PLAN = "plan"  # a plan was stored or changed its state; key: its id
    TOUR = "tour"  # a tour to be sent; key: the vehicle, payload as in `messages.TourDown`
    ACK = "ack"  # a unit took or refused a tour; key: the tour


class News(NamedTuple):
    """A row of the outbox."""

    id: int
    at: datetime
    kind: str
    key: str
    payload: Mapping[str, Any]


def append(
    connection: psycopg.Connection,
    kind: Kind,
    key: str,
    payload: Mapping[str, Any],
    *,
    at: datetime,
) -> int:
    """Add a row to the open transaction, and wake listeners when it commits.

    Args:
        connection: with the transaction of the change.
        kind: what it is about.
        key: which one.
        payload: what a receiver needs to know; goes to JSON.
        at: the instant, by the caller's clock.

    Returns:
        Its id.
    """
    row = connection.execute(
        _SQL["append"],
        {
            "lock": _LOCK,
            "at": at,
            "kind": kind,
            "key": key,
            "payload": Jsonb(payload),
            "channel": CHANNEL,
        },
    ).fetchone()
    return int(row[0]) if row else 0


def after(
    connection: psycopg.Connection, last: int, limit: int = 1000, kind: Kind | None = None
) -> list[News]:
    """Return the rows after an id, oldest first; of one kind, or of all."""
    rows = connection.execute(
        _SQL["after"], {"last": last, "limit": limit, "kind": kind}
    ).fetchall()
    return [News._make(row) for row in rows]


def newest(connection: psycopg.Connection) -> int:
    """Return the id of the newest row; 0 when there is none."""
    row = connection.execute(_SQL["newest"]).fetchone()
    return int(row[0]) if row else 0


def newest_tours(connection: psycopg.Connection) -> list[News]:
    """Return the newest tour row of each vehicle: what a broker has to hold retained."""
    return [News._make(row) for row in connection.execute(_SQL["newest_tours"]).fetchall()]


def listen(connection: psycopg.Connection) -> None:
    """Let a connection in autocommit mode receive the news; read its `notifies()`."""
    connection.execute(_SQL["listen"])
