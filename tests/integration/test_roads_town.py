"""The generated town."""

import os
import resource
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.region import Roads
from optimizer.road_times import Places
from optimizer.roads import RoadsSource, find_roads, open_roads
from optimizer.roads.extract import Network, connected, network, road_points
from optimizer.roads.haversine import haversine_m
from optimizer.roads.town import write_town
from tests.fixtures.roads import TOWN_CENTRE, TOWN_RADIUS_M, RoadNetwork

WRITE = (
    "import sys, pathlib; from optimizer.roads.town import write_town;"
    "write_town(pathlib.Path(sys.argv[1]), 7, 1500.0, 8.53, 52.02, blocks=250)"
)


def _tags(extract: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    for thing in osmium.FileProcessor(str(extract)):
        counts.update(f"{key}={value}" for key, value in dict(thing.tags).items())
    return counts


def test_the_same_seed_gives_the_same_bytes(road_town: RoadNetwork, tmp_path: Path) -> None:
    """In any process, in any order of hashing; another seed gives another town."""
    again, other = tmp_path / "again.osm.pbf", tmp_path / "other.osm.pbf"
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run([sys.executable, "-c", WRITE, str(again)], check=True, env=environment)
    write_town(other, 8, TOWN_RADIUS_M, *TOWN_CENTRE, blocks=250)
    assert again.read_bytes() == road_town.source.extract.read_bytes() != other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.osm.pbf", "other.osm.pbf"]


@given(seed=st.integers(0, 2**32), radius_m=st.floats(600, 3000))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_town_cuts_a_street_off(tmp_path: Path, seed: int, radius_m: float) -> None:
    """Whatever the seed: from every street that is open to trucks one reaches all others."""
    extract = tmp_path / "town.osm.pbf"
    write_town(extract, seed, radius_m, *TOWN_CENTRE, blocks=60)
    roads = network(extract)
    unlimited = roads.take(np.flatnonzero(~roads.limited))
    assert len(connected(unlimited)) == len(unlimited) > 100


def test_it_has_what_a_town_has(tmp_path: Path) -> None:
    """Classes of roads, one-ways, limits, restrictions, signals and names, in fair numbers."""
    extract = tmp_path / "town.osm.pbf"
    write_town(extract, 3, 4500, *TOWN_CENTRE)
    counts, roads = _tags(extract), network(extract)
    assert 3600 < len(roads) < 4600
    fewest = {
        "highway=primary": 100,
        "highway=secondary": 50,
        "highway=tertiary": 50,
        "highway=residential": 2000,
        "highway=living_street": 100,
        "highway=traffic_signals": 50,
        "highway=turning_circle": 50,
        "oneway=yes": 100,
        "maxweight=3.5": 10,
        "maxheight=3.2": 1,
        "restriction=no_left_turn": 40,
        "restriction=no_u_turn": 40,
    }
    assert {tag: counts[tag] for tag in fewest if counts[tag] < fewest[tag]} == {}
    assert 300 < len(set(roads.name)) < 0.7 * len(roads)
    assert len(connected(roads)) > 0.99 * len(roads)


@pytest.mark.roads
def test_it_is_ready_within_seconds(tmp_path: Path) -> None:
    """Generated and prepared within 6 s on 2 cores, so within 12 s of computing."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    roads = Roads(centre_lon=8.53, centre_lat=52.02, town_radius_m=6500)
    open_roads(find_roads(roads, tmp_path), tmp_path)
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = sum(
        b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime
        for a, b in zip(before, after, strict=True)
    )
    assert spent < 12


@pytest.mark.roads
def test_real_places_get_an_access_road(road_town: RoadNetwork, tmp_path: Path) -> None:
    """A depot off the streets and one outside the town are reached; all else is the same."""
    doors = [(8.5301, 52.0311), (8.56, 52.02)]
    extract = tmp_path / "town.osm.pbf"
    write_town(extract, 7, TOWN_RADIUS_M, *TOWN_CENTRE, doors=doors, blocks=250)
    snapped = open_roads(RoadsSource(extract), tmp_path).snap(Places.of(doors))
    assert snapped.ok.all()
    assert (snapped.distance_m < 1).all()
    before, after = network(road_town.source.extract), network(extract)
    assert len(after) == len(before) + len(doors)
    assert (after.lon_lat[: len(before.lon_lat)] == before.lon_lat).all()


@pytest.mark.roads
def test_every_end_of_a_street_is_reached(road_town: RoadNetwork) -> None:
    """Cul-de-sacs too: a 26 t truck gets to every open street of the town and back."""
    roads = network(road_town.source.extract)
    ends = np.array([roads.line(line)[-1] for line in np.flatnonzero(~roads.limited).tolist()])
    snapped = road_town.travel.snap(Places.of(ends))
    assert snapped.ok.all()
    assert (snapped.distance_m < 1).all()


@pytest.mark.roads
def test_closed_streets_are_not_driven(road_town: RoadNetwork) -> None:
    """No tour passes along a street that is limited to 3.5 t or 3.2 m."""
    roads = network(road_town.source.extract)
    closed = roads.take(np.flatnonzero(roads.limited))
    assert len(closed) > 0
    points = road_points(road_town.source.extract).lon_lat
    stops = np.random.default_rng(5).choice(points, 150)
    driven = {
        (tuple(a), tuple(b))
        for leg in road_town.travel.route(Places.of(stops)).legs
        for a, b in pairwise(leg.round(6).tolist())
    }
    for index in range(len(closed)):
        pieces = list(pairwise(map(tuple, closed.line(index).round(6).tolist())))
        assert not driven & {*pieces, *((b, a) for a, b in pieces)}


@pytest.mark.roads
def test_turn_restrictions_are_obeyed(road_town: RoadNetwork) -> None:
    """Where a left turn is forbidden the truck goes round; where not, it turns directly."""
    roads = network(road_town.source.extract)
    rules = _left_turns(road_town.source.extract)
    assert len(rules) >= 5
    for from_way, to_way in rules:
        if roads.limited[from_way - 1] or roads.limited[to_way - 1]:
            continue
        start, end, direct_m = _over_the_corner(roads, from_way - 1, to_way - 1)
        driven_m = road_town.travel.route(Places.of([start, end])).leg_m[0]
        assert driven_m > direct_m * 1.05, (from_way, to_way)
        if roads.oneway[from_way - 1] == roads.oneway[to_way - 1] == 0:
            back_m = road_town.travel.route(Places.of([end, start])).leg_m[0]
            assert back_m == pytest.approx(direct_m, rel=0.02)


def _left_turns(extract: Path) -> list[tuple[int, int]]:
    found = []
    for rule in osmium.FileProcessor(str(extract), osmium.osm.RELATION):
        if isinstance(rule, osmium.osm.Relation) and rule.tags["restriction"] == "no_left_turn":
            from_way, to_way = (member.ref for member in rule.members if member.type == "w")
            found.append((from_way, to_way))
    return found


def _over_the_corner(
    roads: Network, one: int, other: int
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return a point on each of two streets and the way over the corner between them."""
    first, second = roads.line(one), roads.line(other)
    if (first[0] == second).all(axis=1).any():
        first = first[::-1]
    if (second[-1] == first[-1]).all():
        second = second[::-1]
    start, end = first[-2:].mean(axis=0), second[:2].mean(axis=0)
    corner = first[-1]
    metres = float(haversine_m(start, corner) + haversine_m(corner, end))
    return tuple(start), tuple(end), metres
