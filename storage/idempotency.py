"""Requests that may be repeated: the same key asks for the same job, for a day."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg

from storage.sql import queries

LIVES = timedelta(days=1)
_SQL = queries("idempotency")


def once(
    connection: psycopg.Connection,
    who: str,
    key: str,
    body: str,
    make: Callable[[], int],
    *,
    at: datetime,
) -> int | None:
    """Return the job that a key stands for, making it the first time.

    Requests with the same key wait for each other, so that one job is made however many ask at
    the same time.

    Args:
        connection: with the transaction that the job is made in.
        who: the asker; the same key of another is another key.
        key: what the asker chose.
        body: what is asked for.
        make: makes the job in the same transaction and returns its id.
        at: the instant.

    Returns:
        The job's id; None when the key was used for something else.
    """
    name, content = _digest(who, key), _digest(body)
    with connection.transaction():
        connection.execute(_SQL["lock"], [name])
        connection.execute(_SQL["forget"], [at - LIVES])
        if known := connection.execute(_SQL["find"], [name]).fetchone():
            return int(known[1]) if known[0] == content else None
        job = make()
        connection.execute(_SQL["remember"], [name, content, job, at])
        return job


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
