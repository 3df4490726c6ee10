"""What units are told of their records: which are kept, and need not be sent again."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from ingest.counters import Counters
from ingest.messages import Ack, down_topic
from ingest.steps import KnownDevice, Parcel


class Receipts:
    """Collects what was committed and tells each unit now and then, all of it at once.

    A unit that says something every second would else be told every second, and telling costs
    more than storing. What is lost on the way is no harm: the unit sends the record again.
    """

    def __init__(
        self,
        tell: Callable[[str, str], bool],
        region: str,
        counters: Counters,
        pause_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare an empty collection.

        Args:
            tell: publishes; False if it could not.
            region: whose units these are.
            counters: what happened is counted there.
            pause_s: how long a unit waits at most; well below the time after which it would
                send a record again.
            monotonic: a clock that never goes back.
        """
        self._tell = tell
        self._region = region
        self._counters = counters
        self._pause_s = pause_s
        self._monotonic = monotonic
        self._kept: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._due = 0.0

    def note(self, parcels: Iterable[Parcel], devices: Mapping[str, KnownDevice]) -> None:
        """Take down what a committed batch keeps, as rows or dead letters.

        A dead letter counts as well: sending it again would not make it any better.
        """
        if not self._kept:
            self._due = self._monotonic() + self._pause_s
        for parcel in parcels:
            device = devices.get(parcel.sender)
            if device is not None and device.kind == "unit":
                for boot, seq in _names(parcel):
                    self._kept[device.name, boot].append(seq)

    def wait_s(self, longest_s: float) -> float:
        """Return how long nobody has to be told anything, at most `longest_s`."""
        if not self._kept:
            return longest_s
        return min(longest_s, max(0.0, self._due - self._monotonic()))

    def send(self, *, all_of_it: bool = False) -> None:
        """Tell the units if it is time, or in any case."""
        if not all_of_it and self.wait_s(1.0) > 0:
            return
        for (device, boot), numbers in self._kept.items():
            ack = Ack(boot=boot, ranges=ranges(numbers))
            if self._tell(down_topic(self._region, device, "ack"), ack.model_dump_json()):
                self._counters.acks_sent += 1
            else:
                self._counters.acks_dropped += 1
        self._kept.clear()


def _names(parcel: Parcel) -> Iterator[tuple[int, int]]:
    """Yield (boot, seq) of each record in a parcel, as far as they could be read."""
    if parcel.refusal is None:
        yield from ((message.boot, message.seq) for message in parcel.messages)
    elif parcel.refusal.boot is not None and parcel.refusal.seq is not None:
        yield parcel.refusal.boot, parcel.refusal.seq


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return numbers as ranges, both ends included: 1 2 3 7 becomes (1, 3) (7, 7)."""
    merged: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if merged and merged[-1][1] == number - 1:
            merged[-1] = (merged[-1][0], number)
        else:
            merged.append((number, number))
    return tuple(merged)
