"""Messages that could not be used: kept as they came, with a reason, until they are replayed.

One that is delivered again is the same dead letter: topic and bytes name it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from storage.rows import DeadLetterRow
from storage.sql import queries

_SQL = queries("deadletters")


class DeadLetter(NamedTuple):
    """A dead letter in the database.

    Attributes:
        id: its number.
        received_at: when it came for the first time.
        topic: where it was said; `row/TABLE` for a record that the database refused.
        payload: the bytes.
        reason: why it could not be used.
        repeats: how often it came again.
        source: the region's source that it came from; empty for our own broker.
        family: what that source's messages are written in.
    """

    id: int
    received_at: datetime
    topic: str
    payload: bytes
    reason: str
    repeats: int
    source: str
    family: str


def bury(connection: psycopg.Connection, letters: Sequence[DeadLetterRow]) -> int:
    """Keep dead letters; returns how many of them are new."""
    if not letters:
        return 0
    columns = [list(column) for column in zip(*map(_harmless, letters), strict=True)]
    return sum(new for _, new in connection.execute(_SQL["bury"], columns))


def newest(connection: psycopg.Connection, limit: int, reason: str = "") -> list[DeadLetter]:
    """Return the newest dead letters, or those whose reason holds a text."""
    return [DeadLetter._make(row) for row in connection.execute(_SQL["list"], [reason, limit])]


def get(connection: psycopg.Connection, number: int) -> DeadLetter | None:
    """Return one dead letter."""
    row = connection.execute(_SQL["get"], [number]).fetchone()
    return DeadLetter._make(row) if row else None


def all_ids(connection: psycopg.Connection) -> list[int]:
    """Return the numbers of all dead letters, oldest first."""
    return [number for (number,) in connection.execute(_SQL["ids"])]


def lock(connection: psycopg.Connection, numbers: Sequence[int]) -> list[DeadLetter]:
    """Return those that still exist and hold them until the transaction ends."""
    rows = connection.execute(_SQL["lock"], [list(numbers)])
    return [DeadLetter._make(row) for row in rows]


def remove(connection: psycopg.Connection, number: int) -> None:
    """Forget one whose message is stored now."""
    connection.execute(_SQL["remove"], [number])


def explain(connection: psycopg.Connection, number: int, reason: str) -> None:
    """Note why one cannot be used."""
    connection.execute(_SQL["explain"], [reason, number])


def by_reason(connection: psycopg.Connection) -> dict[str, int]:
    """Count dead letters by the first word of their reason, up to its colon."""
    return dict(connection.execute(_SQL["by_reason"]).fetchall())


def _harmless(letter: DeadLetterRow) -> DeadLetterRow:
    """Replace what a text column cannot hold; the payload keeps the bytes."""
    topic, reason = (
        text.encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
        for text in (letter.topic, letter.reason)
    )
    return letter._replace(topic=topic, reason=reason)
