"""What is known for certain about sources whose brokers forget: up to when all is stored."""

from datetime import datetime

import psycopg

from storage.sql import queries

_SQL = queries("sources")


def mark(connection: psycopg.Connection, source: str) -> datetime | None:
    """Return up to when all messages of a source are stored; None if that was never known."""
    row = connection.execute(_SQL["mark"], [source]).fetchone()
    return row[0] if row else None


def move_mark(connection: psycopg.Connection, source: str, until: datetime) -> None:
    """Note up to when all messages of a source are stored."""
    connection.execute(_SQL["move_mark"], [source, until])
