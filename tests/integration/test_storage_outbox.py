import threading
from datetime import UTC, datetime

import psycopg
import pytest

from storage import outbox
from storage.database import Database
from storage.outbox import Kind

pytestmark = pytest.mark.db
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def _append(connection: psycopg.Connection, key: str, kind: Kind = Kind.PLAN) -> int:
    return outbox.append(connection, kind, key, {"n": key}, at=NOW)


def test_listeners_hear_the_newest_id(database: Database) -> None:
    """A commit wakes listeners with the id of the row; a rollback does not."""
    with database.connect(autocommit=True) as ear, database.connect(autocommit=True) as mouth:
        outbox.listen(ear)
        with mouth.transaction(force_rollback=True):
            _append(mouth, "never")
        number = _append(mouth, "p1")
        heard = [(note.channel, note.payload) for note in ear.notifies(timeout=5, stop_after=1)]
        assert heard == [(outbox.CHANNEL, str(number))]
        assert outbox.newest(mouth) == number


def test_who_was_away_catches_up(database: Database) -> None:
    """Everything after the last id that was seen, oldest first, in pages."""
    with database.connect(autocommit=True) as connection:
        numbers = [_append(connection, f"p{n}") for n in range(5)]
        page = outbox.after(connection, numbers[1], limit=2)
        assert [news.id for news in page] == numbers[2:4]
        assert page[0] == outbox.News(numbers[2], NOW, "plan", "p2", {"n": "p2"})
        assert outbox.after(connection, 0, kind=Kind.TOUR) == []


def test_the_newest_tour_of_each_vehicle_is_known(database: Database) -> None:
    """A broker that lost everything can be given what it has to hold retained."""
    with database.connect(autocommit=True) as connection:
        for key in ("truck-1", "truck-2", "truck-1"):
            last = _append(connection, key, Kind.TOUR)
        assert [(news.key, news.id) for news in outbox.newest_tours(connection)] == [
            ("truck-1", last),
            ("truck-2", last - 1),
        ]


def test_ids_appear_in_their_order(database: Database) -> None:
    """A reader that has seen an id never misses a smaller one that is committed later.

    The second writer waits for the first to commit, so no smaller id can appear afterwards.
    """
    with database.connect() as slow, database.connect() as quick:
        first = _append_and_keep_open(slow)
        second: list[int] = []

        def write() -> None:
            with quick.transaction():
                second.append(_append(quick, "quick"))

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.3)
        with database.connect() as reader:
            assert outbox.newest(reader) == 0
        slow.commit()
        writer.join(10)
        assert second == [first + 1]


def _append_and_keep_open(connection: psycopg.Connection) -> int:
    connection.execute("SELECT 1")  # opens the transaction that the row becomes part of
    return _append(connection, "slow")
