"""What the truck profile makes of signs, on streets made for the purpose.

All streets lie on a grid of 0.001 degrees (69 m to the east, 111 m to the north):

            H          A-B-C-D-E is the direct way.
            |          B-F-G-D is a way round.
    A---B---C---D---E  C-H is a cul-de-sac.
        |       |      I-J, further north, touches no other street.
        F-------G
"""

from pathlib import Path

import numpy as np
import pytest

from optimizer.road_times import Places, TravelTimes
from optimizer.roads import RoadsSource, open_roads

pytestmark = pytest.mark.roads

LON, LAT, STEP = 8.5, 52.0, 0.001
NODES = {
    "A": (0, 0),
    "B": (2, 0),
    "C": (4, 0),
    "D": (6, 0),
    "E": (8, 0),
    "F": (2, -1),
    "G": (6, -1),
    "H": (4, 3),
    "I": (0, 8),
    "J": (3, 8),
}


def at(east: float, north: float) -> tuple[float, float]:
    """Return the longitude and latitude of a grid point."""
    return LON + east * STEP, LAT + north * STEP


def streets(folder: Path, middle: str = "", restrictions: str = "") -> TravelTimes:
    """Open the streets above, with tags on B-C and C-D (`key=value`) and turn restrictions."""
    number = {name: index for index, name in enumerate(NODES, start=1)}
    nodes = "".join(
        f'<node id="{number[name]}" version="1" lon="{at(*place)[0]}" lat="{at(*place)[1]}"/>'
        for name, place in NODES.items()
    )
    ways = {"AB": "", "BC": middle, "CD": middle, "DE": "", "BF": "", "FG": "", "GD": "", "CH": ""}
    ways["IJ"] = ""
    written = ""
    for index, (path, tag) in enumerate(ways.items(), start=1):
        refs = "".join(f'<nd ref="{number[node]}"/>' for node in path)
        key, _, value = tag.partition("=")
        extra = f'<tag k="{key}" v="{value}"/>' if key else ""
        written += (
            f'<way id="{index}" version="1">{refs}<tag k="highway" v="residential"/>{extra}</way>'
        )
    extract = folder / "streets.osm"
    extract.write_text(f'<osm version="0.6">{nodes}{written}{restrictions}</osm>')
    return open_roads(RoadsSource(extract), folder)


def length_m(travel: TravelTimes, *stops: tuple[float, float]) -> float:
    """Return how far it is along some stops."""
    return float(travel.route(Places.of(stops)).leg_m.sum())


A, C, E = at(0.2, 0), at(4, 0), at(7.8, 0)
DIRECT = 7.6 * 68.6


def test_without_signs_the_direct_way_is_taken(tmp_path: Path) -> None:
    """The measure for the tests below."""
    assert length_m(streets(tmp_path), A, E) == pytest.approx(DIRECT, rel=0.01)


@pytest.mark.parametrize(
    "sign", ["maxheight=3.2", "maxweight=7.5", "maxwidth=2.2", "maxlength=8", "access=no"]
)
def test_a_physical_limit_is_hard(tmp_path: Path, sign: str) -> None:
    """Where a truck does not fit it goes round, and nothing there is near a road for it."""
    travel = streets(tmp_path, sign)
    assert length_m(travel, A, E) == pytest.approx(DIRECT + 2 * 111.2, rel=0.01)
    assert travel.snap(Places.of([at(3, 0.1)])).distance_m[0] > 60


@pytest.mark.parametrize("sign", ["maxheight=4", "maxweight=30", "maxwidth=3", "maxspeed=30"])
def test_a_limit_that_it_keeps_does_not_matter(tmp_path: Path, sign: str) -> None:
    """A sign is compared with the truck's own measures."""
    assert length_m(streets(tmp_path, sign), A, E) == pytest.approx(DIRECT, rel=0.01)


@pytest.mark.parametrize(
    "sign",
    [
        "hgv=no",
        "hgv=destination",
        "motor_vehicle=destination",
        "access=private",
        "maxweightrating=7.5",
    ],
)
def test_a_legal_limit_is_soft(tmp_path: Path, sign: str) -> None:
    """Refuse collection works in such streets (StVO 35 (6)), but does not cut through them."""
    travel = streets(tmp_path, sign)
    assert length_m(travel, A, E) > DIRECT + 200
    assert length_m(travel, A, C) == pytest.approx(3.8 * 68.6, rel=0.01)


def test_a_place_on_an_island_is_quarantined(tmp_path: Path) -> None:
    """A street that no other street leads to is near, and still no road for a tour."""
    travel = streets(tmp_path)
    snapped = travel.snap(Places.of([A, at(1, 8), C]))
    assert snapped.ok.tolist() == [True, False, True]
    assert snapped.distance_m[1] < 1


def test_a_cul_de_sac_is_reached_and_left(tmp_path: Path) -> None:
    """At a dead end the truck turns round; the matrix knows the time that takes."""
    travel = streets(tmp_path)
    end = at(4, 2.9)
    assert length_m(travel, A, end, E) > DIRECT + 2 * 2.9 * 111
    matrix = travel.matrix(Places.of([A, end]))
    assert (matrix.duration_s >= 0).all()


def test_a_forbidden_left_turn_is_not_driven(tmp_path: Path) -> None:
    """`no_left_turn` from A-B-C into C-H: the truck goes round and comes from the other side."""
    relation = (
        '<relation id="1" version="1"><member type="way" ref="2" role="from"/>'
        '<member type="node" ref="3" role="via"/><member type="way" ref="8" role="to"/>'
        '<tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation>'
    )
    end = at(4, 1)
    free, bound = tmp_path / "free", tmp_path / "bound"
    free.mkdir()
    bound.mkdir()
    direct_m = length_m(streets(free), A, end)
    assert direct_m == pytest.approx(3.8 * 68.6 + 111.2, rel=0.01)
    assert length_m(streets(bound, restrictions=relation), A, end) > direct_m + 200


def test_the_curb_is_the_right_hand_side(tmp_path: Path) -> None:
    """Driving east, a place to the south is on the right; one to the north is not."""
    travel = streets(tmp_path)
    places = [A, at(3, 0.1), at(3, -0.1)]
    curb_s = travel.matrix(Places.of(places, [False, True, True])).duration_s
    free_s = travel.matrix(Places.of(places)).duration_s
    assert curb_s[0, 2] == free_s[0, 2]
    assert curb_s[0, 1] > free_s[0, 1] + 30


def test_a_tour_may_turn_round_at_a_stop(tmp_path: Path) -> None:
    """There and back is twice the way: a route does not forbid what the matrix allows."""
    travel = streets(tmp_path)
    route, matrix = travel.route(Places.of([A, C, A])), travel.matrix(Places.of([A, C]))
    assert route.leg_s.tolist() == [matrix.duration_s[0, 1], matrix.duration_s[1, 0]]
    assert np.allclose(route.leg_m, matrix.distance_m[0, 1], rtol=0.001)
