"""Scenarios, and how policies are compared."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from config.errors import FileFormatError
from optimizer.selection import FixedCalendar, RiskPriced, Threshold
from simulator.studies.base import region_of
from simulator.studies.kpis import KPIS, differences, interval, means
from simulator.studies.policies import policy_of
from simulator.studies.scenario import load_scenario, shipped_scenarios

MINIMAL = """
title = "x"
region = "example"
start = 2026-03-02
weeks = 1
[[policies]]
kind = "calendar"
"""


def scenario_file(folder: Path, text: str) -> str:
    """Write a scenario."""
    path = folder / "x.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_fit_their_regions(name: str) -> None:
    """What ships can be run: its region, service and trucks are there."""
    scenario = load_scenario(name)
    region, service = region_of(scenario)
    assert scenario.containers in (None, len(region.containers))
    assert {c.fraction for c in region.containers} <= set(service.fractions)


def test_the_scenario_of_the_handbook() -> None:
    """100 containers, three policies, four weeks, five seeds."""
    scenario = load_scenario("three-policies")
    _, service = region_of(scenario)
    policies = [policy_of(spec, service) for spec in scenario.policies]
    assert policies == [FixedCalendar(service.calendar_days), Threshold(0.8), RiskPriced()]
    assert (scenario.containers, scenario.weeks, scenario.seeds) == (100, 4, 5)


def test_the_example_of_the_documentation_can_be_run(tmp_path: Path) -> None:
    """`docs/studies.md` shows a scenario that the code takes."""
    page = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    region, service = region_of(load_scenario(scenario_file(tmp_path, example)))
    assert len(region.containers) == 200
    assert service.id == "glass"


def test_containers_come_on_whole_sites() -> None:
    """A part of a region is drawn by site, so that stops stay what they are."""
    scenario = load_scenario("three-policies")
    region, _ = region_of(scenario)
    whole, _ = region_of(scenario.model_copy(update={"containers": None}))
    drawn = {container.id for container in region.containers}
    split = [
        site.id
        for site in region.sites
        if not {c.id for c in whole.containers if c.site == site.id} <= drawn
    ]
    assert len(split) <= 1
    assert {site.id for site in region.sites} == {c.site for c in region.containers}


def test_a_world_may_fill_faster(tmp_path: Path) -> None:
    """`fill_factor` and the price of overflow are what-ifs of one line."""
    text = MINIMAL + "[world]\nfill_factor = 1.5\noverflow_eur_per_day = 99\n"
    usual, _ = region_of(load_scenario(scenario_file(tmp_path, MINIMAL)))
    region, service = region_of(load_scenario(scenario_file(tmp_path, text)))
    assert service.overflow_eur_per_day == 99
    assert region.services == (service,)
    faster = [fraction.fill_per_day for fraction in region.fractions]
    assert faster == [1.5 * fraction.fill_per_day for fraction in usual.fractions]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("weeks = ", "not TOML"),
        (MINIMAL.replace("weeks = 1", "weeks = 0"), "weeks: .*greater than 0"),
        (MINIMAL.replace('"calendar"', '"magic"'), r"policies\.0: .*'magic'"),
        (MINIMAL.replace("weeks", "weaks"), "weaks: .*not permitted"),
        (MINIMAL + '[[policies]]\nkind = "calendar"', "two policies have one name"),
        ('baseline = "no"\n' + MINIMAL, "baseline 'no' is none of the policies"),
        ('service = "bio"\n' + MINIMAL, "has no 'bio', only: glass"),
        ('vehicles = ["x"]\n' + MINIMAL, "vehicles: region example has no 'x'"),
    ],
)
def test_a_wrong_scenario_says_what_to_correct(tmp_path: Path, text: str, complaint: str) -> None:
    """One line that names the field."""
    with pytest.raises(FileFormatError, match=complaint) as problem:
        region_of(load_scenario(scenario_file(tmp_path, text)))
    assert "\n" not in str(problem.value)


def test_a_missing_scenario_names_those_that_ship() -> None:
    """A typing error is easily corrected."""
    with pytest.raises(FileFormatError, match=r"no-such: .*one of: .*three-policies"):
        load_scenario("no-such")


figures = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(st.lists(figures, min_size=2, max_size=30).filter(lambda values: np.ptp(values) > 0.01))
def test_intervals_are_students(values: Sequence[float]) -> None:
    """Mean and 95 % interval are those of the textbook."""
    found = interval(values)
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(values), abs=1e-6)
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)


def test_one_world_has_no_interval() -> None:
    """From a single world nobody knows how certain a difference is."""
    found = interval([3.0])
    assert (found.mean, found.low, found.high, found.clear) == (3.0, None, None, False)


@given(st.lists(figures, min_size=2, max_size=10), figures)
def test_differences_are_taken_within_worlds(base: Sequence[float], shift: float) -> None:
    """What all worlds have in common cancels: a constant difference has no width."""
    worlds = [dict.fromkeys((kpi.name for kpi in KPIS), value) for value in base]
    shifted = [{name: value + shift for name, value in world.items()} for world in worlds]
    found = differences(shifted, worlds)["km"]
    assert found.mean == pytest.approx(shift, abs=1e-6)
    assert found.low == pytest.approx(shift, abs=1e-6)
    assert means(worlds)["km"].mean == pytest.approx(np.mean(base))
