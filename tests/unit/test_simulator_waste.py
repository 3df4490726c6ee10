"""The simulated containers: how they fill, are emptied and overflow."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.region import Region
from config.region_folder import load_region
from simulator import chance
from simulator.waste import Waste

ORIGIN = date(2026, 3, 2)  # a Monday; summer time begins on the 29th
DAY_S = 86_400.0
REGION = load_region("example")
START = REGION.midnight(ORIGIN).timestamp()
LAST = len(REGION.containers) - 1

instants = st.floats(0, 60 * DAY_S).map(lambda after: round(START + after, 3))
emptyings = st.lists(st.tuples(st.integers(0, LAST), instants), max_size=30)


def world(seed: int = 1, region: Region = REGION) -> Waste:
    """Return a world in which all is empty at the origin."""
    return Waste(region, seed, ORIGIN)


def emptied(done: list[tuple[int, float]]) -> Waste:
    """Return a world in which this was emptied."""
    waste = world()
    for which, at in done:
        waste.empty(which, at)
    return waste


@given(emptyings, instants, st.randoms())
def test_a_world_is_given_by_its_seed_and_what_was_emptied(
    done: list[tuple[int, float]], at: float, rng: object
) -> None:
    """Neither the order of emptyings nor that of questions changes a level."""
    asked = world()
    asked.levels(START + 50 * DAY_S)
    shuffled = sorted(done, key=lambda _: rng.random())  # type: ignore[attr-defined]
    asked.empty([which for which, _ in shuffled], [t for _, t in shuffled])
    np.testing.assert_array_equal(asked.levels(at), emptied(done).levels(at))


@given(emptyings, instants)
def test_what_falls_in_does_not_depend_on_what_is_fetched(
    done: list[tuple[int, float]], at: float
) -> None:
    """Common random numbers: between emptyings all worlds of one seed fill alike."""
    last = max((t for _, t in done), default=START)
    begin = max(at, np.nextafter(last, np.inf) + 0.001)
    grown = emptied(done).levels(begin + DAY_S) - emptied(done).levels(begin)
    undisturbed = world().levels(begin + DAY_S) - world().levels(begin)
    np.testing.assert_allclose(grown, undisturbed, atol=1e-9)


def test_another_seed_is_another_world() -> None:
    """Seeds matter."""
    at = START + 10 * DAY_S
    assert not np.allclose(world(1).levels(at), world(2).levels(at))


def test_more_containers_leave_the_others_as_they_are() -> None:
    """A what-if that adds a container does not reshuffle the chance of all others."""
    some = REGION.containers[::2]
    smaller = Waste(REGION, 1, ORIGIN, containers=some)
    at = START + 9.3 * DAY_S
    of_all = dict(zip(world().ids, world().levels(at), strict=True))
    assert dict(zip(smaller.ids, smaller.levels(at), strict=True)) == {
        container.id: of_all[container.id] for container in some
    }


@given(emptyings, instants)
def test_emptying_leaves_a_small_residue_from_its_instant_on(
    done: list[tuple[int, float]], at: float
) -> None:
    """At the instant itself the container is still full; right after it is all but empty."""
    waste = emptied([one for one in done if one[1] < at - 0.01])
    before = waste.levels(at)
    waste.empty(0, at)
    assert waste.levels(at)[0] == before[0]
    assert 0 <= waste.levels(at + 0.002)[0] < 0.05
    np.testing.assert_array_equal(
        waste.levels(at + DAY_S)[1:],
        emptied([one for one in done if one[1] < at - 0.01]).levels(at + DAY_S)[1:],
    )


@given(emptyings)
def test_the_time_of_overflow_is_what_sampling_finds(done: list[tuple[int, float]]) -> None:
    """Seconds above 1 agree with a level read every ten minutes."""
    waste = emptied(done)
    end = START + 60 * DAY_S
    times = np.arange(START, end, 600.0)
    sampled = (waste.level(np.arange(LAST + 1)[:, None], times) > 1).sum(axis=1) * 600.0
    exact = waste.overflow_s(START, end)
    assert np.abs(exact - sampled).max() <= 600.0 * (len(done) + 1)


@given(emptyings, st.floats(1, 59))
def test_overflow_adds_up(done: list[tuple[int, float]], split: float) -> None:
    """The overflow of a span is that of its parts."""
    waste, middle, end = emptied(done), START + split * DAY_S, START + 60 * DAY_S
    parts = waste.overflow_s(START, middle) + waste.overflow_s(middle, end)
    np.testing.assert_allclose(parts, waste.overflow_s(START, end), atol=1e-3)


def test_levels_as_if_nothing_had_been_emptied_since() -> None:
    """The same world without today's tours."""
    waste, at = world(), START + 10 * DAY_S
    before = waste.levels(at + DAY_S)
    waste.empty([0, 1], [at + 100, at + 200])
    assert (waste.levels(at + DAY_S)[:2] < before[:2]).all()
    np.testing.assert_array_equal(waste.levels(at + DAY_S, emptied_until=at), before)


