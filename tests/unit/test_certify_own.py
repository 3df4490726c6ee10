"""The certificate of our own plans: they always pass, and whatever is broken in them is found."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.plan import summary, table
from config.region import Queue, Region, Site, seconds_of_day
from config.region_folder import load_region
from optimizer.certify import Action, GivenPlan, GivenStop, GivenTour, certify
from optimizer.certify.csv_file import parse_csv
from optimizer.certify.json_file import parse_json
from optimizer.daily import DayPlan, plan_day
from optimizer.roads.haversine import Haversine
from optimizer.solve import solve
from tests.fixtures.certify import example, household, region_with
from tests.unit.test_daily import snapshot_of

SUNDAY = date(2026, 11, 29)


def planned(region: Region, seed: int, budget_s: float = 1.0) -> DayPlan:
    """Plan a day of a region."""
    search = partial(solve, budget_s=budget_s, seed=seed, effort=0.1)
    return plan_day(snapshot_of(region, seed=seed), Haversine(), search, geometry=False)


def exported(plan: DayPlan, region: Region) -> tuple[GivenPlan, GivenPlan]:
    """Return a plan as our own commands give it out: JSON, CSV."""
    document = json.loads(json.dumps(summary("plan", plan, published=False)))
    return (
        parse_json(document, "plan.json", region.time_zone),
        parse_csv(table("plan", plan, region), "plan.csv"),
    )


def demanding() -> Region:
    """Return the region with every further rule: queues, batteries, cranes, hours of a site, ..."""
    region = example()
    queue = Queue.model_validate({"since": "07:30", "wait_s": 900})
    zone = Site.model_validate({**region.sites[2].model_dump(), "windows": "mon-fri 09:00-11:00"})
    electric = {
        "battery_kwh": 60.0, "charge_kw": 3.0, "kwh_per_km": 1.6, "kwh_per_lift": 0.5,
        "crane": True, "max_hours": 7.5, "max_stops": 8, "max_litres": 20_000.0,
    }  # fmt: skip
    service = {"divided_breaks": True, "balance_eur_per_h": 10.0}
    return region_with(
        facilities=tuple(one.model_copy(update={"queue": (queue,)}) for one in region.facilities),
        sites=tuple(zone if site.id == zone.id else site for site in region.sites),
        vehicles=tuple(one.model_copy(update=electric) for one in region.vehicles),
        services=tuple(one.model_copy(update=service) for one in region.services),
    )


@settings(max_examples=8)
@given(st.integers(0, 1000), st.sampled_from([example, household, demanding]))
def test_our_own_days_pass(seed: int, made: Callable[[], Region]) -> None:
    """Whatever the morning and the rules: no violation, nothing needed but a second day."""
    region = made()
    day = planned(region, seed)
    if not day.tours:
        assert table("plan", day, region).count("\n") == 1  # the headings
        return
    for plan in exported(day, region):
        certificate = certify(plan, region, Haversine())
        assert [certificate.message(one, "en") for one in certificate.findings] == []
        assert {one.rule for one in certificate.not_judged} <= {"daily-rest", "driving-week"}


@cache
def full_day() -> tuple[Region, GivenPlan]:
    """A day of the city: full shifts with breaks, several trips."""
    region = load_region("bielefeld")
    return region, exported(planned(region, 3, budget_s=3.0), region)[1]


def longest() -> GivenTour:
    """Return the longest tour of the city's day."""
    return max(full_day()[1].tours, key=lambda tour: tour.stops[-1].arrival_s or 0)


def rules_broken(change: Callable[[list[GivenStop]], list[GivenStop]], **facts: Any) -> set[str]:
    """Return the rules that a change of the longest tour breaks."""
    region, plan = full_day()
    tour = longest()
    other = replace(tour, stops=tuple(change(list(tour.stops))), **facts)
    tours = tuple(other if one == tour else one for one in plan.tours)
    found = certify(replace(plan, tours=tours), region, Haversine()).violations
    return {one.rule for one in found if one.tour == tour.name}


def later(stop: GivenStop, seconds: int) -> GivenStop:
    """Return a stop at another time."""
    moved: dict[str, Any] = {
        name: None if (at := getattr(stop, name)) is None else at + seconds
        for name in ("arrival_s", "start_s", "departure_s")
    }
    return replace(stop, **moved)


