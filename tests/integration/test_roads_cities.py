"""Real streets: the rules hold where nobody laid them out for us."""

import numpy as np
import pytest

from optimizer.road_times import Places
from optimizer.roads.extract import connected, network, road_points
from tests.fixtures.roads import RoadNetwork

pytestmark = pytest.mark.roads


@pytest.fixture(scope="module", params=["kaiserslautern", "heidelberg"])
def city(request: pytest.FixtureRequest) -> RoadNetwork:
    """One real city after the other."""
    network: RoadNetwork = request.getfixturevalue(request.param)
    return network


@pytest.fixture(scope="module")
def places(city: RoadNetwork) -> Places:
    """150 places some 10 m beside smaller streets."""
    rng = np.random.default_rng(3)
    points = road_points(city.source.extract).lon_lat
    return Places.of(rng.choice(points, 150) + rng.normal(0, 1e-4, (150, 2)))


def test_street_points_are_near_what_a_truck_can_use(city: RoadNetwork, places: Places) -> None:
    """Nearly every point that is offered for placing things is good for a tour."""
    snapped = city.travel.snap(places)
    assert snapped.ok.mean() > 0.97
    assert np.median(snapped.distance_m) < 15


def test_what_snap_accepts_the_matrix_connects(city: RoadNetwork, places: Places) -> None:
    """Quarantine leaves a matrix without gaps."""
    good = places.take(np.flatnonzero(city.travel.snap(places).ok))
    assert (city.travel.matrix(good).duration_s >= 0).all()


def test_tours_take_as_long_as_their_matrix_legs(city: RoadNetwork, places: Places) -> None:
    """Within 0.1 %, with the curb asked for at every third place."""
    curb = Places.of(places.lon_lat, np.arange(len(places)) % 3 == 0)
    good = curb.take(np.flatnonzero(city.travel.snap(curb).ok))
    matrix = city.travel.matrix(good)
    order = np.random.default_rng(4).permutation(len(good))
    route = city.travel.route(good.take(order))
    assert route.leg_s.sum() == pytest.approx(
        matrix.duration_s[order[:-1], order[1:]].sum(), rel=0.001
    )


def test_there_and_back_differ(city: RoadNetwork, places: Places) -> None:
    """Real streets are asymmetric by a few per cent."""
    good = places.take(np.flatnonzero(city.travel.snap(places).ok))
    seconds = city.travel.matrix(good).duration_s
    assert 0.01 < np.abs(seconds - seconds.T).mean() / seconds.mean() < 0.1


def test_the_network_is_mostly_one(city: RoadNetwork) -> None:
    """Most roads of an extract hang together; fenced yards and clipped edges do not."""
    roads = network(city.source.extract)
    assert 0.85 < len(connected(roads)) / len(roads) <= 1
    west, south, east, north = roads.bbox
    assert west < east
    assert south < north


def test_openstreetmap_is_thanked(city: RoadNetwork) -> None:
    """The attribution travels with the figures."""
    assert city.travel.info.attribution == "© OpenStreetMap contributors"
    assert not city.travel.info.estimate
