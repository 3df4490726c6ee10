"""Which road network a region uses."""

from pathlib import Path

import pytest

from config.errors import RoadsError
from config.region import Roads
from config.region_folder import load_region
from optimizer.roads import find_roads, roads_of
from optimizer.roads.source import extracts_folder, fetched_extract

URL = "https://example.org/europe/some-latest.osm.pbf"


def _roads(**facts: object) -> Roads:
    return Roads.model_validate({"centre_lon": 8.53, "centre_lat": 52.02, **facts})


def test_an_extract_of_its_own_comes_first(tmp_path: Path) -> None:
    """The region's own extract wins over a fetched one, and OpenStreetMap is thanked."""
    own, fetched = tmp_path / "own.osm.pbf", extracts_folder(tmp_path) / "some-latest.osm.pbf"
    fetched.parent.mkdir()
    own.touch()
    fetched.touch()
    source = find_roads(_roads(extract="own.osm.pbf", download=URL), tmp_path)
    assert source.extract == own
    assert (source.attribution, source.licence) == ("© OpenStreetMap contributors", "ODbL-1.0")
    assert find_roads(_roads(extract=str(own)), tmp_path / "elsewhere").extract == own


def test_a_fetched_extract_comes_second(tmp_path: Path) -> None:
    """Once fetched it is used without being named."""
    roads = _roads(download=URL)
    path = fetched_extract(roads, tmp_path)
    assert path is not None
    assert find_roads(roads, tmp_path).synthetic
    path.touch()
    source = find_roads(roads, tmp_path)
    assert source.extract == path
    assert not source.synthetic


def test_without_data_a_town_is_generated_once(tmp_path: Path) -> None:
    """It needs no thanks, and is the same file the next time; other facts are another file."""
    source = find_roads(_roads(), tmp_path)
    written = source.extract.stat().st_mtime_ns
    assert source.synthetic
    assert source.attribution == ""
    assert find_roads(_roads(), tmp_path).extract.stat().st_mtime_ns == written
    assert find_roads(_roads(town_radius_m=2000), tmp_path).extract != source.extract


def test_a_named_extract_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    """A typing error must not turn a real city into a generated one."""
    with pytest.raises(RoadsError, match=r"own\.osm\.pbf is not in .*correct roads\.extract"):
        find_roads(_roads(extract="own.osm.pbf"), tmp_path)


def test_nowhere_to_write_is_one_clear_line(tmp_path: Path) -> None:
    """The setting is named."""
    (tmp_path / "file").touch()
    with pytest.raises(RoadsError, match="BINROUND_DATA_DIR"):
        find_roads(_roads(), tmp_path / "file")


def test_the_shipped_regions_have_streets(tmp_path: Path) -> None:
    """Without any data at hand both run on a generated town."""
    for name in ("bielefeld", "example"):
        assert roads_of(load_region(name), tmp_path).synthetic
