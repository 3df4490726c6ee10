"""The collection before there was a plan."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise

from config.region_folder import load_region
from simulator.calendar import rota

REGION = load_region("bielefeld")
FIRST, LAST = date(2026, 3, 16), date(2026, 6, 14)  # Easter and other holidays lie within


def test_every_container_is_emptied_once_an_interval() -> None:
    """The interval holds, but for days that a weekend or holiday puts off."""
    days: dict[int, list[date]] = defaultdict(list)
    for time, _, which in rota(REGION, 1, FIRST, LAST):
        days[which].append(datetime.fromtimestamp(time, REGION.time_zone).date())
    assert set(days) == set(range(len(REGION.containers)))
    interval = REGION.services[0].calendar_days
    for mine in days.values():
        assert all(REGION.is_collection_day(REGION.services[0], day) for day in mine)
        assert all(abs((b - a).days - interval) <= 4 for a, b in pairwise(mine))


def test_sites_spread_over_days_and_keep_together() -> None:
    """All containers of a site come on one day; sites share the days."""
    by_site: dict[str, set[date]] = defaultdict(set)
    for time, _, which in rota(REGION, 1, FIRST, FIRST + timedelta(days=6)):
        day = datetime.fromtimestamp(time, REGION.time_zone).date()
        by_site[REGION.containers[which].site].add(day)
    assert all(len(days) == 1 for days in by_site.values())
    counts: dict[date, int] = defaultdict(int)
    for days in by_site.values():
        counts[next(iter(days))] += 1
    assert len(counts) == 5
    assert max(counts.values()) < 0.6 * len(by_site)


def test_a_span_is_the_sum_of_its_parts() -> None:
    """Asking for less gives the same emptyings, for the same seed only."""
    middle = date(2026, 4, 20)
    parts = [*rota(REGION, 1, FIRST, middle), *rota(REGION, 1, middle + timedelta(days=1), LAST)]
    assert parts == rota(REGION, 1, FIRST, LAST)
    assert parts != rota(REGION, 2, FIRST, LAST)
