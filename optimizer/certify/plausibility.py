"""Whether a plan can be true: travel, clocks, and nothing twice."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotJudged, Outcome, duration
from optimizer.certify.noise import TIMES
from optimizer.certify.timeline import Presence, is_place
from optimizer.check.report import clock
from optimizer.explain import Text

ROADS = Text("travel times", "Fahrzeiten")
PLACE = Text("a known place for each stop", "einen bekannten Ort für jeden Halt")


def travel(case: Case) -> Iterator[Outcome]:
    """Judge whether each stop is reached no sooner than the roads allow.

    The tolerance covers minutes without seconds and drivers who are quicker than a profile; it is
    wider for estimates from straight lines.
    """
    if case.timeline is None:
        yield NotJudged("travel-time", case.name, TIMES)
        return
    roads = case.roads
    if all(road is None for road in roads):
        yield NotJudged("travel-time", case.name, ROADS)
        return
    if any(road is None for road in roads[1:]):
        yield NotJudged("travel-time", case.name, PLACE)
    rule = case.law["travel-time"].parameters
    kind = "roads" if case.real_roads else "estimate"
    share, slack_s = rule[f"{kind}_share"], rule[f"{kind}_s"]
    for drive, road in zip(case.times.drives, roads[1:], strict=True):
        if road is None or road.travel_s is None:
            continue
        least_s = road.travel_s * (1 - share) - slack_s
        if drive.driving_s < least_s:
            yield Finding(
                "travel-time", case.name, drive.to.stop.name, drive.to.stop.given.line,
                value=drive.driving_s, limit=road.travel_s,
                facts={
                    "before": drive.before.stop.name,
                    "tolerance": _tolerance(road.travel_s - least_s, case),
                },
            )  # fmt: skip


def _tolerance(seconds: float, case: Case) -> Text:
    span = duration(seconds)
    if case.real_roads:
        return Text(f" (tolerance {span})", f" (Toleranz {span})")
    return Text(f" (an estimate, tolerance {span})", f" (geschätzt, Toleranz {span})")


def no_road(case: Case) -> Iterator[Outcome]:
    """Judge whether a road for trucks leads to each place."""
    places = [stop for stop in case.stops if is_place(stop)]
    if all(road is None for road in case.roads):
        yield NotJudged("no-road", case.name, ROADS)
    for stop, road in zip(places, case.roads, strict=True):
        if road is not None and road.travel_s is None:
            yield Finding("no-road", case.name, stop.name, stop.given.line)


def clock_order(case: Case) -> Iterator[Outcome]:
    """Judge whether times run forwards, and no break lies in the work that it interrupts."""
    for one in case.times.presences:
        yield from _inside(case, one)
    for one, other in pairwise(case.times.presences):
        if other.arrival_s < one.departure_s:
            said = Text(
                f"arrives at {other.stop.name} at {clock(other.arrival_s)}, "
                f"but leaves {one.stop.name} at {clock(one.departure_s)}",
                f"Ankunft an {other.stop.name} um {clock(other.arrival_s)}, "
                f"aber Abfahrt an {one.stop.name} um {clock(one.departure_s)}",
            )
            yield _contradiction(case, other, other.arrival_s, one.departure_s, said)
    for begin, end in case.times.breaks:
        for one in case.times.presences:
            if max(begin, one.start_s) < min(end, one.departure_s):
                at = f"{clock(begin)} - {clock(end)}"
                said = Text(
                    f"the break {at} overlaps the work at {one.stop.name} from "
                    f"{clock(one.start_s)} to {clock(one.departure_s)}",
                    f"die Pause {at} überschneidet die Arbeit an {one.stop.name} von "
                    f"{clock(one.start_s)} bis {clock(one.departure_s)}",
                )
                yield _contradiction(case, one, begin, one.departure_s, said)


def _inside(case: Case, one: Presence) -> Iterator[Finding]:
    if one.arrival_s <= one.start_s <= one.departure_s:
        return
    times = [clock(second) for second in (one.arrival_s, one.start_s, one.departure_s)]
    said = Text(
        f"{one.stop.name}: arrival {times[0]}, start {times[1]} and departure {times[2]} are not "
        "in this order",
        f"{one.stop.name}: Ankunft {times[0]}, Beginn {times[1]} und Abfahrt {times[2]} sind nicht "
        "in dieser Folge",
    )
    yield _contradiction(case, one, one.departure_s, one.arrival_s, said)


def _contradiction(case: Case, one: Presence, value: float, limit: float, said: Text) -> Finding:
    line = one.stop.given.line
    return Finding("clock-order", case.name, one.stop.name, line, value, limit, {"what": said})


def collected_twice(cases: Sequence[Case]) -> Iterator[Outcome]:
    """Judge whether a container is emptied twice on a day."""
    first: dict[tuple[object, str], Case] = {}
    for case in cases:
        for stop in case.collects:
            keys = [(case.day, container.id) for container in stop.containers]
            if stop.site is not None and not keys and not stop.unknown:
                keys = [(case.day, stop.site.id)]
            before = next((first[key] for key in keys if key in first), None)
            if before is not None:
                facts = {"before": before.name}
                yield Finding("collected-twice", case.name, stop.name, stop.given.line, 2, 1, facts)
            for key in keys:
                first.setdefault(key, case)


def vehicle_twice(cases: Sequence[Case]) -> Iterator[Outcome]:
    """Judge whether two tours of a vehicle overlap."""
    timed: dict[tuple[object, str], list[Case]] = {}
    for case in cases:
        if case.timeline is not None:
            timed.setdefault((case.day, case.given.vehicle), []).append(case)
    for tours in timed.values():
        tours.sort(key=lambda case: case.times.start_s)
        for one, other in pairwise(tours):
            if other.times.start_s < one.times.end_s:
                yield Finding(
                    "vehicle-twice", other.name,
                    value=other.times.start_s, limit=one.times.end_s,
                    facts={
                        "vehicle": other.given.vehicle, "before": one.name,
                        "begins": clock(other.times.start_s), "ends": clock(one.times.end_s),
                    },
                )  # fmt: skip
