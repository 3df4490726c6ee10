"""When a site may be served on a day: access, and noise (32. BImSchV §7)."""

from collections.abc import Iterable
from datetime import date

from config.region import WEEKDAYS, Service, Site, seconds_of_day
from config.site_hours import WeekSpan
from optimizer.model import DAY_S, TimeWindow

Span = tuple[int, int]
NEVER = TimeWindow(0, 0)  # no truck is anywhere by midnight


def visit_windows(
    service: Service, site: Site, day: date, service_s: int
) -> tuple[TimeWindow, ...]:
    """Return the spans in which service may start at a site.

    Noise counts until it ends, so service has to be over when a span is. The service's hours hold
    where the site has no noise windows of its own; a service that takes longer than they last
    starts when they do.
    """
    spans = [(seconds_of_day(service.earliest), seconds_of_day(service.latest))]
    if not site.windows and not site.noise_windows:
        opens, closes = spans[0]
        return (TimeWindow(opens, max(opens, closes - service_s)),)
    if site.noise_windows:
        spans = _of_day(site.noise_windows, day)
    if site.windows:
        reached = _of_day(site.windows, day)
        spans = [(max(a, c), min(b, d)) for a, b in spans for c, d in reached]
    windows = (TimeWindow(a, b - service_s) for a, b in sorted(spans) if b - service_s >= a)
    return tuple(windows) or (NEVER,)


def _of_day(spans: Iterable[WeekSpan], day: date) -> list[Span]:
    today = WEEKDAYS[day.weekday()]
    return [
        (seconds_of_day(opens), min(seconds_of_day(closes), DAY_S))
        for days, opens, closes in spans
        if today in days
    ]
