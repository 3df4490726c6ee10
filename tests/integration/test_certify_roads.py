"""The certificate on real roads: our own plans pass by the engine's travel times."""

import dataclasses
from functools import partial

import pytest

from optimizer.certify import Action, certify
from optimizer.daily import plan_day
from optimizer.solve import solve
from tests.fixtures.certify import example, said, site_with
from tests.fixtures.roads import RoadNetwork
from tests.unit.test_certify_own import exported
from tests.unit.test_daily import snapshot_of

pytestmark = pytest.mark.roads


def test_our_own_day_passes_on_the_roads_it_was_planned_on(road_town: RoadNetwork) -> None:
    """As JSON and as CSV; travel is judged, a curb's side by the way that leads there."""
    region = site_with(example().sites[0].id, curb=True)
    search = partial(solve, budget_s=1.0, seed=1, effort=0.1)
    plan = plan_day(snapshot_of(region), road_town.travel, search, geometry=False)
    for told in exported(plan, region):
        certificate = certify(told, region, road_town.travel)
        assert [certificate.message(one, "en") for one in certificate.findings] == []
        assert {"travel-time", "no-road", "curb-side"} <= {rule.id for rule in certificate.judged}
        assert {one.rule for one in certificate.not_judged} <= {"daily-rest", "driving-week"}


def test_a_way_that_no_truck_drives_so_fast(road_town: RoadNetwork) -> None:
    """A second from the depot to the first site is less than the roads take, tolerance included."""
    region = example()
    search = partial(solve, budget_s=1.0, seed=1, effort=0.1)
    plan, _ = exported(
        plan_day(snapshot_of(region), road_town.travel, search, geometry=False), region
    )
    tour = plan.tours[0]
    stops = [stop for stop in tour.stops if stop.action is not Action.BREAK]
    first = stops[1]
    late_start = dataclasses.replace(
        stops[0], arrival_s=(first.arrival_s or 0) - 1, departure_s=(first.arrival_s or 0) - 1
    )
    hasty = dataclasses.replace(tour, stops=(late_start, *stops[1:]))
    [message] = said("travel-time", hasty, region=region, travel=road_town.travel)
    assert message.startswith(
        f"tour {tour.vehicle}: 1 s from depot to {first.place}, the roads take"
    )
