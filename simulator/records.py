"""What a truck unit remembers over a restart: its records until they are known to be stored."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ingest.messages import Ack, Kind

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    boot INTEGER, seq INTEGER, kind TEXT, payload BLOB, PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answered (
    tour TEXT, revision INTEGER, PRIMARY KEY (tour, revision)
) WITHOUT ROWID;
"""


class Key(NamedTuple):
    """Names a record of a unit, as `down/ack` does."""

    boot: int
    seq: int


class Record(NamedTuple):
    """A message that waits to be stored."""

    key: Key
    kind: Kind
    payload: bytes


class Records:
    """A unit's records on disk, in the order in which they were made.

    `seq` goes on over restarts, so that (time, seq) stays unique even when the clock jumps
    back; `boot` counts the starts. Not for use by several threads at once.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self.boot = self._counter("boot") + 1
        self.next_seq = self._counter("seq")
        self.mark = self._counter("mark")
        self._pending = int(self._db.execute("SELECT count(*) FROM record").fetchone()[0])
        self._save_counters()
        self._db.commit()

    def __len__(self) -> int:
        """Return how many records are not known to be stored."""
        return self._pending

    def append(self, records: Sequence[Record], mark: int | None = None) -> None:
        """Keep records that were numbered from `next_seq` on.

        Args:
            records: what to keep.
            mark: how far their maker has come; kept in the same transaction, so that after a
                sudden end it neither repeats nor leaves out anything.
        """
        rows = [(*record.key, record.kind.value, record.payload) for record in records]
        self._db.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", rows)
        self.next_seq += len(rows)
        self._pending += len(rows)
        self.mark = self.mark if mark is None else mark
        self._save_counters()
        self._db.commit()

    def after(self, key: Key, limit: int) -> list[Record]:
        """Return the records that follow a key."""
        rows = self._db.execute(
            "SELECT boot, seq, kind, payload FROM record WHERE (boot, seq) > (?, ?)"
            " ORDER BY boot, seq LIMIT ?",
            (*key, limit),
        )
        return [Record(Key(boot, seq), Kind(kind), load) for boot, seq, kind, load in rows]

    def drop(self, ack: Ack) -> int:
        """Forget the records that an ack covers; return how many there were."""
        dropped = self._db.executemany(
            "DELETE FROM record WHERE boot = ? AND seq BETWEEN ? AND ?",
            [(ack.boot, first, last) for first, last in ack.ranges],
        ).rowcount
        self._db.commit()
        self._pending -= dropped
        return dropped

    def answered(self, tour: str, revision: int) -> bool:
        """Whether a revision of a tour was answered before."""
        found = self._db.execute(
            "SELECT 1 FROM answered WHERE tour = ? AND revision = ?", (tour, revision)
        )
        return found.fetchone() is not None

    def answer(self, tour: str, revision: int) -> None:
        """Remember that a revision of a tour was answered."""
        self._db.execute("INSERT OR IGNORE INTO answered VALUES (?, ?)", (tour, revision))
        self._db.commit()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _counter(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def _save_counters(self) -> None:
        counters = (("boot", self.boot), ("seq", self.next_seq), ("mark", self.mark))
        self._db.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", counters)
