"""A truck's day: from the tour it received to positions and events."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.region import seconds_of_day
from config.region_folder import load_region
from ingest.messages import EventKind, TourDown, TourStop
from optimizer.polyline import encode
from simulator.drive import Drive, DriveModel, drive
from simulator.load import Load
from simulator.waste import Waste
from simulator.way import Way

REGION = load_region("example")
DAY = date(2026, 6, 1)
TRUCK = REGION.vehicles[0]
DEPOT = REGION.depots[0]
PLANT = REGION.facilities[0]
LEAVES = datetime(2026, 6, 1, 4, 45, tzinfo=UTC)  # 06:45 in Berlin
ON_TIME = DriveModel(leg_log_sd=0, service_log_sd=0, gps_m=0)
KM = 1000 / 111_195  # of latitude, in degrees


def world(seed: int = 1) -> Waste:
    """Return a world that has been filling for a week."""
    return Waste(REGION, seed, DAY - timedelta(days=7))


def tour(*stops: TourStop, minutes: int, corner_km: float = 6.0) -> TourDown:
    """Return a tour north along a line of latitude steps and back, with its geometry."""
    north = np.array([(DEPOT.lon, DEPOT.lat + step * KM) for step in np.arange(0, corner_km, 0.1)])
    return TourDown(
        tour="p-truck",
        revision=1,
        plan="p",
        vehicle=TRUCK.id,
        day=DAY.isoformat(),
        start=LEAVES,
        end=LEAVES + timedelta(minutes=minutes),
        stops=stops,
        geometry=encode(np.vstack((north, north[::-1]))),
    )


def visit(number: int, minute: int, km: float, *containers: str, service_s: int = 450) -> TourStop:
    """Return a visit so many kilometres north of the depot."""
    return TourStop(
        number=number,
        kind="visit",
        id="s",
        name="",
        lon=DEPOT.lon,
        lat=DEPOT.lat + km * KM,
        arrival=LEAVES + timedelta(minutes=minute),
        service_s=service_s,
        containers=containers,
    )


def other(number: int, kind: str, minute: int, service_s: int, km: float | None = None) -> TourStop:
    """Return an unloading so many kilometres north of the depot, or a break."""
    return TourStop(
        number=number,
        kind=kind,
        id=PLANT.id if kind == "unload" else "ArbZG §4",
        name="",
        lon=None if km is None else DEPOT.lon,
        lat=None if km is None else DEPOT.lat + km * KM,
        arrival=LEAVES + timedelta(minutes=minute),
        service_s=service_s,
    )


def names(count: int) -> list[str]:
    """Return containers of a fraction that the truck and the plant take."""
    return [c.id for c in REGION.containers if c.fraction == "glass-white"][:count]


def usual() -> TourDown:
    """Return a tour with visits, a break on the way, an unloading, and the way back."""
    a, b, c = names(3)
    return tour(
        visit(1, 30, 2, a, b),
        other(2, "break", 50, 2700),
        visit(3, 105, 4, c),
        other(4, "unload", 125, 900, 5),
        minutes=180,
    )


def driven(which: TourDown, model: DriveModel | None = ON_TIME, late_s: float = 0) -> Drive:
    """Drive a tour in a fresh world."""
    return drive(which, REGION, world(), 1, LEAVES.timestamp() + late_s, model)


def events(day: Drive) -> list[tuple[str, int | None, float]]:
    """Return kind, stop and minute of each event."""
    start = LEAVES.timestamp()
    return [(h.kind.value, h.fields.get("stop"), (h.time - start) / 60) for h in day.happenings]


def test_a_tour_is_driven_as_planned_when_nothing_disturbs_it() -> None:
    """Arrivals, services, break, unloading and return come at their planned times, in order."""
    told = [(kind, stop, round(minute, 6)) for kind, stop, minute in events(driven(usual()))]
    assert told == [
        ("tour-start", None, 0),
        ("stop-arrive", 1, 30),
        ("lift", 1, 32.5),
        ("lift", 1, 35),
        ("stop-done", 1, 37.5),
        ("break-start", 2, 50),
        ("break-end", 2, 95),
        ("stop-arrive", 3, 105),
        ("lift", 3, 108.75),
        ("stop-done", 3, 112.5),
        ("stop-arrive", 4, 125),
        ("unload", 4, 140),
        ("stop-done", 4, 140),
        ("tour-end", None, 180),
    ]


def test_there_is_a_position_for_every_second_and_no_jump() -> None:
    """1 Hz from the depot and back to it, never faster than a truck."""
    fixes = driven(usual()).fixes
    assert (np.diff(fixes.time) == 1).all()
    assert fixes.time[0] == LEAVES.timestamp()
    assert len(fixes.time) == pytest.approx(180 * 60, abs=2)
    metres = np.hypot(*(np.diff(fixes.lon_lat, axis=0) * [68_500, 111_195]).T)
    assert metres.max() < 25
    np.testing.assert_allclose(fixes.lon_lat[[0, -1]], [(DEPOT.lon, DEPOT.lat)] * 2, atol=1e-3)
    north = fixes.time < LEAVES.timestamp() + 60 * 20
    assert set(fixes.heading_deg[north]) == {0.0}


def test_it_stands_where_it_works_and_where_it_rests() -> None:
    """During service, break and unloading the truck does not move."""
    day = driven(usual())
    minute = (day.fixes.time - LEAVES.timestamp()) / 60
    for begin, end, km in ((30, 37.5, 2), (50, 95, None), (105, 112.5, 4), (125, 140, 5)):
        there = (minute > begin) & (minute < end)
        assert np.ptp(day.fixes.lon_lat[there], axis=0).max() == 0
        assert day.fixes.speed_mps[there][1:-1].max() == 0
        if km is not None:
            at = (day.fixes.lon_lat[there][0, 1] - DEPOT.lat) / KM
            assert at == pytest.approx(km, abs=0.06)


def test_lifts_weigh_what_the_containers_hold_and_unloading_their_sum() -> None:
    """Kilograms come from the world, and what was lifted is what is unloaded."""
    day, waste = driven(usual()), world()
    lifts = [h for h in day.happenings if h.kind is EventKind.LIFT]
    for lift in lifts:
        held = waste.kg(waste.index[lift.fields["container"]], lift.time)
        assert lift.fields["kg"] == pytest.approx(held, abs=0.06)
    (unload,) = (h for h in day.happenings if h.kind is EventKind.UNLOAD)
    assert unload.fields["kg"] == pytest.approx(sum(h.fields["kg"] for h in lifts), abs=0.2)
    assert unload.fields["facility"] == PLANT.id
    assert [waste.ids[which] for which, _ in day.emptied] == names(3)


def test_the_same_tour_in_the_same_world_is_driven_alike() -> None:
    """A restart goes on with the day that had begun."""
    one, two = (driven(usual(), DriveModel()) for _ in range(2))
    assert one.happenings == two.happenings
    np.testing.assert_array_equal(one.fixes.lon_lat, two.fixes.lon_lat)


def test_noise_changes_times_but_not_the_order() -> None:
    """Legs and services vary; what is done, and in which order, does not."""
    noisy, calm = driven(usual(), DriveModel()), driven(usual())
    assert [h[:2] for h in events(noisy)] == [h[:2] for h in events(calm)]
    late = [a[2] - b[2] for a, b in zip(events(noisy), events(calm), strict=True)]
    assert 0 < max(map(abs, late)) < 40
    assert all(a.time <= b.time for a, b in pairwise(noisy.happenings))


def test_a_tour_that_comes_late_begins_late() -> None:
    """A truck does not leave before it has its tour."""
    assert events(driven(usual(), late_s=3600))[0][2] == pytest.approx(60)


def test_no_noise_before_the_hours_of_rest_end() -> None:
    """A truck that is early waits before it lifts."""
    service = REGION.services[0]
    early = driven(tour(visit(1, 5, 2, *names(1)), minutes=40))
    opens_s = seconds_of_day(service.earliest)
    opens = (REGION.midnight(DAY) + timedelta(seconds=opens_s)).timestamp()
    (lift,) = (h for h in early.happenings if h.kind is EventKind.LIFT)
    assert lift.time == pytest.approx(opens + 225)


def test_what_does_not_fit_is_left_with_a_reason() -> None:
    """A full truck fails the stop and says why; what was left is not emptied."""
    many = names(len(REGION.containers))
    assert len(many) > 4
    stops = [visit(n, 15 * n + 15, 0.3 * n, name) for n, name in enumerate(many * 3, 1)]
    small = TRUCK.model_copy(update={"payload_kg": 700.0})
    region = REGION.model_copy(update={"vehicles": (small, *REGION.vehicles[1:])})
    day = drive(tour(*stops, minutes=15 * len(stops) + 60), region, world(), 1, 0, ON_TIME)
    lifted = [h.fields["kg"] for h in day.happenings if h.kind is EventKind.LIFT]
    failed = [h.fields for h in day.happenings if h.kind is EventKind.STOP_FAILED]
    assert sum(lifted) <= 700
    assert failed
    assert {fields["reason"] for fields in failed} == {"the truck is full"}
    assert len(day.emptied) == len(lifted)


def test_without_geometry_it_drives_straight() -> None:
    """Where travel times are an estimate there is no geometry; the truck drives all the same."""
    day = driven(usual().model_copy(update={"geometry": ""}))
    assert day.km == pytest.approx(10, rel=0.01)
    assert [h[:2] for h in events(day)] == [h[:2] for h in events(driven(usual()))]


@given(st.lists(st.integers(0, 39), min_size=1, max_size=12).map(sorted), st.booleans())
def test_stops_lie_in_order_on_a_way_that_passes_places_twice(
    places: list[int], closed: bool
) -> None:
    """Out and back on one street: each stop is found on its own side of the tour."""
    out = np.array([(8.5, 52 + step * 0.1 * KM) for step in range(20)])
    back = out[::-1] if closed else out[::-1] + np.array([0.01, 0])
    points = np.vstack((out, back))
    way = Way(points)
    located = way.locate(points[places])
    assert (np.diff(located) >= 0).all()
    np.testing.assert_allclose(way.at(located)[0], points[places], atol=1e-9)


def test_loads_keep_to_compartments_and_payload() -> None:
    """Weight, volume and the payload over all compartments each stop a lift."""
    compartment = TRUCK.compartments[0]
    fraction = compartment.fractions[0]
    load = Load(TRUCK, REGION)
    assert load.takes(fraction, compartment.capacity_kg - 1e-6) == (
        compartment.capacity_kg / REGION.fraction_by_id[fraction].truck_kg_per_m3 * 1000
        <= compartment.capacity_l
    )
    assert not load.takes(fraction, compartment.capacity_kg + 1)
    assert not load.takes("no-such-fraction", 1)
    load.add(fraction, 500)
    assert load.unload([fraction]) == 500
    assert load.unload([fraction]) == 0
