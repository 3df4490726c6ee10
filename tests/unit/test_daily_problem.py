"""From a region's facts to the routing problem of a day."""

import dataclasses
from typing import Any

import pytest

from config.region import Depot, Facility, Region, Vehicle
from config.region_folder import load_region
from optimizer.check import check
from optimizer.daily import DaySnapshot, containers_of
from optimizer.daily.problem import build
from optimizer.model import Energy, Problem, QueueSpan, TimeWindow
from optimizer.roads.haversine import Haversine
from optimizer.selection import Candidate
from optimizer.solve import solve
from tests.fixtures.problems import city_day
from tests.unit.test_daily import snapshot_of

H = 3600


@pytest.fixture(scope="module")
def region() -> Region:
    """The tiny region that ships."""
    return load_region("example")


def changed(region: Region, **facts: Any) -> Region:
    """A region with other facts."""
    return region.model_copy(update=facts)


def with_vehicle(region: Region, **facts: Any) -> Region:
    """The region with its first vehicle changed."""
    first = Vehicle.model_validate(region.vehicles[0].model_dump() | facts)
    return changed(region, vehicles=(first, *region.vehicles[1:]))


def problem_of(region: Region) -> Problem:
    """The problem of a Tuesday on which the first site is to be visited."""
    snapshot: DaySnapshot = snapshot_of(region)
    site = region.sites[0]
    here = tuple(i for i, c in enumerate(snapshot.containers) if c.site == site.id)
    candidate = Candidate(site, here, (50.0, 40.0), (170.0, 140.0), 600, None)
    return build(snapshot, [candidate], Haversine()).problem


def test_an_ordinary_region_asks_for_nothing_more(region: Region) -> None:
    """With the defaults nothing of the further rules is in the problem."""
    problem = problem_of(region)
    truck = problem.trucks[0]
    assert (truck.energy, truck.break_options, truck.max_tour_s) == (None, (), None)
    assert (truck.max_stops, truck.latest_start_s, truck.overnight_load_allowed) == (
        None, None, False,
    )  # fmt: skip
    assert problem.visits[0].trucks is None
    assert problem.facilities[0].queue == ()
    assert problem.visits[0].lifts == len(
        [c for c in region.containers if c.site == region.sites[0].id]
    )


def test_limits_costs_and_hours_of_a_vehicle(region: Region) -> None:
    """What a vehicle declares is what its truck has, in seconds, litres and euro."""
    facts: dict[str, Any] = {
        "latest_start": "07:30", "max_hours": 7.5, "max_stops": 40, "max_litres": 20_000,
        "overtime_after_h": 6, "overtime_eur_per_h": 15, "overnight_load_allowed": True,
    }  # fmt: skip
    truck = problem_of(with_vehicle(region, **facts)).trucks[0]
    assert (truck.latest_start_s, truck.max_tour_s) == (7 * H + 1800, 27_000)
    assert (truck.max_stops, truck.max_litres) == (40, 20_000)
    assert (truck.overtime_after_s, truck.overtime_eur_per_h) == (6 * H, 15)
    assert truck.overnight_load_allowed


def test_a_night_at_the_depot_charges_so_much(region: Region) -> None:
    """Out from 6:45 to 14:48: 15.95 h at 11 kW on top of the reserve, or the full battery."""
    battery: dict[str, Any] = {"battery_kwh": 300, "kwh_per_km": 1.6, "kwh_per_lift": 0.5}
    slow = problem_of(with_vehicle(region, **battery, charge_kw=11)).trucks[0].energy
    assert slow == Energy(pytest.approx(30 + 11 * 15.95), 1.6, 0.5, 30.0)  # type: ignore[arg-type]
    full = problem_of(with_vehicle(region, **battery)).trucks[0].energy
    assert full == Energy(300.0, 1.6, 0.5, 30.0)


def test_only_vehicles_that_get_there_may_serve_a_site(region: Region) -> None:
    """A narrow street leaves the one truck that is known to be narrow."""
    narrow = region.sites[0].model_copy(update={"max_width_m": 2.4})
    one = with_vehicle(region, width_m=2.3)
    there = changed(one, sites=(narrow, *region.sites[1:]))
    assert problem_of(there).visits[0].trucks == frozenset({0})


def test_who_queues_is_done_when_the_facility_closes(region: Region) -> None:
    """The plant closes at 17:00, unloading takes 15 min and the queue from 16:00 on 30 min."""
    queue = [{"since": "10:00", "wait_s": 600}, {"since": "16:00", "wait_s": 1800}]
    plant = Facility.model_validate(region.facilities[0].model_dump() | {"queue": queue})
    facility = problem_of(changed(region, facilities=(plant,))).facilities[0]
    assert facility.queue == (QueueSpan(10 * H, 600), QueueSpan(16 * H, 1800))
    assert facility.windows == (
        TimeWindow(7 * H, 10 * H - 1),
        TimeWindow(10 * H, 16 * H - 1),
        TimeWindow(16 * H, 16 * H + 900),
    )


def test_a_site_belongs_to_the_nearest_depot_that_can_serve_it(region: Region) -> None:
    """A depot next door without a crane leaves an underground container to one that has it."""
    service, first = region.services[0], region.containers[0]
    site = region.site_by_id[first.site]
    near = Depot(id="near", name="near", lon=site.lon, lat=site.lat)
    mine = Vehicle.model_validate(region.vehicles[0].model_dump() | {"id": "n", "depot": "near"})
    two = changed(
        region, depots=(*region.depots, near),
        vehicles=(*(v.model_copy(update={"crane": True}) for v in region.vehicles), mine),
    )  # fmt: skip
    assert first in containers_of(two, service, near)
    deep = tuple(
        c.model_copy(update={"crane": True}) if c.site == site.id else c for c in two.containers
    )
    two = Region.model_validate(changed(two, containers=deep))
    assert not {c.site for c in containers_of(two, service, near)} & {site.id}
    assert {c.site for c in containers_of(two, service, region.depots[0])} >= {site.id}
    halves = [containers_of(two, service, depot) for depot in two.depots]
    assert sorted(c.id for half in halves for c in half) == sorted(c.id for c in deep)


def test_trucks_of_several_depots_are_planned_together() -> None:
    """Each truck starts and ends at its own depot, and visits go to whoever is near."""
    day = city_day(16, 2, trucks=2, mandatory_share=1.0)
    far = int(day.duration_s[0].argmax())
    other = dataclasses.replace(day.trucks[1], start=far, end=far)
    day = day.replace(trucks=(day.trucks[0], other))
    solution = solve(day, 10.0, 1, effort=0.1)
    report = check(day, solution)
    assert report.legal
    assert not report.mandatory_unserved
    assert {tour.vehicle for tour in report.tours} == {"truck-0", "truck-1"}
