"""Where a tour goes: known places, what may be collected there, reversing, sides, opening hours."""

from collections.abc import Iterator, Sequence

from config.region import WEEKDAYS, Facility, seconds_of_day
from config.region_source import suggestion
from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotJudged, Outcome
from optimizer.certify.given import Action
from optimizer.certify.noise import TIMES
from optimizer.certify.stop import Stop
from optimizer.check.report import clock
from optimizer.explain import Text

HOW_FAR = Text("how far the truck reverses", "wie weit der Wagen rückwärts fährt")
SIDE = Text("the truck's side, or real roads", "die Seite des Wagens, oder echte Straßen")
CLOSED = Text("not at all that day", "an dem Tag gar nicht")


def known(case: Case) -> Iterator[Outcome]:
    """Judge whether the region has the vehicle and each place."""
    name = case.given.vehicle
    if case.vehicle is None:
        hint = suggestion(name, list(case.finder.vehicles))
        yield Finding("known-vehicle", case.name, facts={"vehicle": name, "hint": hint})
    for stop in case.stops:
        for place in stop.unknown:
            hint = "" if stop.site else suggestion(place, case.finder.place_ids)
            yield Finding("known-place", case.name, place, stop.given.line, facts={"hint": hint})


def collected_by(case: Case) -> Iterator[Outcome]:
    """Judge whether what stands at each site is collected by the vehicle's services."""
    vehicle = case.vehicle
    if vehicle is None:
        return
    mine = {
        name
        for service in case.region.services
        if service.id in vehicle.services
        for name in service.fractions
    }
    for stop in case.collects:
        if stop.site is None or stop.unknown:
            continue
        here = stop.fractions or {one.fraction for one in case.finder.at(stop.site)}
        wrong = sorted(here - mine)
        if wrong:
            facts = {
                "vehicle": vehicle.id,
                "fractions": ", ".join(wrong),
                "services": ", ".join(vehicle.services),
            }
            yield Finding("vehicle-service", case.name, stop.name, stop.given.line, facts=facts)


def reversing(case: Case) -> Iterator[Outcome]:
    """DGUV Regel 114-601 ch. 3.8: nobody reverses without a banksman.

    Two persons on board are taken for a driver and a banksman, unless the plan says otherwise.
    """
    law = case.law.limit("reversing-far", "limit_m")
    reversed_at = [stop for stop in case.stops if _reverses(stop)]
    if any(stop.given.reverse_m is None for stop in reversed_at):
        yield NotJudged("reversing-far", case.name, HOW_FAR)
    for stop in reversed_at:
        if not has_banksman(case):
            yield Finding("reversing", case.name, stop.name, stop.given.line)
        far = stop.given.reverse_m
        if far is not None and far > law:
            yield Finding("reversing-far", case.name, stop.name, stop.given.line, far, law)


def has_banksman(case: Case) -> bool:
    """Whether somebody can guide the truck: as the plan says, else by the size of its crew."""
    given = case.given
    if given.banksman is not None:
        return given.banksman
    crew = given.crew or (case.vehicle.crew if case.vehicle else 1)
    return crew >= 2


def _reverses(stop: Stop) -> bool:
    given = stop.given
    if stop.action is Action.REVERSE or given.reverse_m:
        return True
    if given.reverse is not None:
        return given.reverse
    return stop.site is not None and stop.site.reverse and stop.action is Action.COLLECT


def curb_side(case: Case) -> Iterator[Outcome]:
    """Judge on which side of the truck the containers stand.

    Without a side in the plan, travel times of real roads to the right-hand side stand in for it.
    """
    right_only = case.vehicle is not None and case.vehicle.side_loader
    at_curb = [stop for stop in case.collects if stop.at_curb or right_only]
    for stop in at_curb:
        if stop.given.side == "left":
            yield Finding("curb-side", case.name, stop.name, stop.given.line)
    if not case.real_roads and any(stop.given.side is None for stop in at_curb):
        yield NotJudged("curb-side", case.name, SIDE)


def facility_hours(case: Case) -> Iterator[Outcome]:
    """Judge whether each unloading lies within the facility's hours."""
    missing = False
    for stop in case.unloads:
        given, facility = stop.given, stop.facility
        if facility is None:
            continue
        begins = given.arrival_s if given.start_s is None else given.start_s
        if begins is None or given.departure_s is None:
            missing = True
            continue
        ends, spans = given.departure_s, _open(facility, case)
        if not any(opens <= begins and ends <= closes for opens, closes in spans):
            yield _closed(case, stop, (begins, ends), spans)
    if missing:
        yield NotJudged("facility-hours", case.name, TIMES)


def _open(facility: Facility, case: Case) -> Sequence[tuple[int, int]]:
    today = WEEKDAYS[case.day.weekday()]
    return [
        (seconds_of_day(hours.opens), seconds_of_day(hours.closes))
        for hours in facility.hours
        if today in hours.days
    ]


def _closed(
    case: Case, stop: Stop, worked: tuple[int, int], spans: Sequence[tuple[int, int]]
) -> Finding:
    begins, ends = worked
    told = ", ".join(f"{clock(opens)}-{clock(closes)}" for opens, closes in spans)
    early = bool(spans) and begins < min(opens for opens, _ in spans)
    limit = None
    if spans:
        limit = min(one for one, _ in spans) if early else max(one for _, one in spans)
    return Finding(
        "facility-hours", case.name, stop.name, stop.given.line,
        value=begins if early else ends,
        limit=limit,
        facts={"begins": clock(begins), "ends": clock(ends), "hours": told or CLOSED},
    )  # fmt: skip
