"""A day's plan, from what is known to tours that can be driven and explained."""

import dataclasses
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from config.errors import PlanError, RoadsError, SolverError
from config.region import Region, Vehicle, seconds_of_day
from config.region_folder import load_region
from optimizer.daily import DayPlan, DaySnapshot, SlicedTravel, containers_of, instant, plan_day
from optimizer.fill.evidence import Emptyings, Readings
from optimizer.model import UNREACHABLE, Problem, Reason, Solution, Unserved
from optimizer.road_times import Matrix, Places, Snapped
from optimizer.roads.haversine import Haversine
from optimizer.selection import FixedCalendar, Policy, RiskPriced, Threshold
from optimizer.solve import solve

TUESDAY = date(2026, 11, 24)
DAY = 86_400.0
search = partial(solve, budget_s=20.0, seed=1, effort=0.2)  # by steps, not by the clock


@pytest.fixture(scope="module")
def region() -> Region:
    """The tiny region that ships."""
    return load_region("example")


def snapshot_of(region: Region, day: date = TUESDAY, seed: int = 3) -> DaySnapshot:
    """A morning on which some containers are nearly full, some empty, all with sensors."""
    service, depot = region.services[0], region.depots[0]
    n = len(containers_of(region, service, depot))
    rng = np.random.default_rng(seed)
    decided_at = instant(region, day, 5.5 * 3600)
    now = decided_at.timestamp()
    rate, age = rng.uniform(0.04, 0.12, n), rng.uniform(2, 11, n)
    which = np.repeat(np.arange(n), 24)
    ago = np.tile(np.arange(24) / 6.0, n)
    seen = ago < age[which]
    which, ago = which[seen], ago[seen]
    noise = 0.03 * rng.normal(size=len(which))
    fill = np.clip(rate[which] * (age[which] - ago) + noise, 0, 1).astype(np.float64)
    return DaySnapshot(
        region=region,
        service=service,
        depot=depot,
        day=day,
        decided_at=decided_at,
        readings=Readings(which, np.asarray(now - ago * DAY, np.float64), fill),
        emptyings=Emptyings(np.arange(n), now - age * DAY, np.full(n, np.nan)),
        vehicles=region.vehicles,
    )


@pytest.fixture(scope="module")
def plan(region: Region) -> DayPlan:
    """A Tuesday, priced by risk."""
    return plan_day(snapshot_of(region), Haversine(), search)


