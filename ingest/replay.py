"""Dead letters walk the path again, with the decoders and the registry of today."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from config.source import Family, Origin
from ingest.keep import keep
from ingest.rows import gather
from ingest.steps import Surroundings, walk
from storage import deadletters
from storage.deadletters import DeadLetter


@dataclass(frozen=True)
class Replayed:
    """What became of dead letters.

    Attributes:
        stored: letters whose message is stored now; they are no longer dead letters.
        rows: records that were new among what they said; the others were there already.
        kept: letters that still cannot be used.
    """

    stored: int = 0
    rows: int = 0
    kept: int = 0


def replay(
    connection: psycopg.Connection,
    numbers: Sequence[int],
    around: Callable[[Origin], Surroundings],
) -> Replayed:
    """Lead dead letters along the path again, in one transaction; again changes nothing.

    A letter goes only together with what it said being stored; one that still cannot be used
    stays, with the reason of today.

    Args:
        connection: where they are.
        numbers: which ones; those that no longer exist are left out.
        around: what the steps are handed with letters of an origin.
    """
    stored, rows, kept = 0, 0, 0
    with connection.transaction():
        for letter in deadletters.lock(connection, numbers):
            origin = Origin(letter.source, Family(letter.family))
            new, problem = _try(connection, letter, around(origin))
            if problem:
                deadletters.explain(connection, letter.id, problem)
                kept += 1
            else:
                deadletters.remove(connection, letter.id)
                stored, rows = stored + 1, rows + new
    return Replayed(stored, rows, kept)


def _try(
    connection: psycopg.Connection, letter: DeadLetter, around: Surroundings
) -> tuple[int, str]:
    """Store what a letter says; returns the number of new rows, and what stands in the way."""
    parcel = walk(letter.topic, letter.payload, letter.received_at, around)
    if parcel.refusal:
        return 0, parcel.refusal.reason
    try:
        with connection.transaction() as attempt:
            stored = keep(connection, gather([parcel], around.origin))
            if stored.refused:
                raise psycopg.Rollback(attempt)
    except psycopg.DataError as error:
        return 0, f"database: {' '.join(str(error).split())}"[:300]
    if stored.refused:
        return 0, "database: it refuses a record of this message"
    return sum(stored.counts.values()), ""