def test_rates_are_log_normal_around_the_fractions_median() -> None:
    """A region's figures are what its containers follow on average."""
    bielefeld = load_region("bielefeld")
    waste = Waste(bielefeld, 3, ORIGIN)
    fractions = [bielefeld.fraction_by_id[c.fraction] for c in bielefeld.containers]
    z = [
        np.log(rate / f.fill_per_day) / f.fill_per_day_log_sd
        for rate, f in zip(waste.rate_per_day, fractions, strict=True)
    ]
    assert abs(np.mean(z)) < 0.12
    assert np.std(z) == pytest.approx(1, abs=0.08)
    weeks = waste.levels(bielefeld.midnight(date(2026, 5, 25)).timestamp()) / (12 * 7)
    assert np.mean(weeks / waste.rate_per_day) == pytest.approx(1, abs=0.08)


def test_weekdays_follow_the_fractions_profile() -> None:
    """Saturdays bring twice as much as Sundays when the region says so."""
    bielefeld = load_region("bielefeld")
    waste = Waste(bielefeld, 3, ORIGIN)
    edges = [bielefeld.midnight(date(2026, 3, 2 + n)).timestamp() for n in range(28)]
    daily = np.diff([waste.levels(edge) / waste.rate_per_day for edge in edges], axis=0)
    share = np.array([daily[weekday::7].mean() for weekday in range(7)])
    weights = np.array(bielefeld.fractions[0].weekday_weights)
    np.testing.assert_allclose(share / share.mean(), weights / weights.mean(), atol=0.25)
    assert share[5] > 1.4 * share[6]


def test_days_of_23_hours_are_whole_days() -> None:
    """The switch to summer time neither loses nor doubles waste."""
    waste = world()
    switch = REGION.midnight(date(2026, 3, 29)).timestamp()
    levels = [waste.levels(switch + hour * 3600.0) for hour in range(25)]
    assert (np.diff(levels, axis=0) > 0).all()


def test_weight_follows_volume_and_density() -> None:
    """A full container weighs its volume times its fraction's density in the container."""
    waste, at = world(), START + 5 * DAY_S
    container = REGION.containers[0]
    density = REGION.fraction_by_id[container.fraction].container_kg_per_m3
    expected = float(waste.levels(at)[0]) * container.volume_l / 1000 * density
    assert waste.kg(0, at) == pytest.approx(expected)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_chance_is_the_same_whoever_asks_first(seed: int, counters: list[int]) -> None:
    """A draw is a function of its name: alone, in a crowd, or in another order."""
    key = chance.keys(["c1"])[0]
    together = chance.uniform(seed, "x", key, np.array(counters))
    alone = [float(chance.uniform(seed, "x", key, counter)) for counter in counters]
    assert together.tolist() == alone
    assert all(0 < share < 1 for share in alone)


def test_chance_is_fair() -> None:
    """Draws are uniform, and neighbours have nothing to do with each other."""
    drawn = chance.uniform(
        1, "fair", chance.keys([f"c{i}" for i in range(100)])[:, None], range(1000)
    )
    counts = np.histogram(drawn, 20, (0, 1))[0]
    assert np.abs(counts / 5000 - 1).max() < 0.06
    assert abs(np.corrcoef(drawn[:, :-1].ravel(), drawn[:, 1:].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]) < 0.01
