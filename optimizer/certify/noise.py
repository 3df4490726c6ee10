"""When collecting may be heard (32. BImSchV §7), and when the region's service runs at all.

The law's hours hold for residential areas. A service whose declared hours or days go beyond them
has to have an exception, or work where nobody lives; so its declaration widens them.
"""

from collections.abc import Iterator
from datetime import date

from config.region import WEEKDAYS, Service, seconds_of_day
from optimizer.certify.case import Case
from optimizer.certify.finding import Finding, NotJudged, Outcome
from optimizer.certify.stop import Stop
from optimizer.check.report import clock
from optimizer.explain import Text

TIMES = Text("arrival and departure at each stop", "Ankunft und Abfahrt an jedem Halt")
NOT_TODAY = Text("nothing that day", "an dem Tag nichts")
SUNDAY = Text("a Sunday", "einem Sonntag")
HOLIDAY = Text("a public holiday ({})", "einem Feiertag ({})")
_DAYS = (
    Text("Monday", "Montag"), Text("Tuesday", "Dienstag"), Text("Wednesday", "Mittwoch"),
    Text("Thursday", "Donnerstag"), Text("Friday", "Freitag"), Text("Saturday", "Samstag"),
    Text("Sunday", "Sonntag"),
)  # fmt: skip
_SHORT_DE = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")


def hours(case: Case) -> Iterator[Outcome]:
    """Judge each stop by the hours of the law, else by those of its service."""
    missing = False
    for stop in case.collects:
        begins, ends = _worked(stop)
        if begins is None or ends is None:
            missing = True
            continue
        if stop.site is not None and stop.site.noise_windows:
            continue  # declared hours of its own: see `site_hours`
        declared = [_hours(service) for service in case.services_at(stop)]
        service = (max(span[0] for span in declared), min(span[1] for span in declared))
        law = case.law["noise-night"].parameters
        quiet = (min(law["earliest_s"], service[0]), max(law["latest_s"], service[1]))
        for rule, (earliest, latest) in (("noise-night", quiet), ("service-hours", service)):
            if begins < earliest or ends > latest:
                yield _outside(rule, case, stop, (begins, ends), (earliest, latest))
                break
    if missing:
        yield NotJudged("noise-night", case.name, TIMES)
        yield NotJudged("service-hours", case.name, TIMES)


def site_hours(case: Case) -> Iterator[Outcome]:
    """Judge each stop by the hours that its site is declared with: to be reached, to be loud."""
    missing = False
    for stop in case.collects:
        for windows in (stop.site.windows, stop.site.noise_windows) if stop.site else ():
            begins, ends = _worked(stop)
            if not windows:
                continue
            if begins is None or ends is None:
                missing = True
                continue
            today = WEEKDAYS[case.day.weekday()]
            spans = [
                (seconds_of_day(opens), seconds_of_day(closes))
                for days, opens, closes in windows
                if today in days
            ]
            if not any(opens <= begins and ends <= closes for opens, closes in spans):
                yield _beyond(case, stop, (begins, ends), spans)
    if missing:
        yield NotJudged("site-hours", case.name, TIMES)


def _beyond(
    case: Case, stop: Stop, worked: tuple[int, int], spans: list[tuple[int, int]]
) -> Finding:
    told = ", ".join(f"{clock(opens)}-{clock(closes)}" for opens, closes in spans)
    facts = {"begins": clock(worked[0]), "ends": clock(worked[1]), "hours": told or NOT_TODAY}
    return Finding("site-hours", case.name, stop.name, stop.given.line, worked[0], facts=facts)


def days(case: Case) -> Iterator[Outcome]:
    """Judge the day: Sundays and holidays by the law, other days by the service."""
    if not case.collects:
        return
    why = rest_day(case, case.day)
    if why is not None:
        count = len(case.collects)
        sites = Text(
            f"{count} stop{'' if count == 1 else 's'}", f"{count} Halt{'' if count == 1 else 'en'}"
        )
        yield Finding(
            "noise-rest-day", case.name, value=count, limit=0,
            facts={"count": sites, "day": case.day.isoformat(), "why": why},
        )  # fmt: skip
        return
    today = WEEKDAYS[case.day.weekday()]
    for service in case.services:
        if today not in service.collection_days:
            yield Finding("collection-day", case.name, facts=_wrong_day(case.day, service))


def rest_day(case: Case, day: date) -> Text | None:
    """Return why a day is one of rest; None when it is none, or a service has that Sunday."""
    holiday = case.region.holidays.get(day)
    if holiday is not None:
        return Text(HOLIDAY.en.format(holiday), HOLIDAY.de.format(holiday))
    sunday = day.weekday() == 6
    declared = all("sun" in service.collection_days for service in case.services)
    return SUNDAY if sunday and not declared else None


def _worked(stop: Stop) -> tuple[int | None, int | None]:
    given = stop.given
    return given.arrival_s if given.start_s is None else given.start_s, given.departure_s


def _hours(service: Service) -> tuple[int, int]:
    return seconds_of_day(service.earliest), seconds_of_day(service.latest)


def _outside(
    rule: str, case: Case, stop: Stop, worked: tuple[int, int], allowed: tuple[float, float]
) -> Finding:
    begins, ends = worked
    earliest, latest = allowed
    early = begins < earliest
    names = ", ".join(service.id for service in case.services_at(stop))
    return Finding(
        rule, case.name, stop.name, stop.given.line,
        value=begins if early else ends,
        limit=earliest if early else latest,
        facts={
            "begins": clock(begins), "ends": clock(ends), "earliest": clock(earliest),
            "latest": clock(latest), "service": names,
        },
    )  # fmt: skip


def _wrong_day(day: date, service: Service) -> dict[str, str | Text]:
    numbers = [WEEKDAYS.index(name) for name in service.collection_days]
    return {
        "day": day.isoformat(),
        "weekday": _DAYS[day.weekday()],
        "service": service.id,
        "days": Text(
            ", ".join(_DAYS[number].en for number in numbers),
            ", ".join(_SHORT_DE[number] for number in numbers),
        ),
    }
