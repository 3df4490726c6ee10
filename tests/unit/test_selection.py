"""What to collect today: prices of waiting, merged visits, and the policies compared with."""

import dataclasses
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.region import Region
from config.region_folder import load_region
from optimizer.selection import (
    Choice,
    FixedCalendar,
    Occasion,
    Outlook,
    RiskPriced,
    Threshold,
    candidates,
)

TUESDAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def region() -> Region:
    """The tiny region that ships."""
    return load_region("example")


def occasion(region: Region, day: date = TUESDAY, usual_eur: float = 0.0) -> Occasion:
    """A day of its only service, at 60 euro an hour."""
    return Occasion(region, region.services[0], day, 60.0, usual_eur)


def outlook(region: Region, **values: object) -> Outlook:
    """All containers half full and in no danger, but for what is given."""
    n = len(region.containers)
    usual = Outlook(
        containers=region.containers,
        level=np.full(n, 0.5),
        level_sd=np.full(n, 0.05),
        growth=np.full(n, 0.05),
        p_overflow=np.zeros(n),
        overflow_days=np.zeros(n),
        reading=np.full(n, np.nan),
        gap_days=1.0,
    )
    return dataclasses.replace(usual, **values)  # type: ignore[arg-type]


def at(region: Region, values: dict[int, float], otherwise: float = 0.0) -> np.ndarray:
    """An array of one value per container."""
    array = np.full(len(region.containers), otherwise)
    array[list(values)] = list(values.values())
    return array


def wanted(take: np.ndarray, prizes: np.ndarray) -> Choice:
    """What a policy without mandatory visits chose."""
    return Choice(take, np.zeros(len(take), bool), prizes, np.zeros(len(take)))


class TestPrice:
    @given(
        days=st.floats(0, 3),
        growth=st.floats(0, 3),
    )
    def test_waiting_costs_against_the_share_of_a_visit_it_saves(
        self, region: Region, days: float, growth: float
    ) -> None:
        """The price is C x O / min(r x gap, 1), the divisor never below 2 %."""
        seen = outlook(region, overflow_days=at(region, {0: days}), growth=at(region, {0: growth}))
        price = RiskPriced().choose(seen, occasion(region)).prize_eur[0]
        assert price == pytest.approx(40 * days / max(min(growth, 1.0), 0.02))

    def test_no_danger_is_worth_nothing(self, region: Region) -> None:
        """A container that cannot overflow before the next chance is left alone."""
        assert not RiskPriced().choose(outlook(region), occasion(region)).take.any()

    def test_a_container_joins_when_it_pays_for_its_own_handling(self, region: Region) -> None:
        """Emptying takes 180 s at 60 euro an hour: 3 euro decide."""
        risks = at(region, {0: 2.9 * 0.05 / 40, 1: 3.1 * 0.05 / 40})
        take = RiskPriced().choose(outlook(region, overflow_days=risks), occasion(region)).take
        assert take[:2].tolist() == [False, True]

    def test_a_nearly_certain_overflow_leaves_no_choice(self, region: Region) -> None:
        """From 99 % on the visit is mandatory, whatever its price."""
        choice = RiskPriced().choose(
            outlook(region, p_overflow=at(region, {0: 0.995, 1: 0.98})), occasion(region)
        )
        assert choice.mandatory[:2].tolist() == [True, False]

    @given(level=st.floats(0, 2))
    def test_a_later_visit_saved_is_worth_something(self, region: Region, level: float) -> None:
        """Without any danger a container is worth the square of its level of a usual visit."""
        seen = outlook(region, level=at(region, {0: level}))
        choice = RiskPriced().choose(seen, occasion(region, usual_eur=12.0))
        assert choice.prize_eur[0] == pytest.approx(12.0 * min(level, 1.0) ** 2)
        assert bool(choice.take[0]) == (choice.prize_eur[0] > 3.0)

    def test_the_larger_of_both_counts(self, region: Region) -> None:
        """Danger and the visit saved are two views of one visit and are not added."""
        seen = outlook(region, level=at(region, {0: 1.0}), overflow_days=at(region, {0: 0.02}))
        assert RiskPriced().choose(seen, occasion(region, usual_eur=12.0)).prize_eur[0] == 16.0


