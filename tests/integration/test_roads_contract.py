"""What every road engine owes, in this process or from a server (`travel` is both)."""

import itertools

import numpy as np
import pytest
from numpy.random import default_rng

from config.errors import RoadsError
from optimizer.model import UNREACHABLE
from optimizer.road_times import Places, TravelTimes
from optimizer.roads.embedded import EmbeddedEngine
from optimizer.roads.extract import road_points
from optimizer.roads.haversine import haversine_m
from optimizer.roads.http import HttpEngine, http_info
from optimizer.roads.osrm import OsrmTravelTimes
from tests.fixtures.roads import RoadNetwork

pytestmark = pytest.mark.roads
PARIS = (2.35, 48.86)


@pytest.fixture(scope="module")
def places(road_town: RoadNetwork) -> Places:
    """60 places beside the town's streets."""
    rng = default_rng(1)
    points = road_points(road_town.source.extract).lon_lat
    chosen = rng.choice(len(points), 60, replace=False)
    return Places.of(points[chosen] + rng.normal(0, 1e-4, (60, 2)))


def test_bad_places_are_quarantined_one_by_one(travel: TravelTimes, places: Places) -> None:
    """NaN, out of range and 500 km away are each reported; their neighbours are found."""
    bad = [(np.nan, 52.02), (8.53, 95.0), (500.0, 52.02), PARIS]
    mixed = Places.of(np.vstack([places.lon_lat[:3], bad, places.lon_lat[3:6]]))
    snapped = travel.snap(mixed)
    assert snapped.ok.tolist() == [True] * 3 + [False] * 4 + [True] * 3
    assert np.isinf(snapped.distance_m[3:7]).all()
    assert np.isnan(snapped.lon_lat[3:7]).all()
    assert (snapped.distance_m[snapped.ok] < 60).all()


def test_a_snapped_place_lies_where_it_says(travel: TravelTimes, places: Places) -> None:
    """The distance is that between the place and its road point."""
    snapped = travel.snap(places)
    gaps_m = haversine_m(places.lon_lat, snapped.lon_lat)
    assert snapped.distance_m == pytest.approx(gaps_m, rel=0.02, abs=0.3)


def test_a_bad_place_harms_no_other_row(travel: TravelTimes, places: Places) -> None:
    """The matrix is the same with and without a bad place among the good ones."""
    good = places.take(np.arange(10))
    mixed = Places.of(np.vstack([good.lon_lat[:5], [PARIS], good.lon_lat[5:]]))
    matrix, clean = travel.matrix(mixed), travel.matrix(good)
    keep = np.delete(np.arange(11), 5)
    assert (matrix.duration_s[np.ix_(keep, keep)] == clean.duration_s).all()
    assert (matrix.duration_s[5, keep] == UNREACHABLE).all()
    assert (matrix.distance_m[keep, 5] == UNREACHABLE).all()


def test_every_street_reaches_every_street(travel: TravelTimes, places: Places) -> None:
    """In the town no place by a street is cut off, and no way is shorter than a straight line."""
    matrix = travel.matrix(places)
    assert matrix.duration_s.min() == 0
    assert (matrix.duration_s.diagonal() == 0).all()
    road = travel.snap(places).lon_lat
    straight_m = haversine_m(road[:, None], road[None, :])
    assert (matrix.distance_m >= straight_m * 0.99 - 1).all()
    assert matrix.duration_s.dtype == np.int64


def test_there_and_back_are_different_ways(travel: TravelTimes, places: Places) -> None:
    """One-ways and turns make a matrix asymmetric; nobody may fold it."""
    seconds = travel.matrix(places).duration_s
    assert 0.01 < np.abs(seconds - seconds.T).mean() / seconds.mean() < 0.2


def test_a_route_takes_as_long_as_its_matrix_legs(travel: TravelTimes, places: Places) -> None:
    """Seconds and metres of a tour equal the matrix legs within 0.1 %."""
    order = default_rng(2).permutation(len(places))
    matrix, route = travel.matrix(places), travel.route(places.take(order))
    legs = order[:-1], order[1:]
    assert route.leg_s.sum() == pytest.approx(matrix.duration_s[legs].sum(), rel=0.001)
    assert route.leg_m.sum() == pytest.approx(matrix.distance_m[legs].sum(), rel=0.001)