class TestPlan:
    def test_it_collects_something_and_leaves_something(self, plan: DayPlan) -> None:
        """The morning is made so that some containers are due and some are not."""
        assert 0 < len(plan.emptied) < len(plan.snapshot.containers)
        assert not plan.report.violations

    def test_every_container_is_emptied_or_its_waiting_explained(self, plan: DayPlan) -> None:
        """No container is forgotten: it is in a tour, or there is a sentence why not."""
        assert len(set(plan.emptied)) == len(plan.emptied)
        for container in plan.snapshot.containers:
            reason = plan.why_not(container.id)
            assert (reason is None) == (container.id in plan.emptied)
            assert reason is None or (reason.en and reason.de)

    def test_stops_follow_each_other_in_time(self, plan: DayPlan) -> None:
        """Stops are numbered from 1 and none begins before the one before has ended."""
        for tour in plan.tours:
            assert [stop.number for stop in tour.stops] == list(range(1, len(tour.stops) + 1))
            assert tour.start_s <= tour.stops[0].arrival_s
            assert tour.stops[-1].departure_s <= tour.end_s
            for stop in tour.stops:
                assert stop.arrival_s <= stop.start_s <= stop.departure_s
            for one, following in pairwise(tour.stops):
                assert one.departure_s <= following.start_s

    def test_trucks_come_home_empty(self, plan: DayPlan) -> None:
        """What is collected is unloaded, to the kilogram."""
        for tour in plan.tours:
            collected = sum(stop.kg for stop in tour.stops if stop.kind == "visit")
            unloaded = sum(stop.kg for stop in tour.stops if stop.kind == "unload")
            assert collected == pytest.approx(unloaded) == pytest.approx(tour.kg)
            assert tour.stops[-1].load_kg == pytest.approx(0)
            assert tour.trips == sum(stop.kind == "unload" for stop in tour.stops)

    def test_a_share_of_each_truck_is_kept_free(self, plan: DayPlan) -> None:
        """Levels are estimates; what turns out fuller than believed still fits."""
        reserve = plan.snapshot.service.load_reserve
        declared = {vehicle.id: vehicle for vehicle in plan.snapshot.vehicles}
        assert reserve > 0
        for truck in plan.day.problem.trucks:
            vehicle = declared[truck.id]
            assert truck.payload_kg == pytest.approx(vehicle.payload_kg * (1 - reserve))
            for part in truck.compartments:
                largest = max(whole.capacity_l for whole in vehicle.compartments)
                assert part.capacity_l <= largest * (1 - reserve) + 1e-6

    def test_noise_hours_and_shifts_hold(self, plan: DayPlan) -> None:
        """Collection lies between the service's hours, tours in their shifts."""
        service = plan.snapshot.service
        trucks = {vehicle.id: vehicle for vehicle in plan.snapshot.vehicles}
        for tour in plan.tours:
            truck = trucks[tour.vehicle]
            assert seconds_of_day(truck.shift_start) <= tour.start_s
            assert tour.end_s <= seconds_of_day(truck.shift_end)
            for stop in tour.stops:
                if stop.kind == "visit":
                    assert seconds_of_day(service.earliest) <= stop.start_s
                    assert stop.departure_s <= seconds_of_day(service.latest)

    def test_money_fuel_and_emissions_add_up(self, plan: DayPlan) -> None:
        """Euro by part are those of the tours; fuel is burnt by the kilometre and the hour."""
        assert sum(tour.eur for tour in plan.tours) == pytest.approx(plan.cost.total_eur)
        for tour in plan.tours:
            truck = next(v for v in plan.snapshot.vehicles if v.id == tour.vehicle)
            rest_h = sum(s.service_s for s in tour.stops if s.kind == "break") / 3600
            fuel = tour.km * truck.litres_per_km + (tour.hours - rest_h) * truck.litres_per_h
            assert tour.fuel_l == pytest.approx(fuel)
            assert tour.co2e_kg == pytest.approx(fuel * truck.kg_co2e_per_litre)

    def test_the_way_leads_from_the_depot_to_the_depot(self, plan: DayPlan) -> None:
        """There is one drive more than places, and it begins and ends at home."""
        depot = (plan.snapshot.depot.lon, plan.snapshot.depot.lat)
        for tour in plan.tours:
            places = [stop for stop in tour.stops if stop.kind != "break"]
            assert len(tour.legs) == len(places) + 1
            assert tuple(tour.legs[0][0]) == pytest.approx(depot)
            assert tuple(tour.legs[-1][-1]) == pytest.approx(depot)

    def test_what_a_visit_adds_is_what_is_saved_without_it(self, plan: DayPlan) -> None:
        """A visit is served only if it is worth what it adds; a little room for rounding."""
        for tour in plan.tours:
            visits = [stop.why for stop in tour.stops if stop.why]
            for why in visits:
                assert why.marginal_eur > 0
            worth = sum(why.prize_eur or float("inf") for why in visits)
            assert worth >= tour.eur

    def test_the_same_day_gives_the_same_plan(self, region: Region, plan: DayPlan) -> None:
        """Planning is a function of the snapshot, the roads and the seed."""
        again = plan_day(snapshot_of(region), Haversine(), search)
        assert again.emptied == plan.emptied
        assert again.km == plan.km

    def test_geometry_can_be_left_out(self, region: Region) -> None:
        """Studies need no lines on a map."""
        plain = plan_day(snapshot_of(region), Haversine(), search, geometry=False)
        assert all(tour.legs == () for tour in plain.tours)


@pytest.mark.parametrize("policy", [RiskPriced(), Threshold(0.8), FixedCalendar(10)])
def test_every_policy_plans_through_the_same_function(region: Region, policy: Policy) -> None:
    """What is compared differs in nothing but what it wants emptied."""
    plan = plan_day(snapshot_of(region), Haversine(), search, policy)
    assert plan.decision.policy == policy.name
    wanted = {c.id for c, t in zip(region.containers, plan.decision.choice.take, strict=True) if t}
    assert set(plan.emptied) <= wanted


