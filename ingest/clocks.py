"""What messages tell of their devices' clocks, collected between two looks at the database."""

import time
from collections.abc import Callable, Iterable

from ingest.steps import Parcel

EVERY_S = 30.0


class Clocks:
    """Knows how far each device was ahead of us in its quickest message since the last time."""

    def __init__(
        self, every_s: float = EVERY_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._every_s = every_s
        self._monotonic = monotonic
        self._ahead_s: dict[int, float] = {}
        self._due = 0.0

    def note(self, parcels: Iterable[Parcel]) -> None:
        """Take down what a batch tells."""
        ahead = self._ahead_s
        for parcel in parcels:
            if parcel.device is None:
                continue
            number = parcel.device.id
            for reading in parcel.readings:
                lead_s = (reading.message.time - parcel.received_at).total_seconds()
                if lead_s > ahead.get(number, float("-inf")):
                    ahead[number] = lead_s

    def due(self, *, at_once: bool = False) -> dict[int, float]:
        """Return what was collected if it is time to keep it, or in any case; until `kept`."""
        return self._ahead_s if at_once or self._monotonic() >= self._due else {}

    def kept(self) -> None:
        """Begin anew: what was due is stored."""
        self._ahead_s = {}
        self._due = self._monotonic() + self._every_s
