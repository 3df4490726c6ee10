"""The fall-back without a road engine."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from config.errors import RoadsError
from optimizer.model import UNREACHABLE
from optimizer.road_times import Places
from optimizer.roads import RoadsSource, open_roads
from optimizer.roads.haversine import CIRCUITY, Haversine, haversine_m

BIELEFELD, HERFORD = (8.5313, 52.0210), (8.6707, 52.1146)


def test_a_degree_of_latitude_has_its_length() -> None:
    """Distances are metres on the earth's mean sphere."""
    metres = haversine_m(np.array([8.0, 52.0]), np.array([8.0, 53.0]))
    assert metres == pytest.approx(111_195, abs=1)


def test_the_estimate_says_that_it_is_one() -> None:
    """Whoever reads a plan can tell estimated travel times from real ones."""
    assert Haversine().info.estimate


def test_route_and_matrix_agree() -> None:
    """A route's seconds and metres are those of the matrix."""
    places = Places.of([BIELEFELD, HERFORD, (8.4, 51.9)])
    matrix, route = Haversine().matrix(places), Haversine().route(places)
    assert route.leg_s.tolist() == [matrix.duration_s[0, 1], matrix.duration_s[1, 2]]
    assert route.leg_m.tolist() == [matrix.distance_m[0, 1], matrix.distance_m[1, 2]]
    assert matrix.duration_s.diagonal().tolist() == [0, 0, 0]
    straight_m = haversine_m(*(np.array(place) for place in (BIELEFELD, HERFORD)))
    assert route.leg_m[0] == pytest.approx(CIRCUITY * straight_m)


def test_a_place_that_is_nowhere_is_reported() -> None:
    """Coordinates that are not on earth are quarantined; the others keep their figures."""
    places = Places.of([BIELEFELD, (np.nan, 52.0), (8.5, 95.0), HERFORD])
    assert Haversine().snap(places).ok.tolist() == [True, False, False, True]
    matrix = Haversine().matrix(places)
    assert (matrix.duration_s[0, 1:3] == UNREACHABLE).all()
    assert matrix.duration_s[0, 3] > 0
    with pytest.raises(RoadsError, match="stop 1"):
        Haversine().route(places)


def test_without_an_engine_the_fall_back_is_announced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """No road engine: estimates, one clear line, and nothing else breaks."""
    monkeypatch.setitem(sys.modules, "osrm", None)
    monkeypatch.delitem(sys.modules, "optimizer.roads.embedded", raising=False)
    with caplog.at_level(logging.WARNING):
        travel = open_roads(RoadsSource(tmp_path / "none.osm.pbf"), tmp_path)
    assert travel.info.estimate
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith("no road engine (")
    assert line.endswith("install osrm-bindings for real ones")


def test_the_estimate_can_be_asked_for(tmp_path: Path) -> None:
    """Estimates need no extract, also where there is an engine."""
    assert open_roads(RoadsSource(tmp_path / "none.osm.pbf"), tmp_path, estimate=True).info.estimate