def test_learning_day_by_day_is_learning_at_once(region: Region) -> None:
    """A study hands each day's belief to the next and gets what production gets."""
    whole = snapshot_of(region)
    cut = instant(region, TUESDAY - timedelta(days=1), 0).timestamp()

    def part(evidence, early: bool):  # type: ignore[no-untyped-def]
        keep = (evidence.time_s < cut) == early
        return type(evidence)(evidence.container[keep], evidence.time_s[keep], evidence.fill[keep])

    monday = dataclasses.replace(
        whole,
        day=TUESDAY - timedelta(days=1),
        decided_at=instant(region, TUESDAY - timedelta(days=1), 5.5 * 3600),
        readings=part(whole.readings, True),
        emptyings=part(whole.emptyings, True),
    )
    first = plan_day(monday, Haversine(), search, geometry=False)
    second = dataclasses.replace(
        whole,
        readings=part(whole.readings, False),
        emptyings=part(whole.emptyings, False),
        belief=first.belief,
    )
    stepwise = plan_day(second, Haversine(), search, geometry=False)
    at_once = plan_day(whole, Haversine(), search, geometry=False)
    seen = ~np.isnan(at_once.belief.emptied_s)
    assert stepwise.belief.level[seen] == pytest.approx(at_once.belief.level[seen], abs=0.01)


def test_a_weekend_makes_waiting_dearer(region: Region) -> None:
    """On a Friday the next chance is three days away, so more is worth a visit of its own."""
    friday = TUESDAY + timedelta(days=3)
    chosen = [
        plan_day(snapshot_of(region, day), Haversine(), search).decision
        for day in (TUESDAY, friday)
    ]
    assert chosen[0].outlook.gap_days == pytest.approx(1)
    assert chosen[1].outlook.gap_days == pytest.approx(3)
    worth = [sum(one.choice.prize_eur > one.occasion.usual_eur) for one in chosen]
    assert worth[1] > worth[0]


class TestRefusals:
    def test_a_day_off(self, region: Region) -> None:
        """A Sunday or holiday is refused with its name and the next day that works."""
        sunday = date(2026, 11, 29)
        with pytest.raises(PlanError, match=r"a Sunday\); the next one is 2026-11-30"):
            plan_day(snapshot_of(region, sunday), Haversine(), search)
        closed = region.model_copy(update={"holidays": {TUESDAY: "Buß- und Bettag"}})
        with pytest.raises(PlanError, match=r"Bettag\); the next one is 2026-11-25"):
            plan_day(snapshot_of(closed), Haversine(), search)

    def test_no_vehicle(self, region: Region) -> None:
        """Without a vehicle there is nothing to plan."""
        with pytest.raises(PlanError, match=r"no vehicle for glass .* vehicles\.toml"):
            plan_day(dataclasses.replace(snapshot_of(region), vehicles=()), Haversine(), search)

    def test_no_container(self, region: Region) -> None:
        """A service without containers says where to add some."""
        bare = region.model_copy(update={"containers": ()})
        snapshot = dataclasses.replace(
            snapshot_of(region),
            region=bare,
            readings=Readings.none(),
            emptyings=Emptyings.none(),
        )
        with pytest.raises(PlanError, match="has no containers of glass"):
            plan_day(snapshot, Haversine(), search)

    def test_no_open_facility(self, region: Region) -> None:
        """Trucks end empty, so a day without a place to unload is refused."""
        closed = frozenset(facility.id for facility in region.facilities)
        with pytest.raises(PlanError, match=r"no facility that takes glass is open on 2026-11-24"):
            plan_day(dataclasses.replace(snapshot_of(region), closed=closed), Haversine(), search)

    def test_a_plan_that_breaks_a_rule(self, region: Region) -> None:
        """Whatever a solver returns, an illegal plan never leaves."""

        def wild(problem: Problem) -> Solution:
            found = search(problem)
            tour = dataclasses.replace(found.tours[0], start_s=0)
            return dataclasses.replace(found, tours=(tour, *found.tours[1:]))

        with pytest.raises(SolverError, match="is refused, it breaks"):
            plan_day(snapshot_of(region), Haversine(), wild)


class Marsh(Haversine):
    """Roads that do not reach some places."""

    def __init__(self, lost: set[tuple[float, float]]) -> None:
        self._lost = lost

    def snap(self, places: Places) -> Snapped:
        """Say that the lost places are far from any road."""
        found = super().snap(places)
        lost = np.array([tuple(point) in self._lost for point in places.lon_lat.tolist()])
        return Snapped(found.lon_lat, np.where(lost, 900.0, 0.0), found.ok & ~lost)