def position(action: Action, nth: int = 0) -> int:
    """Return where the nth stop of a kind is in the longest tour."""
    return [n for n, stop in enumerate(longest().stops) if stop.action is action][nth]


class TestMutations:
    def test_the_day_itself_is_legal(self) -> None:
        """Full shifts of several trips with a break: nothing is broken."""
        region, plan = full_day()
        certificate = certify(plan, region, Haversine())
        assert [certificate.message(one, "en") for one in certificate.violations] == []
        assert {stop.action for stop in longest().stops} == set(Action) - {Action.REVERSE}

    def test_without_its_break(self) -> None:
        """More than six hours of work need one."""
        dropped = rules_broken(lambda stops: [s for s in stops if s.action is not Action.BREAK])
        assert {"work-break", "work-stretch"} <= dropped

    def test_a_shorter_break(self) -> None:
        """A quarter of an hour is too short for the day."""
        at = position(Action.BREAK)

        def shorten(stops: list[GivenStop]) -> list[GivenStop]:
            begin = stops[at].arrival_s or 0
            stops[at] = replace(stops[at], departure_s=begin + 900)
            return stops

        assert "work-break" in rules_broken(shorten)

    def test_without_its_last_unloading(self) -> None:
        """The truck would come home loaded."""
        at = position(Action.UNLOAD, -1)
        assert "ends-empty" in rules_broken(lambda stops: stops[:at] + stops[at + 1 :])

    def test_without_its_first_unloading(self) -> None:
        """Two trips in one are too much for the truck."""
        at = position(Action.UNLOAD)
        broken = rules_broken(lambda stops: stops[:at] + stops[at + 1 :])
        assert broken & {"payload", "compartment-kg", "compartment-litres"}

    def test_a_later_start(self) -> None:
        """Two hours later it ends after its shift."""
        assert "shift" in rules_broken(lambda stops: [later(stop, 7200) for stop in stops])

    def test_at_night(self) -> None:
        """Twelve hours later it is dark and loud."""
        broken = rules_broken(lambda stops: [later(stop, 12 * 3600) for stop in stops])
        assert {"noise-night", "facility-hours", "shift"} <= broken

    def test_on_sunday(self) -> None:
        """The same tour on a Sunday."""
        assert "noise-rest-day" in rules_broken(lambda stops: stops, day=SUNDAY)

    @settings(max_examples=15)
    @given(st.data())
    def test_a_stop_that_is_moved_elsewhere_in_the_order(self, data: st.DataObject) -> None:
        """Its times stay, so the clock runs backwards somewhere."""
        collects = [n for n, s in enumerate(longest().stops) if s.action is Action.COLLECT]
        at = data.draw(st.sampled_from(collects))
        to = data.draw(st.sampled_from([n for n in collects if abs(n - at) > 2]))

        def move(stops: list[GivenStop]) -> list[GivenStop]:
            stops.insert(to, stops.pop(at))
            return stops

        assert "clock-order" in rules_broken(move)

    @settings(max_examples=15)
    @given(st.data())
    def test_a_stop_that_is_done_twice(self, data: st.DataObject) -> None:
        """The same container cannot be emptied again at the end."""
        at = data.draw(
            st.sampled_from(
                [n for n, s in enumerate(longest().stops) if s.action is Action.COLLECT]
            )
        )
        assert "collected-twice" in rules_broken(lambda stops: [*stops[:-1], stops[at], stops[-1]])

    def test_another_truck(self) -> None:
        """A vehicle of another town."""
        assert rules_broken(lambda stops: stops, vehicle="truck-9") == {"known-vehicle"}


@pytest.mark.parametrize("minute", [1, 60])
def test_a_truck_that_leaves_before_its_shift(minute: int) -> None:
    """A minute is enough."""
    region, _ = full_day()
    vehicle = next(one for one in region.vehicles if one.id == longest().vehicle)
    begins = seconds_of_day(vehicle.shift_start) - 60 * minute
    start = replace(longest().stops[0], arrival_s=begins, departure_s=begins)
    assert "shift" in rules_broken(lambda stops: [start, *stops[1:]])
