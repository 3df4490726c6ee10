"""From distances to fill levels."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs.calibration import (
    FULLEST,
    STRAIGHT,
    Calibration,
    corrected,
    fill_from_distance,
    fill_of,
    tapered,
)
from ingest.codecs.measurement import Measurement

STRAIGHT_WALLS = Calibration(empty_mm=1800, full_mm=300)

calibrations = st.builds(
    lambda full, span, taper: Calibration(empty_mm=full + span, full_mm=full, shape=tapered(taper)),
    st.integers(0, 2000),
    st.integers(1, 5000),
    st.floats(0.2, 3.0),
)


@pytest.mark.parametrize(
    ("distance", "fill"),
    [(1800, 0.0), (1050, 0.5), (300, 1.0), (2500, 0.0), (150, 1.1), (0, FULLEST)],
)
def test_straight_walls(distance: int, fill: float) -> None:
    """Between floor and full mark linear; beyond the floor empty; heaped up to 115 % at most."""
    assert fill_from_distance(distance, STRAIGHT_WALLS) == pytest.approx(fill)


def test_a_bell_is_half_full_below_half_its_height() -> None:
    """A glass container narrows upwards: the lower half of its height holds most of it."""
    bell = Calibration(empty_mm=1800, full_mm=300, shape=tapered(0.6))
    wheeled = Calibration(empty_mm=1800, full_mm=300, shape=tapered(1.2))
    assert fill_from_distance(1050, bell) > 0.6
    assert fill_from_distance(1050, wheeled) < 0.5


@given(st.floats(0.2, 3.0))
def test_a_tapered_shape_is_that_of_a_frustum(ratio: float) -> None:
    """The share of volume below half the height is what geometry says."""
    half = dict(tapered(ratio))[0.5] if abs(ratio - 1) > 1e-9 else 0.5
    middle = (1 + ratio) / 2
    whole = 1 + ratio + ratio**2
    assert math.isclose(half, (1 + middle + middle**2) / 2 / whole)


@given(calibrations, st.floats(0, 20_000), st.floats(0, 20_000))
def test_nearer_is_fuller(calibration: Calibration, one: float, other: float) -> None:
    """For every container: from 0 to 1.15, and a nearer surface never means less waste."""
    near, far = sorted((one, other))
    more, less = (fill_from_distance(distance, calibration) for distance in (near, far))
    assert 0 <= less <= more <= FULLEST


@given(calibrations)
def test_the_marks_mean_empty_and_full(calibration: Calibration) -> None:
    """The two distances that were measured by hand come out as 0 and 1."""
    assert fill_from_distance(calibration.empty_mm, calibration) == pytest.approx(0, abs=1e-9)
    assert fill_from_distance(calibration.full_mm, calibration) == pytest.approx(1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"empty_mm": 300, "full_mm": 300},
        {"empty_mm": 0},
        {"empty_mm": 1800, "shape": ((0.0, 0.0),)},
        {"empty_mm": 1800, "shape": ((0.0, 0.0), (0.5, 0.9))},
        {"empty_mm": 1800, "shape": ((0.0, 0.0), (0.5, 0.9), (0.4, 0.95), (1.0, 1.0))},
        {"empty_mm": 1800, "shape": ((0.0, 0.1), (1.0, 1.0))},
        {"empty_mm": 1800, "shape": ((0.0, 0.0), (1.0, math.nan))},
    ],
)
def test_a_calibration_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """Marks the wrong way round and shapes that fall are mistakes, told at once."""
    with pytest.raises(ValueError, match="Calibration"):
        Calibration.model_validate(wrong)


@pytest.mark.parametrize(
    ("measurement", "calibration", "fill"),
    [
        (Measurement(distance_mm=1050, fill_pct=93), STRAIGHT_WALLS, 0.5),
        (Measurement(distance_mm=1050, fill_pct=93), None, 0.93),
        (Measurement(too_close=True), STRAIGHT_WALLS, 1.0),
        (Measurement(too_far=True), None, 0.0),
        (Measurement(distance_mm=1050), None, None),
        (Measurement(battery_v=3.6), STRAIGHT_WALLS, None),
    ],
)
def test_what_a_measurement_means(
    measurement: Measurement, calibration: Calibration | None, fill: float | None
) -> None:
    """Our calibration before the sensor's own; no level is made up where none was measured."""
    assert fill_of(measurement, calibration) == fill


def test_the_floor_is_learned_from_emptyings() -> None:
    """Most emptyings show the floor; a lifting that failed, and one odd echo, do not move it."""
    seen = [1700, 1695, 1702, 1698, 640, 1701, 1699, 1697, 1703, 2900]
    assert corrected(STRAIGHT_WALLS, seen).empty_mm == 1703
    assert corrected(STRAIGHT_WALLS, seen).shape == STRAIGHT


@given(calibrations, st.lists(st.integers(0, 20_000), max_size=12))
def test_a_learned_calibration_is_one(calibration: Calibration, seen: list[int]) -> None:
    """Whatever was seen, the marks stay the right way round; too little seen changes nothing."""
    learned = corrected(calibration, seen)
    assert learned == Calibration.model_validate(learned.model_dump())
    if len(seen) < 5:
        assert learned == calibration
