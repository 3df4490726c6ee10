"""Working time (ArbZG), for everybody on board: hours, breaks, rest between days."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotJudged, Outcome, duration
from optimizer.check.report import clock
from optimizer.explain import Text

DAY_S = 86_400
TWO_DAYS = Text(
    "two days of the same vehicle or team", "zwei Tage desselben Wagens oder derselben Mannschaft"
)


def work_day(case: Case) -> Iterator[Finding]:
    """ArbZG §3: hours of work a day, without breaks (§2 Abs. 1)."""
    limit = case.law.limit("work-day", "limit_s")
    value = _work_s(case)
    if value > limit:
        yield Finding("work-day", case.name, value=value, limit=limit)


def work_break(case: Case) -> Iterator[Finding]:
    """ArbZG §4 S. 1 and 2: minutes of break that the hours of work demand, in pieces of 15."""
    rule = case.law["work-break"].parameters
    work = _work_s(case)
    taken = sum(end - begin for begin, end in _pauses(case, rule["piece_s"]))
    due = 0.0
    if work > rule["short_day_s"]:
        due = rule["short_break_s"]
    if work > rule["long_day_s"]:
        due = rule["long_break_s"]
    if taken < due:
        facts = {"work": duration(work)}
        yield Finding("work-break", case.name, value=taken, limit=due, facts=facts)


def work_stretch(case: Case) -> Iterator[Finding]:
    """ArbZG §4 S. 3: nobody works longer than six hours without a break."""
    rule = case.law["work-stretch"].parameters
    tour = case.times
    edges = [
        tour.start_s,
        *(edge for pause in _pauses(case, rule["piece_s"]) for edge in pause),
        tour.end_s,
    ]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin > rule["limit_s"]:
            facts = {"begins": clock(begin), "ends": clock(end)}
            yield Finding(
                "work-stretch", case.name, value=end - begin, limit=rule["limit_s"], facts=facts
            )


def daily_rest(cases: Sequence[Case]) -> Iterator[Outcome]:
    """ArbZG §5: eleven hours between the end of a day's work and the next one's beginning.

    Tours of a team are compared; where the plan names none, those of a vehicle.
    """
    for tours in by_team(cases):
        if len({case.day for case in tours}) == 1:
            yield from (NotJudged("daily-rest", case.name, TWO_DAYS) for case in tours)
        for before, after in pairwise(tours):
            if after.day == before.day:
                continue
            yield from _rest(before, after)


def by_team(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """Yield the tours of each team that have times, in their order."""
    teams: dict[str, list[Case]] = {}
    for case in cases:
        if case.timeline is not None:
            teams.setdefault(case.team, []).append(case)
    for tours in teams.values():
        yield sorted(tours, key=lambda case: (case.day, case.times.start_s))


def _rest(before: Case, after: Case) -> Iterator[Finding]:
    limit = after.law.limit("daily-rest", "limit_s")
    days = (after.day - before.day) // timedelta(days=1)
    value = days * DAY_S + after.times.start_s - before.times.end_s
    if value < limit:
        facts = {"before": before.name}
        yield Finding("daily-rest", after.name, value=max(value, 0), limit=limit, facts=facts)


def _work_s(case: Case) -> int:
    tour = case.times
    piece_s = case.law.limit("work-break", "piece_s")
    return tour.end_s - tour.start_s - sum(end - begin for begin, end in tour.pauses(piece_s))


def _pauses(case: Case, piece_s: float) -> list[tuple[int, int]]:
    return case.times.pauses(piece_s)
