"""What the ingester counts, in one place, for logs and metrics."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_KINDS = 50  # a series each for whoever collects them
_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,30}")  # also a field, such as speed_mps


@dataclass
class Counters:
    """Totals since the start of the process. Each is written by one thread only.

    Attributes:
        received: messages taken from the broker, repeats included.
        stored: new rows committed.
        duplicates: records that were already stored.
        repeated_batches: batches that held such records and took the slower way.
        dead_letters: messages that could not be used, each once however often it came.
        clock_suspect: records whose device's clock cannot be right.
        batches: transactions committed.
        database_retries: attempts that failed because the database was away.
        acks_sent, acks_dropped: messages on `down/ack`, and those the line could not take.
        tours_sent: tours that the broker has taken.
        tour_answers: answers of units to tours.
        backfilled: messages fetched from a network server's storage.
        backfill_retries: attempts at that which failed.
        reasons: messages that could not be used, repeats included, by the kind of the reason.
    """

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    repeated_batches: int = 0
    dead_letters: int = 0
    clock_suspect: int = 0
    batches: int = 0
    database_retries: int = 0
    acks_sent: int = 0
    acks_dropped: int = 0
    tours_sent: int = 0
    tour_answers: int = 0
    backfilled: int = 0
    backfill_retries: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def refuse(self, reasons: Iterable[str]) -> None:
        """Count messages by why they could not be used: the word before the first colon."""
        for reason in reasons:
            word, colon, _ = reason.partition(":")
            kind = word if colon and _KIND.fullmatch(word) else "other"
            if kind not in self.reasons and len(self.reasons) >= MOST_KINDS:
                kind = "other"
            self.reasons[kind] += 1

    def snapshot(self) -> dict[str, int]:
        """Return all totals by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}
