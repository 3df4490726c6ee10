"""Roads for the map, points for placing things."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from config.errors import RoadsError
from optimizer.roads.extract import KINDS, connected, network, road_points
from optimizer.roads.haversine import haversine_m

NODES = """
<node id="1" version="1" lon="8.50" lat="52.00"/><node id="2" version="1" lon="8.51" lat="52.00"/>
<node id="3" version="1" lon="8.52" lat="52.00"/><node id="4" version="1" lon="8.52" lat="52.01"/>
<node id="5" version="1" lon="8.60" lat="52.00"/><node id="6" version="1" lon="8.61" lat="52.00"/>
"""


def _way(number: int, nodes: list[int], **tags: str) -> str:
    refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
    return (
        f'<way id="{number}" version="1">{refs}'
        + "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        + "</way>"
    )


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """A main road, a street with a limit, a dead-end one-way, a footway and an island."""
    path = tmp_path / "roads.osm"
    ways = [
        _way(1, [1, 2], highway="primary", name="Hauptstraße"),
        _way(2, [2, 3], highway="residential"),
        _way(3, [3, 4], highway="residential", oneway="yes"),
        _way(4, [1, 4], highway="footway"),
        _way(5, [5, 6], highway="residential"),
        _way(6, [1, 3], highway="residential", maxweight="3.5"),
    ]
    path.write_text(f'<osm version="0.6">{NODES}{"".join(ways)}</osm>')
    return path


def test_only_what_can_be_driven_on_is_a_road(extract: Path) -> None:
    """A footway is none; classes, names and limits are kept."""
    roads = network(extract)
    assert [roads.kinds[kind] for kind in roads.kind] == ["primary", *["residential"] * 4]
    assert roads.name[0] == "Hauptstraße"
    assert roads.limited.tolist() == [False, False, False, False, True]
    assert roads.bbox == (8.5, 52.0, 8.61, 52.01)


def test_the_main_part_is_where_one_can_come_back_from(extract: Path) -> None:
    """An island and a one-way that ends nowhere do not belong to it."""
    assert connected(network(extract)).name == ("Hauptstraße", "", "")


def test_far_out_only_main_roads_are_drawn(extract: Path) -> None:
    """A map of the whole city draws main roads; street by street, all of them."""
    roads = network(extract)
    assert [len(roads.at_zoom(zoom)) for zoom in (5, 10, 15)] == [0, 1, 5]
    assert list(KINDS.values()) == sorted(KINDS.values())
    feature = next(roads.features())
    assert feature["properties"] == {"kind": "primary", "name": "Hauptstraße", "zoom": 8}
    assert feature["geometry"] == {
        "type": "LineString",
        "coordinates": [[8.5, 52.0], [8.51, 52.0]],
    }


def test_things_are_placed_along_small_open_streets(extract: Path) -> None:
    """Every 25 m of the one street that is open, small, and connected; with its direction."""
    points = road_points(extract)
    length_m = float(haversine_m(np.array([8.51, 52.0]), np.array([8.52, 52.0])))
    assert len(points) == pytest.approx(length_m / 25, abs=1)
    assert set(points.kind) == {"residential"}
    assert points.lon_lat[:, 0].min() > 8.51
    assert points.bearing_deg == pytest.approx(90, abs=0.1)
    gaps_m = [float(haversine_m(a, b)) for a, b in pairwise(points.lon_lat)]
    assert gaps_m == pytest.approx([25] * (len(points) - 1), rel=0.01)


@pytest.mark.parametrize("content", ["<osm version='0.6'></osm>", "no xml", ""])
def test_an_extract_without_roads_is_one_clear_line(tmp_path: Path, content: str) -> None:
    """Empty, damaged: the file is named, with what to do."""
    path = tmp_path / "empty.osm"
    path.write_text(content)
    with pytest.raises(RoadsError, match=r"empty\.osm"):
        network(path)


def test_a_missing_extract_is_one_clear_line(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(RoadsError, match=r"none\.osm\.pbf"):
        network(tmp_path / "none.osm.pbf")
