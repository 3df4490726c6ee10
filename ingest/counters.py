"""What the ingester counts, in one place, for logs and metrics."""

from dataclasses import asdict, dataclass


@dataclass
class Counters:
    """Totals since the start of the process. Each is written by one thread only.

    Attributes:
        received: messages taken from the broker, repeats included.
        stored: new rows committed.
        duplicates: records that were already stored.
        repeated_batches: batches that held such records and took the slower way.
        dead_letters: messages that could not be used.
        clock_suspect: records whose device's clock cannot be right.
        batches: transactions committed.
        database_retries: attempts that failed because the database was away.
        acks_sent, acks_dropped: messages on `down/ack`, and those the line could not take.
        tours_sent: tours that the broker has taken.
        tour_answers: answers of units to tours.
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

    def snapshot(self) -> dict[str, int]:
        """Return all totals by name."""
        return asdict(self)
