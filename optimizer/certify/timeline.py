"""When a tour is where, by the times that the plan gives: presences, drives and breaks.

What the plan calls neither a break nor a stay is driving. Where it does not say when the truck
leaves the depot or is back, the drive there is added.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from optimizer.certify.given import Action
from optimizer.certify.stop import Stop

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Road:
    """What the roads say of the way to a stop: None in both where there is none."""

    travel_s: int | None
    length_m: float | None


@dataclass(frozen=True, slots=True)
class Presence:
    """A stay at a place; work goes from `start_s` to `departure_s`."""

    stop: Stop
    arrival_s: int
    start_s: int
    departure_s: int


@dataclass(frozen=True, slots=True)
class Drive:
    """The way from one stay to the next.

    Attributes:
        spans: in which the truck drives: the time between the stays without the breaks.
    """

    before: Presence
    to: Presence
    spans: tuple[Span, ...]

    @property
    def driving_s(self) -> int:
        """Time at the wheel."""
        return sum(end - begin for begin, end in self.spans)


@dataclass(frozen=True, eq=False)
class Timeline:
    """A tour in time.

    Attributes:
        breaks: as they were given, in order; likewise `rests`, without what overlaps work.
        computed: whether start or end were not given, but added.
    """

    presences: tuple[Presence, ...]
    drives: tuple[Drive, ...]
    breaks: tuple[Span, ...]
    rests: tuple[Span, ...]
    computed: bool

    @property
    def start_s(self) -> int:
        """When the tour begins."""
        return self.presences[0].departure_s

    @property
    def end_s(self) -> int:
        """When the tour ends."""
        return self.presences[-1].arrival_s

    @property
    def driving_s(self) -> int:
        """Time at the wheel."""
        return sum(drive.driving_s for drive in self.drives)

    def pauses(self, at_least_s: float) -> list[Span]:
        """Return the rests of a length within the tour."""
        inside = ((max(begin, self.start_s), min(end, self.end_s)) for begin, end in self.rests)
        return [(begin, end) for begin, end in inside if end - begin >= at_least_s]


def timeline(stops: Sequence[Stop], roads: Sequence[Road | None]) -> Timeline | None:
    """Put a tour on the clock; None where times are missing.

    Args:
        stops: from the start to the end.
        roads: the way to each of the places among them, in order; None where it is not known.
    """
    places = [stop for stop in stops if is_place(stop)]
    known = [_times(stop) for stop in places]
    breaks = [_span(stop) for stop in stops if stop.action is Action.BREAK]
    if None in breaks or None in known[1:-1] or len(places) < 3:
        return None
    computed = known[0] is None or known[-1] is None
    if known[0] is None and known[1] is not None:
        known[0] = _moment(known[1][0] - _travel_s(roads[1]))
    if known[-1] is None and known[-2] is not None:
        known[-1] = _moment(known[-2][2] + _travel_s(roads[-1]))
    presences = tuple(
        Presence(stop, *times)
        for stop, times in zip(places, known, strict=True)
        if times is not None
    )
    spans = sorted(span for span in breaks if span is not None)
    work = [(one.start_s, one.departure_s) for one in presences]
    rests = tuple(_without(_joined(spans), work))
    drives = tuple(
        Drive(one, other, tuple(_without([(one.departure_s, other.arrival_s)], spans)))
        for one, other in pairwise(presences)
    )
    return Timeline(presences, drives, tuple(spans), rests, computed)


def is_place(stop: Stop) -> bool:
    """Whether a stop is a stay at a place, and not something on the way."""
    return stop.action not in (Action.BREAK, Action.REVERSE)


def _travel_s(road: Road | None) -> int:
    return road.travel_s or 0 if road else 0


def _moment(second: int) -> tuple[int, int, int]:
    return second, second, second


def _times(stop: Stop) -> tuple[int, int, int] | None:
    """Return arrival, start of work and departure; at the ends of a tour one of them is enough."""
    given = stop.given
    if stop.action in (Action.START, Action.END):
        told = [
            one for one in (given.arrival_s, given.start_s, given.departure_s) if one is not None
        ]
        return (told[0], told[-1], told[-1]) if told else None
    if given.arrival_s is None or given.departure_s is None:
        return None
    start_s = given.arrival_s if given.start_s is None else given.start_s
    return given.arrival_s, start_s, given.departure_s


def _span(stop: Stop) -> Span | None:
    given = stop.given
    if given.arrival_s is None or given.departure_s is None:
        return None
    return given.arrival_s, given.departure_s


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Join sorted spans that touch or overlap."""
    last: Span | None = None
    for begin, end in spans:
        if last is not None and begin <= last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (begin, end)
    if last is not None:
        yield last


def _without(spans: Iterable[Span], taken: Sequence[Span]) -> Iterator[Span]:
    """Return what is left of spans beside others; nothing of one that runs backwards."""
    for begin, end in spans:
        at = begin
        for one, other in sorted(taken):
            if other <= at or one >= end or one >= other:
                continue
            if one > at:
                yield at, one
            at = other
        if at < end:
            yield at, end
