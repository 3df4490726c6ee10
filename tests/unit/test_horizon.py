"""Selection that knows the days to come: sites wait for tomorrow's tour, or do not."""

import dataclasses
from datetime import date

import numpy as np
import pytest

from config.errors import PlanError
from config.region import Region, Site
from config.region_folder import load_region
from optimizer.horizon import Horizon
from optimizer.policies import policy_named
from optimizer.selection import Ahead, Occasion, Outlook, RiskPriced

TUESDAY = date(2026, 11, 24)
KM_NORTH = 1 / 111.2


@pytest.fixture(scope="module")
def region() -> Region:
    """The tiny region, with one container at each of five sites in a row."""
    tiny = load_region("example")
    depot = tiny.depots[0]
    sites = tuple(
        Site(id=f"s{row}", name=f"Site {row}", lon=depot.lon, lat=depot.lat + km * KM_NORTH)
        for row, km in enumerate((3.0, 3.1, 3.2, 3.3, 1.5))
    )
    first = tiny.containers[0]
    containers = tuple(
        first.model_copy(update={"id": f"c{row}", "site": site.id, "sensor": None})
        for row, site in enumerate(sites)
    )
    return tiny.model_copy(update={"sites": sites, "containers": containers})


def occasion(region: Region, trucks_s: float = 8 * 3600.0) -> Occasion:
    """A day at usual prices."""
    return Occasion(region, region.services[0], TUESDAY, 60.0, 12.0, 1.0, 30.0, trucks_s)


def outlook(region: Region, levels: list[float], days: list[list[float]]) -> Outlook:
    """Levels today, and days of overflow until each of three chances."""
    n = len(levels)
    overflow = np.array(days)
    return Outlook(
        containers=region.containers,
        level=np.array(levels),
        level_sd=np.full(n, 0.05),
        growth=np.full(n, 0.05),
        p_overflow=np.where(overflow[:, 0] > 0, 0.5, 0.0),
        overflow_days=overflow[:, 0],
        reading=np.full(n, np.nan),
        gap_days=1.0,
        ahead=Ahead(overflow, np.outer(np.ones(n), [0.05, 0.10, 0.15])),
    )


CALM = [0.0, 0.0, 0.0]
TOMORROW = [0.0, 1.0, 2.0]  # overflows from tomorrow on


def test_a_site_waits_for_the_tour_that_passes_tomorrow(region: Region) -> None:
    """Its neighbours are due tomorrow: today's visit is worth less than if nobody came."""
    levels = [0.85, 0.95, 0.95, 0.95, 0.2]
    alone = outlook(region, [0.85, 0.2, 0.2, 0.2, 0.2], [[0.05, 0.3, 1.0], *[CALM] * 4])
    company = outlook(region, levels, [[0.05, 0.3, 1.0], *[TOMORROW] * 3, CALM])
    worth_alone = Horizon().choose(alone, occasion(region)).prize_eur[0]
    worth_in_company = Horizon().choose(company, occasion(region)).prize_eur[0]
    assert worth_in_company < worth_alone


def test_what_overflows_today_is_not_put_off(region: Region) -> None:
    """With a day of overflow at stake the visit is worth more than the way there."""
    seen = outlook(region, [1.0, 0.2, 0.2, 0.2, 0.2], [[1.0, 2.0, 3.0], *[CALM] * 4])
    prize = Horizon().choose(seen, occasion(region)).prize_eur[0]
    assert prize >= occasion(region).service.overflow_eur_per_day


def test_what_is_certain_stays_mandatory(region: Region) -> None:
    """Prices change, certainty does not; neither does what joins a visit."""
    seen = outlook(region, [1.2, 0.9, 0.5, 0.1, 0.8], [[1.0, 2.0, 3.0], *[CALM] * 4])
    seen = dataclasses.replace(seen, p_overflow=np.array([0.999, 0, 0, 0, 0]))
    near, far = (one.choose(seen, occasion(region)) for one in (RiskPriced(), Horizon()))
    assert far.mandatory.tolist() == near.mandatory.tolist()
    assert far.take.tolist() == near.take.tolist()
    assert (far.prize_eur >= 0).all()
    assert (far.credit_eur <= far.prize_eur + 1e-9).all()


def test_full_days_do_not_take_more(region: Region) -> None:
    """Without any hours tomorrow nothing can wait for tomorrow's tour."""
    days = [[0.05, 0.3, 1.0], *[TOMORROW] * 3, CALM]
    seen = outlook(region, [0.85, 0.95, 0.95, 0.95, 0.2], days)
    free = Horizon().choose(seen, occasion(region)).prize_eur[0]
    full = Horizon().choose(seen, occasion(region, trucks_s=0.0)).prize_eur[0]
    assert full > free


def test_same_outlook_same_prices(region: Region) -> None:
    """Nothing is left to chance."""
    seen = outlook(region, [0.85, 0.95, 0.7, 0.95, 0.6], [[0.05, 0.3, 1.0], *[TOMORROW] * 3, CALM])
    first, second = (Horizon().choose(seen, occasion(region)).prize_eur for _ in range(2))
    assert first.tolist() == second.tolist()


def test_policies_by_name() -> None:
    """A word names a policy; a horizon of one day is none."""
    assert policy_named("horizon:4") == Horizon(4)
    assert policy_named("horizon") == Horizon()
    assert policy_named("risk") == RiskPriced()
    for wrong in ("horizon:1", "horizon:99", "horizon:x", "weather"):
        with pytest.raises(PlanError, match="no policy"):
            policy_named(wrong)
