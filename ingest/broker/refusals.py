"""What the embedded broker refused, counted from its log: a device never hears of most of it."""

import os
from collections import Counter
from pathlib import Path
from typing import BinaryIO

# What NATS writes, and what we call it.
WORDS = {
    "Publish Violation": "publish",
    "Subscription Violation": "subscribe",
    "authentication error - User": "login",
    "maximum payload exceeded": "oversize",
    "invalid character in client ID": "client-id",
    "Replacing old client": "takeover",
}
_BYTES = tuple((said.encode(), kind) for said, kind in WORDS.items())


class Refusals:
    """Counts the lines of a log that say that somebody was refused or thrown off.

    `takeover` also counts a device that came back before its old connection was noticed dead;
    with a guessed client id nobody is thrown off, because client ids are secrets.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._place = (0, 0)  # the file's number, and how far it was read
        self._counts = Counter(dict.fromkeys(WORDS.values(), 0))

    def counts(self) -> dict[str, int]:
        """Return the totals by kind, after reading what is new in the log."""
        try:
            with self._log.open("rb") as log:
                self._read(log)
        except FileNotFoundError:  # the broker is not ours, or not there yet
            pass
        return dict(self._counts)

    def _read(self, log: BinaryIO) -> None:
        status, (number, place) = os.fstat(log.fileno()), self._place
        # The broker begins a new file at its start and when the old one has grown.
        log.seek(place if number == status.st_ino and place <= status.st_size else 0)
        *lines, rest = log.read().split(b"\n")
        self._place = (status.st_ino, log.tell() - len(rest))
        for line in lines:
            kind = next((kind for said, kind in _BYTES if said in line), None)
            if kind:
                self._counts[kind] += 1