class TestRoads:
    def test_a_site_off_the_road_is_reported(self, region: Region, plan: DayPlan) -> None:
        """A site that no road leads to is no reason to fail; it is named as unreachable."""
        site = region.site_by_id[plan.day.candidates[0].site.id]
        lost = plan_day(snapshot_of(region), Marsh({(site.lon, site.lat)}), search)
        [reported] = [one for one in lost.left_out if one.reason is Reason.UNREACHABLE]
        assert reported.site == site.id
        assert reported.containers

    def test_a_depot_off_the_road_is_refused(self, region: Region) -> None:
        """Nothing can start from there; the message says what to correct."""
        depot = region.depots[0]
        with pytest.raises(RoadsError, match="900 m from the nearest road"):
            plan_day(snapshot_of(region), Marsh({(depot.lon, depot.lat)}), search)

    def test_one_matrix_serves_every_day(self, region: Region) -> None:
        """A slice of the matrix of all places is what the engine would answer."""
        points = [(site.lon, site.lat) for site in region.sites]
        every = SlicedTravel(Haversine(), Places.of(points))
        some = Places.of([points[4], points[1], points[7]])
        engine: Matrix = Haversine().matrix(some)
        assert np.array_equal(every.matrix(some).duration_s, engine.duration_s)
        assert np.allclose(every.matrix(some).distance_m, engine.distance_m)
        assert every.snap(some).ok.all()
        strange = Places.of([points[0], (8.6, 52.1)])
        assert every.matrix(strange).duration_s[0, 1] != UNREACHABLE


def test_nothing_to_do_needs_no_solver(region: Region) -> None:
    """After everything was emptied an hour ago there is no tour, and nobody is asked for one."""
    quiet = snapshot_of(region)
    n = len(quiet.containers)
    hour_ago = np.full(n, quiet.decided_at.timestamp() - 3600)
    quiet = dataclasses.replace(
        quiet,
        readings=Readings.none(),
        emptyings=Emptyings(np.arange(n), hour_ago, np.full(n, np.nan)),
    )

    def never(problem: Problem) -> Solution:
        raise AssertionError(problem.name)

    plan = plan_day(quiet, Haversine(), never)
    assert plan.tours == ()
    assert plan.cost.total_eur == 0


def test_trucks_that_do_not_take_the_fractions(region: Region) -> None:
    """When no truck has a compartment for it, every site says so."""
    useless = tuple(
        Vehicle.model_validate(
            vehicle.model_dump()
            | {"compartments": [{"fractions": ["textiles"], "capacity_l": 1, "capacity_kg": 1}]}
        )
        for vehicle in region.vehicles
    )
    plan = plan_day(dataclasses.replace(snapshot_of(region), vehicles=useless), Haversine(), search)
    assert plan.tours == ()
    assert {one.reason for one in plan.left_out} == {Reason.NO_TRUCK}


class TestClockOfTheRegion:
    def test_seconds_are_the_wall_clock(self, region: Region) -> None:
        """Seven in the morning is seven in the morning, in winter, summer and in between."""
        for day in (date(2026, 1, 15), date(2026, 7, 15), date(2026, 3, 29), date(2026, 10, 25)):
            at = instant(region, day, 7 * 3600)
            assert at.tzinfo is UTC
            assert at.astimezone(region.time_zone).time() == time(7)
            assert at.astimezone(region.time_zone).date() == day

    def test_the_morning_after_the_change_has_its_hour_less(self, region: Region) -> None:
        """From Saturday to Sunday of the change to summer time only 23 hours pass."""
        saturday, sunday = date(2026, 3, 28), date(2026, 3, 29)
        passed = instant(region, sunday, 25_200) - instant(region, saturday, 25_200)
        assert passed == timedelta(hours=23)


def test_a_decision_during_the_day_looks_from_now(region: Region) -> None:
    """At noon, what could have overflowed in the morning is no reason any more."""
    noon = dataclasses.replace(
        snapshot_of(region), decided_at=datetime(2026, 11, 24, 11, tzinfo=UTC)
    )
    decision = plan_day(noon, Haversine(), lambda p: left_out(p)).decision
    assert decision.outlook.gap_days == pytest.approx(19 / 24)


def left_out(problem: Problem) -> Solution:
    """A solution that serves nobody."""
    return Solution((), tuple(Unserved(i, Reason.TIME) for i in range(len(problem.visits))))
