"""What sensors report of the true levels."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.region_folder import load_region
from simulator.sensors import SensorModel, Sensors
from simulator.waste import Waste

REGION = load_region("bielefeld")
ORIGIN = date(2026, 3, 2)
DAY_S = 86_400.0
START = REGION.midnight(ORIGIN).timestamp()
PERFECT = SensorModel(noise=0, cone=0, near=0, far=0, loss=0, repeat=0, saturates_at=2)


def sensors(model: SensorModel | None = None, seed: int = 1) -> tuple[Waste, Sensors]:
    """Return a world and its sensors."""
    waste = Waste(REGION, seed, ORIGIN)
    return waste, Sensors(waste, seed, model)


@given(st.floats(0, 5), st.floats(0, 5), st.floats(0, 5))
def test_a_span_says_the_same_in_one_piece_or_in_two(a: float, b: float, c: float) -> None:
    """Asking again, or in smaller steps, gives the same messages with the same numbers."""
    first, middle, last = (START + DAY_S * share for share in sorted((a, b, c)))
    _, whole = sensors()
    _, parts = sensors()
    seen = whole.observe(first, last)
    pieces = [parts.observe(first, middle), parts.observe(middle, last)]
    for name in ("sensor", "time", "number", "fill", "twice"):
        together = np.concatenate([getattr(piece, name) for piece in pieces])
        np.testing.assert_array_equal(getattr(seen, name), together)


def test_each_sensor_speaks_at_its_own_phase_and_counts() -> None:
    """Readings of one sensor are a period apart, and their numbers one; phases spread out."""
    _, all_sensors = sensors(PERFECT)
    seen = all_sensors.observe(START, START + 2 * DAY_S)
    mine = seen.sensor == 7
    np.testing.assert_allclose(np.diff(seen.time[mine]), PERFECT.period_s)
    assert (np.diff(seen.number[mine]) == 1).all()
    phases = np.unique(np.round(seen.time % PERFECT.period_s, 3))
    assert len(phases) == len(all_sensors.names)
    assert np.histogram(phases, 4, (0, PERFECT.period_s))[0].min() > len(phases) / 6


def test_a_perfect_sensor_tells_the_true_level() -> None:
    """Without noise a reading is the level at its instant, before and after an emptying."""
    waste, all_sensors = sensors(PERFECT)
    waste.empty(np.arange(50), START + 3 * DAY_S + 1)
    seen = all_sensors.observe(START, START + 5 * DAY_S)
    np.testing.assert_allclose(seen.fill, waste.level(seen.container, seen.time), atol=5e-4)


def test_noise_spikes_and_loss_have_their_shares() -> None:
    """The defaults of the noise model come out of the simulation."""
    model = SensorModel()
    waste, all_sensors = sensors(model)
    start, end = START + 3 * DAY_S, START + 17 * DAY_S
    seen = all_sensors.observe(start, end)
    made = len(all_sensors.names) * (end - start) / model.period_s
    assert 1 - len(seen) / made == pytest.approx(model.loss, abs=0.005)
    assert seen.twice.mean() == pytest.approx(model.repeat, abs=0.002)
    level = waste.level(seen.container, seen.time)
    middling = (level > 0.25) & (level < 0.65)
    error = (seen.fill - level)[middling]
    usual = np.abs(error) < 0.2
    assert 1 - usual.mean() == pytest.approx(model.near + model.far, abs=0.006)
    assert error[usual].std() == pytest.approx(np.hypot(model.noise, model.cone), rel=0.05)


def test_a_sensor_cannot_see_into_its_blind_zone() -> None:
    """An overflowing container reads as full, never more."""
    model = replace(PERFECT, saturates_at=0.95)
    waste, all_sensors = sensors(model)
    seen = all_sensors.observe(START + 60 * DAY_S, START + 61 * DAY_S)
    over = waste.level(seen.container, seen.time) > 1
    assert over.sum() > 100
    assert (seen.fill[over] == 0.95).all()


def test_containers_without_a_sensor_stay_silent() -> None:
    """A region may have sensors on some containers only."""
    some = tuple(
        container.model_copy(update={"sensor": None}) if number % 2 else container
        for number, container in enumerate(REGION.containers)
    )
    waste = Waste(REGION, 1, ORIGIN, containers=some)
    seen = Sensors(waste, 1, PERFECT).observe(START, START + DAY_S)
    assert set(seen.container.tolist()) == set(range(0, len(some), 2))
