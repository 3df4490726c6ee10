"""The cache of prepared road graphs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from numpy.random import default_rng

from config.errors import RoadsError
from optimizer.road_times import Places, ProviderInfo
from optimizer.roads import RoadsSource, open_roads
from optimizer.roads.embedded import EmbeddedEngine
from optimizer.roads.extract import road_points
from optimizer.roads.osrm import OsrmTravelTimes
from optimizer.roads.prepare import TRUCK_PROFILE, graph_hash, prepare, prepared
from optimizer.roads.town import write_town
from tests.fixtures.roads import TOWN_CENTRE, RoadNetwork

pytestmark = pytest.mark.roads

PREPARE = (
    "import sys, pathlib; from optimizer.roads.prepare import prepare;"
    "print(prepare(*map(pathlib.Path, sys.argv[1:])))"
)


def _preparing(extract: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PREPARE, str(extract), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_graph_is_prepared_once(road_town: RoadNetwork, tmp_path: Path) -> None:
    """The second time it is there at once, with the same identity."""
    assert prepared(road_town.source.extract, tmp_path) is None
    graph = prepare(road_town.source.extract, tmp_path)
    written = graph.with_name("roads.osrm.mldgr").stat().st_mtime_ns
    assert (
        prepare(road_town.source.extract, tmp_path)
        == graph
        == prepared(road_town.source.extract, tmp_path)
    )
    assert graph.with_name("roads.osrm.mldgr").stat().st_mtime_ns == written
    assert road_town.travel.info.graph_hash == graph.parent.name


def test_another_extract_or_profile_is_another_graph(
    road_town: RoadNetwork, tmp_path: Path
) -> None:
    """The key holds all that a graph is made from, so that an old one is never used."""
    profile = tmp_path / "truck.lua"
    profile.write_text(
        TRUCK_PROFILE.read_text().replace("vehicle_weight = 26000", "vehicle_weight = 7500")
    )
    other = tmp_path / "other.osm.pbf"
    other.write_bytes(road_town.source.extract.read_bytes() + b"\0")
    keys = [
        graph_hash(road_town.source.extract),
        graph_hash(road_town.source.extract, profile),
        graph_hash(other),
    ]
    assert len(set(keys)) == 3


def test_a_lighter_truck_takes_streets_that_a_heavy_one_may_not(
    road_town: RoadNetwork, tmp_path: Path
) -> None:
    """The profile is what is prepared: another one gives other travel times."""
    profile = tmp_path / "light.lua"
    profile.write_text(
        TRUCK_PROFILE.read_text().replace("vehicle_max_speed = 80", "vehicle_max_speed = 20")
    )
    graph = prepare(road_town.source.extract, tmp_path, profile)
    slow = OsrmTravelTimes(EmbeddedEngine(graph), road_town.travel.info)
    places = Places.of([TOWN_CENTRE, (TOWN_CENTRE[0] + 0.01, TOWN_CENTRE[1])])
    usual_s = road_town.travel.matrix(places).duration_s
    assert slow.matrix(places).duration_s[0, 1] > usual_s[0, 1]


def test_graphs_of_one_town_are_not_mixed_up(tmp_path: Path) -> None:
    """Opened in one process, each graph's ways take as long as its own matrix says."""
    extract, profile, text = tmp_path / "t.osm.pbf", tmp_path / "t.lua", TRUCK_PROFILE.read_text()
    write_town(extract, 7, 3000.0, *TOWN_CENTRE, blocks=1000)
    text = text.replace("vehicle_max_speed = 80", "vehicle_max_speed = 20")
    profile.write_text(text.replace("turn_penalty = 9", "turn_penalty = 90"))
    info = ProviderInfo("osrm", "", "truck", "", estimate=False)
    one = OsrmTravelTimes(EmbeddedEngine(prepare(extract, tmp_path)), info)
    other = OsrmTravelTimes(EmbeddedEngine(prepare(extract, tmp_path, profile)), info)
    points = road_points(extract).lon_lat
    chosen = default_rng(1).choice(len(points), 500, replace=False)
    for travel in (one, other):
        for some in chosen.reshape(20, 25):
            places = Places.of(points[some])
            leg_s = travel.matrix(places).duration_s.diagonal(1)
            assert travel.route(places).leg_s == pytest.approx(leg_s, abs=1.0)


def test_a_kill_leaves_nothing_half_written(road_town: RoadNetwork, tmp_path: Path) -> None:
    """Killed in the middle, no graph is there; the next one builds it and clears up."""
    process = _preparing(road_town.source.extract, tmp_path)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".*/roads.osrm.*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(tmp_path.glob(".*/roads.osrm.*")), "the kill came too late to show anything"
    assert prepared(road_town.source.extract, tmp_path) is None
    graph = prepare(road_town.source.extract, tmp_path)
    assert EmbeddedEngine(graph)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [graph.parent]


def test_processes_that_want_the_same_graph_share_it(
    road_town: RoadNetwork, tmp_path: Path
) -> None:
    """Started together, one builds and the others wait; all end with the same graph."""
    processes = [_preparing(road_town.source.extract, tmp_path) for _ in range(3)]
    graphs = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert graphs == {str(prepare(road_town.source.extract, tmp_path))}


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"\0\0\0\x0d" + b"x" * 500])
def test_a_bad_extract_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    """What is no extract is named, with what to look at; nothing is left behind."""
    extract = tmp_path / "bad.osm.pbf"
    extract.write_bytes(content)
    with pytest.raises(RoadsError, match=r"bad\.osm\.pbf cannot be used: .*complete") as caught:
        prepare(extract, tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_a_truncated_extract_is_one_clear_line(road_town: RoadNetwork, tmp_path: Path) -> None:
    """A download that broke off is told from a whole one."""
    extract = tmp_path / "half.osm.pbf"
    whole = road_town.source.extract.read_bytes()
    extract.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RoadsError, match="half"):
        open_roads(RoadsSource(extract), tmp_path)


def test_a_missing_extract_is_one_clear_line(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(RoadsError, match=r"none\.osm\.pbf: No such file"):
        open_roads(RoadsSource(tmp_path / "none.osm.pbf"), tmp_path)


def test_nowhere_to_write_is_one_clear_line(road_town: RoadNetwork, tmp_path: Path) -> None:
    """A data folder that cannot be written is named, with the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(RoadsError, match="BINROUND_DATA_DIR"):
        prepare(road_town.source.extract, tmp_path / "file" / "roads")


def test_a_damaged_graph_says_what_to_remove(road_town: RoadNetwork, tmp_path: Path) -> None:
    """A cache that somebody emptied by hand is no riddle."""
    graph = prepare(road_town.source.extract, tmp_path)
    graph.with_name("roads.osrm.mldgr").unlink()
    with pytest.raises(RoadsError, match="remove that folder"):
        EmbeddedEngine(graph)