class TestVisits:
    def test_containers_of_a_site_are_one_visit(self, region: Region) -> None:
        """One stop, one time for the site and one for each container, amounts by fraction."""
        site = region.containers[0].site
        mine = [i for i, c in enumerate(region.containers) if c.site == site]
        assert len(mine) > 1
        take = at(region, dict.fromkeys(mine, 1.0)).astype(bool)
        choice = wanted(take, take * 20.0)
        [visit] = candidates(outlook(region), choice, occasion(region))
        assert visit.site.id == site
        assert visit.prize_eur == 20.0 * len(mine)
        assert visit.service_s == 90 + 180 * len(mine)
        for row, name in enumerate(region.services[0].fractions):
            volume_l = sum(
                region.containers[i].volume_l for i in mine if region.containers[i].fraction == name
            )
            assert visit.kg[row] == pytest.approx(volume_l / 1000 * 0.5 * 300)
            assert visit.litres[row] == pytest.approx(volume_l * 0.5 * 300 / 320)

    def test_a_site_that_does_not_pay_for_its_stop_is_no_candidate(self, region: Region) -> None:
        """90 s for the site and 180 s for the container cost 4.50 euro, without any driving."""
        for prize, expected in ((4.4, 0), (4.6, 1)):
            prizes = at(region, {0: prize})
            choice = wanted(prizes > 0, prizes)
            assert len(candidates(outlook(region), choice, occasion(region))) == expected

    def test_one_mandatory_container_makes_the_visit_mandatory(self, region: Region) -> None:
        """Its neighbours at the site may join, but the visit has no price any more."""
        first = at(region, {0: 1.0}).astype(bool)
        [visit] = candidates(
            outlook(region),
            dataclasses.replace(wanted(first, first * 0.0), mandatory=first),
            occasion(region),
        )
        assert visit.prize_eur is None

    def test_an_overflowing_container_brings_what_a_truck_takes(self, region: Region) -> None:
        """A belief of three volumes is not three volumes in the truck."""
        first = at(region, {0: 1.0}).astype(bool)
        seen = outlook(region, level=at(region, {0: 3.0}))
        [visit] = candidates(seen, wanted(first, first * 9.0), occasion(region))
        assert sum(visit.kg) == pytest.approx(region.containers[0].volume_l / 1000 * 1.2 * 300)


class TestCalendar:
    def served(self, region: Region, days: float, span: int) -> dict[str, list[date]]:
        """When each site has its turn."""
        turns: dict[str, list[date]] = {site.id: [] for site in region.sites}
        service = region.services[0]
        for n in range(span):
            day = TUESDAY + timedelta(days=n)
            if region.is_collection_day(service, day):
                take = FixedCalendar(days).choose(outlook(region), occasion(region, day)).take
                for name in {region.containers[i].site for i in np.flatnonzero(take)}:
                    turns[name].append(day)
        return turns

    @pytest.mark.parametrize("days", [7, 10, 14])
    def test_every_site_has_its_turn_at_the_interval(self, region: Region, days: int) -> None:
        """Over 20 weeks each site is visited every so many days, give or take a weekend."""
        for turns in self.served(region, days, 140).values():
            gaps = [(b - a).days for a, b in pairwise(turns)]
            assert np.mean(gaps) == pytest.approx(days, abs=0.6)
            assert max(gaps) <= days + 5  # a weekend and Christmas

    def test_each_day_has_its_share(self, region: Region) -> None:
        """Days without a holiday before them get equal shares of the sites."""
        counts: dict[date, int] = {}
        for turns in self.served(region, 7, 21).values():
            for day in turns:
                counts[day] = counts.get(day, 0) + 1
        assert max(counts.values()) - min(counts.values()) <= 1

    def test_a_site_is_emptied_as_a_whole(self, region: Region) -> None:
        """The calendar asks for no level: all containers of a site have the same day."""
        take = FixedCalendar(5).choose(outlook(region), occasion(region)).take
        by_site: dict[str, set[bool]] = {}
        for container, taken in zip(region.containers, take, strict=True):
            by_site.setdefault(container.site, set()).add(bool(taken))
        assert all(len(values) == 1 for values in by_site.values())

    def test_what_falls_on_a_holiday_is_collected_next(self, region: Region) -> None:
        """Nobody is left out because of a holiday."""
        service = region.services[0]
        holiday = TUESDAY
        free = region.model_copy(update={"holidays": {holiday: "Holiday"}})
        after = holiday + timedelta(days=1)
        usual = [
            FixedCalendar(10).choose(outlook(region), occasion(region, day)).take
            for day in (holiday, after)
        ]
        shifted = FixedCalendar(10).choose(outlook(free), occasion(free, after)).take
        assert not free.is_collection_day(service, holiday)
        assert shifted.tolist() == (usual[0] | usual[1]).tolist()


class TestThreshold:
    def test_the_last_reading_decides(self, region: Region) -> None:
        """At 80 % and above it is emptied, whatever a belief says."""
        readings = at(region, {0: 0.79, 1: 0.8, 2: 0.95}, otherwise=0.1)
        choice = Threshold(0.8).choose(outlook(region, reading=readings), occasion(region))
        assert np.flatnonzero(choice.take).tolist() == [1, 2]
        assert choice.mandatory.tolist() == choice.take.tolist()

    def test_without_a_sensor_the_calendar_decides(self, region: Region) -> None:
        """A threshold says nothing of a container that never reported."""
        service = region.services[0]
        calendar = FixedCalendar(service.calendar_days).choose(outlook(region), occasion(region))
        silent = Threshold(0.8).choose(outlook(region), occasion(region))
        assert silent.take.tolist() == calendar.take.tolist()
