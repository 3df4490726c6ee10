"""Travel by blocks and by legs: two ways to keep it, one answer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ProblemError
from optimizer.check import check
from optimizer.model import (
    Compartment,
    Facility,
    Problem,
    Reason,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Unserved,
    Visit,
)
from optimizer.travel import ArrayTravel, PlanarTravel, Rounding

COORDINATES = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [0.0, 2.5]])


def test_lengths_are_rounded_as_collections_of_instances_prescribe() -> None:
    """CVRPLIB takes the nearest whole, halves up; DIMACS cuts off; metres and seconds follow."""
    lengths = {
        rounding: PlanarTravel(COORDINATES, rounding).block([0], [1, 2, 3])[1][0].tolist()
        for rounding in Rounding
    }
    assert lengths[Rounding.NEAREST] == [5.0, 1.0, 3.0]
    assert lengths[Rounding.DOWN] == [5.0, 1.0, 2.0]
    assert lengths[Rounding.UP] == [5.0, 2.0, 3.0]
    assert lengths[Rounding.NONE] == pytest.approx([5.0, 2**0.5, 2.5])


def test_seconds_and_metres_have_their_own_unit() -> None:
    """A rounded length is scaled to metres, and to seconds, which are whole."""
    travel = PlanarTravel(COORDINATES, Rounding.DOWN, metres_per_unit=100, seconds_per_unit=1.3)
    seconds, metres = travel.legs([0, 1, 2])
    assert metres.tolist() == [500.0, 300.0]
    assert seconds.tolist() == [6, 4]
    assert seconds.dtype == np.int64


@given(
    st.lists(st.tuples(*2 * [st.floats(-1e4, 1e4)]), min_size=1, max_size=8),
    st.sampled_from(Rounding),
    st.data(),
)
def test_blocks_legs_and_subsets_agree(
    points: list[tuple[float, float]], rounding: Rounding, data: st.DataObject
) -> None:
    """However travel is kept and asked for, the way between two places has one length."""
    planar = PlanarTravel(np.array(points), rounding)
    everywhere = range(len(points))
    arrays = ArrayTravel(*planar.block(everywhere, everywhere))
    way = data.draw(st.lists(st.sampled_from(everywhere), min_size=1, max_size=6))
    for travel in (planar, arrays):
        assert len(travel) == len(points)
        for found, square in zip(
            travel.legs(way), (arrays.duration_s, arrays.distance_m), strict=True
        ):
            assert found.tolist() == [square[a, b] for a, b in itertools.pairwise(way)]
        part = travel.subset(way).block(range(len(way)), [0])
        assert all((a == b).all() for a, b in zip(part, travel.block(way, way[:1]), strict=True))


def _problem(**travel: object) -> Problem:
    shift = TimeWindow(0, 1000)
    visits = tuple(Visit(f"v{place}", place, (1.0,), (0.0,), 10) for place in (1, 2))
    yard = Facility("yard", 3, frozenset({0}), 30)
    body = Compartment(frozenset({0}), 9.0, 9.0)
    truck = Truck("t", 0, 0, shift, (body,), 9.0, eur_per_km=1.0, eur_per_h=10.0)
    return Problem(("waste",), visits, (yard,), (truck,), **travel)  # type: ignore[arg-type]


def test_the_judge_needs_no_arrays() -> None:
    """A problem whose travel comes in blocks is judged by its legs, to the same figures."""
    travel = PlanarTravel(COORDINATES, metres_per_unit=100, seconds_per_unit=7)
    everywhere = range(len(travel))
    duration_s, distance_m = travel.block(everywhere, everywhere)
    solution = Solution((Tour(0, 0, (0, 2)),), (Unserved(1, Reason.TIME),))
    lean = check(_problem(blocks=travel), solution)
    full = check(_problem(duration_s=duration_s, distance_m=distance_m), solution)
    assert lean.legal
    assert repr(lean) == repr(full)


def test_travel_is_given_once() -> None:
    """Arrays and blocks together could disagree, so that is refused."""
    travel = PlanarTravel(COORDINATES)
    with pytest.raises(ProblemError, match="one or the other"):
        _problem(blocks=travel, duration_s=np.zeros((4, 4), np.int64))


def test_a_place_outside_the_travel_is_named() -> None:
    """A location that the travel does not know is an error of the field."""
    with pytest.raises(ProblemError, match=r"visits\[1\].location"):
        _problem(blocks=PlanarTravel(COORDINATES[:2]))
