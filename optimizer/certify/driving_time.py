"""Driving time (VO (EG) 561/2006), for tours of services that it binds."""

from collections.abc import Iterator, Sequence

from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotJudged, Outcome
from optimizer.certify.working_time import TWO_DAYS, by_team
from optimizer.explain import Text

THIS_WEEK = Text("this week", "in dieser Woche")
TWO_WEEKS = Text("in two weeks", "in zwei Wochen")


def driving_break(case: Case) -> Iterator[Finding]:
    """Art. 7: after 4.5 h of driving 45 min of break, or 15 min and later 30 min."""
    rule = case.law["driving-break"].parameters
    driven, first, told = 0.0, False, False
    for begin, end, stop in _events(case):
        if stop is None:
            whole = end - begin >= rule["whole_s"] or (first and end - begin >= rule["second_s"])
            if whole:
                driven, first, told = 0.0, False, False
            elif end - begin >= rule["first_s"]:
                first = True
            continue
        driven += end - begin
        if driven > rule["limit_s"] and not told:
            told = True
            yield Finding("driving-break", case.name, stop, value=driven, limit=rule["limit_s"])


def driving_day(cases: Sequence[Case]) -> Iterator[Outcome]:
    """Art. 6 (1): 9 h a day, twice a week 10 h."""
    for tours in by_team(case for case in cases if case.eu561):
        longer: dict[tuple[int, int], int] = {}
        days: dict[object, list[Case]] = {}
        for case in tours:
            days.setdefault(case.day, []).append(case)
        for same_day in days.values():
            case = same_day[-1]
            rule = case.law["driving-day"].parameters
            driven = sum(one.times.driving_s for one in same_day)
            if driven <= rule["limit_s"]:
                continue
            week = case.day.isocalendar()[:2]
            longer[week] = longer.get(week, 0) + 1
            allowed = longer[week] <= rule["extended_times"]
            note = allowed and driven <= rule["extended_s"]
            yield Finding(
                "driving-day",
                case.name,
                value=driven,
                limit=rule["extended_s"] if allowed and not note else rule["limit_s"],
                facts={"times": str(longer[week] - 1)},
                note=note,
            )


def driving_week(cases: Sequence[Case]) -> Iterator[Outcome]:
    """Art. 6 (2) and (3): 56 h a week, 90 h in two that follow each other."""
    for tours in by_team(case for case in cases if case.eu561):
        if len({case.day for case in tours}) == 1:
            yield from (NotJudged("driving-week", case.name, TWO_DAYS) for case in tours)
        rule = tours[0].law["driving-week"].parameters
        driven: dict[int, int] = {}
        last: dict[int, Case] = {}
        for case in tours:
            week = (case.day.toordinal() - 1) // 7  # ordinal 1 was a Monday
            driven[week] = driven.get(week, 0) + case.times.driving_s
            last[week] = case
        for week, value in driven.items():
            both = value + driven.get(week - 1, 0)
            for span, total, limit in (
                (THIS_WEEK, value, rule["week_s"]),
                (TWO_WEEKS, both, rule["fortnight_s"]),
            ):
                if total > limit:
                    yield Finding(
                        "driving-week",
                        last[week].name,
                        value=total,
                        limit=limit,
                        facts={"span": span},
                    )


def _events(case: Case) -> list[tuple[int, int, str | None]]:
    """Return spans of driving, with the stop they lead to, and rests (None), in order."""
    tour = case.times
    driving = [
        (begin, end, drive.to.stop.name) for drive in tour.drives for begin, end in drive.spans
    ]
    rests: list[tuple[int, int, str | None]] = [(begin, end, None) for begin, end in tour.rests]
    return sorted([*driving, *rests], key=lambda event: event[:2])