def test_a_routes_geometry_leads_from_stop_to_stop(travel: TravelTimes, places: Places) -> None:
    """Each leg has its own line, as long as it says, that starts where the last one ended."""
    stops = places.take(np.array([0, 1, 1, 2, 3]))  # also a stop at the same place twice
    route, road = travel.route(stops), travel.snap(stops).lon_lat
    assert len(route.legs) == len(route.leg_s) == 4
    for leg, start, end, metres in zip(route.legs, road, road[1:], route.leg_m, strict=False):
        assert leg[[0, -1]] == pytest.approx(np.array([start, end]), abs=2e-6)
        assert haversine_m(leg[:-1], leg[1:]).sum() == pytest.approx(metres, rel=0.01, abs=1)
    for one, other in itertools.pairwise(route.legs):
        assert one[-1] == pytest.approx(other[0])


def test_a_stop_without_a_road_is_named(travel: TravelTimes, places: Places) -> None:
    """A route over a bad place says which one it is."""
    with pytest.raises(RoadsError, match="stop 1 "):
        travel.route(Places.of([places.lon_lat[0], PARIS]))


def test_a_route_of_one_stop_goes_nowhere(travel: TravelTimes, places: Places) -> None:
    """No leg, no error."""
    assert travel.route(places.take([0])).legs == ()
    assert travel.matrix(places.take([])).duration_s.shape == (0, 0)
    assert len(travel.snap(places.take([])).ok) == 0


def test_the_curb_side_costs_time(travel: TravelTimes, places: Places) -> None:
    """To reach places on the truck's right only, it drives further.

    A side that no truck can come along (all other streets there lead away) is reported by snap.
    """
    asked = Places.of(places.lon_lat, np.ones(len(places)))
    ok = np.flatnonzero(travel.snap(asked).ok)
    assert len(ok) >= len(places) - 2
    curb = asked.take(ok)
    free_s, curb_s = travel.matrix(places.take(ok)).duration_s, travel.matrix(curb).duration_s
    assert (curb_s >= 0).all()
    assert 1.02 < curb_s.mean() / free_s.mean() < 1.5
    order = np.arange(30)
    legs_s = travel.route(curb.take(order)).leg_s
    assert legs_s.sum() == pytest.approx(curb_s[order[:-1], order[1:]].sum(), rel=0.001)


def test_large_matrices_are_asked_in_blocks(road_town: RoadNetwork, places: Places) -> None:
    """Where the blocks are cut makes no difference, nor does the order of the places."""
    engine = EmbeddedEngine(road_town.graph)
    engine.block = 7
    whole = road_town.travel.matrix(places)
    cut = OsrmTravelTimes(engine, road_town.travel.info)
    assert (cut.matrix(places).duration_s == whole.duration_s).all()
    assert (cut.matrix(places).distance_m == whole.distance_m).all()
    assert (cut.snap(places).ok == road_town.travel.snap(places).ok).all()
    order = default_rng(6).permutation(len(places))
    turned = road_town.travel.matrix(places.take(order))
    assert (turned.duration_s == whole.duration_s[np.ix_(order, order)]).all()


def test_a_server_that_is_not_there_is_one_clear_line() -> None:
    """The address is named, and the setting."""
    travel = OsrmTravelTimes(HttpEngine("http://127.0.0.1:1"), http_info("http://127.0.0.1:1"))
    with pytest.raises(RoadsError, match=r"127\.0\.0\.1:1 .*BINROUND_OSRM_URL"):
        travel.snap(Places.of([(8.53, 52.02)]))


def test_a_matrix_too_large_for_a_server_says_so(osrm_server: str, places: Places) -> None:
    """The server's own limit is passed on, not taken for a missing road."""
    engine = HttpEngine(osrm_server)
    with pytest.raises(RoadsError, match="refuses a route request: TooBig"):
        engine.ask("route", places.take(np.arange(60).repeat(10)), [100.0] * 600)
