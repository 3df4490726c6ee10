"""The belief about fill levels: honest about what it does not know, hard to fool."""

import dataclasses
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.region import Fraction
from optimizer.fill.belief import Belief, Population, learn, prior_belief
from optimizer.fill.evidence import Emptyings, Evidence, Readings
from optimizer.fill.exposure import Exposure
from optimizer.fill.forecast import Forecast

ZONE = "Europe/Berlin"
H, DAY = 3600.0, 86_400.0
START = datetime(2026, 3, 2, tzinfo=ZoneInfo(ZONE)).timestamp()  # a Monday
GLASS = Fraction(
    id="glass",
    name_de="Glas",
    name_en="Glass",
    container_kg_per_m3=300,
    truck_kg_per_m3=320,
    fill_per_day=0.05,
    weekday_weights=(1.0, 0.8, 0.8, 0.8, 1.0, 1.6, 1.0),
)


def population(n: int, fraction: Fraction = GLASS) -> Population:
    """Containers of one fraction that nothing is known of."""
    exposure = Exposure.of([fraction], ZONE, date(2026, 1, 1), date(2026, 12, 31))
    return Population(
        np.zeros(n, np.intp),
        np.full(n, np.log(fraction.fill_per_day)),
        np.full(n, fraction.fill_per_day_log_sd**2),
        exposure,
    )


def readings(*rows: tuple[int, float, float]) -> Readings:
    """Rows of container, days after the start, level."""
    table = np.array(rows).reshape(-1, 3)
    return Readings(table[:, 0].astype(np.intp), START + table[:, 1] * DAY, table[:, 2])


def emptyings(*rows: tuple[int, float, float]) -> Emptyings:
    """Rows of container, days after the start, level found or NaN."""
    table = np.array(rows).reshape(-1, 3)
    return Emptyings(table[:, 0].astype(np.intp), START + table[:, 1] * DAY, table[:, 2])


def believe(
    seen: Readings | None = None, emptied: Emptyings | None = None, n: int = 1, day: float = 0.0
) -> Forecast:
    """What is to be expected after some evidence."""
    people = population(n)
    evidence = Evidence.of(seen or Readings.none(), emptied or Emptyings.none())
    return Forecast(learn(prior_belief(people, START + day * DAY), people, evidence), people)


def steady(rate: float, days: float, noise: float = 0.0, seed: int = 0) -> Readings:
    """A container that fills at one rate from empty, read every four hours."""
    rng = np.random.default_rng(seed)
    at = np.arange(0, days, 1 / 6)
    level = 0.03 + rate * at + noise * rng.normal(size=len(at))
    return readings(*((0, float(t), float(v)) for t, v in zip(at, level, strict=True)))


class TestExposure:
    def test_a_week_always_counts_seven_days(self) -> None:
        """Weekday weights distribute a week's waste, they do not change it."""
        table = Exposure.of([GLASS], ZONE, date(2026, 3, 1), date(2026, 4, 30))
        row = np.zeros(20, np.intp)
        since = (
            START + np.arange(20, dtype=np.float64) * 1.37 * DAY
        )  # also over the change to summer time
        passed = table.at(row, since + 7 * DAY) - table.at(row, since)
        assert passed == pytest.approx(7.0, abs=0.08)  # an hour of the heaviest day

    def test_a_saturday_counts_by_its_weight(self) -> None:
        """The Saturday of weight 1.6 brings twice what a Wednesday of weight 0.8 brings."""
        table = Exposure.of([GLASS], ZONE, date(2026, 3, 1), date(2026, 4, 30))
        row = np.zeros(1, np.intp)

        def day(n: int) -> float:
            start = np.array([START + n * DAY])
            return float((table.at(row, start + DAY) - table.at(row, start))[0])

        assert day(5) == pytest.approx(2 * day(2))


class TestWithoutSensor:
    def test_elapsed_time_times_the_prior_rate(self) -> None:
        """With nothing but a last emptying, the level is the elapsed time at the usual rate."""
        belief = believe(emptied=emptyings((0, 0, np.nan)))
        mean, sd = belief.level(START + 7 * DAY)
        usual = 0.05 * np.exp(0.64**2 / 2)  # the mean of log-normal rates
        assert mean[0] == pytest.approx(0.03 + 7 * usual)
        assert sd[0] > 0.25  # and hardly anything is known

    def test_nothing_known_at_all(self) -> None:
        """A container that was never seen can still be planned: half full, give or take."""
        belief = believe()
        mean, sd = belief.level(START)
        assert 0.3 < mean[0] < 0.6
        assert sd[0] > 0.25
        assert 0.0 < belief.p_overflow(START + 3 * DAY)[0] < 0.5

    def test_found_levels_teach_the_rate(self) -> None:
        """Crews who find a container full every week make it a fast one, empty a slow one."""
        weekly = [(c, 7.0 * k, (1.0, 0.12)[c]) for c in (0, 1) for k in range(1, 9)]
        first = [(c, 0.0, np.nan) for c in (0, 1)]
        belief = believe(emptied=emptyings(*first, *weekly), n=2).belief
        assert belief.rate[0] == pytest.approx(0.14, rel=0.2)
        assert belief.rate[1] < 0.022
        assert (belief.rate_sd / belief.rate < 0.35).all()


class TestReadings:
    def test_the_level_follows_the_sensor(self) -> None:
        """After some days of readings, level and rate are those of the container."""
        belief = believe(steady(0.08, 8, noise=0.03))
        mean, sd = belief.level(START + 8 * DAY)
        assert mean[0] == pytest.approx(0.67, abs=0.05)
        assert sd[0] < 0.05
        assert belief.belief.rate[0] == pytest.approx(0.08, rel=0.25)

    @given(at=st.integers(3, 40), spike=st.sampled_from([0.0, 0.95, 1.0, 1.5]))
    def test_one_spike_does_not_move_it_much(self, at: int, spike: float) -> None:
        """A bag before the lens for one reading is no reason to send a truck."""
        good = steady(0.05, 8, noise=0.02)
        fill = good.fill.copy()
        fill[at] = spike
        spiked = dataclasses.replace(good, fill=fill)
        end = START + 8 * DAY
        clean, fooled = (believe(seen).level(end)[0][0] for seen in (good, spiked))
        assert abs(fooled - clean) < 0.05

    def test_an_unannounced_emptying_is_believed_after_three_readings(self) -> None:
        """Where no truck told of an emptying, the sensor's word counts when it stays with it."""
        full = [(0, day / 6, 0.6 + day * 0.008) for day in range(12)]
        two = [(0, 2 + k / 6, 0.04) for k in range(2)]
        three = [*two, (0, 2 + 2 / 6, 0.05)]
        soon = START + 2.5 * DAY
        assert believe(readings(*full, *two)).level(soon)[0][0] > 0.5
        assert believe(readings(*full, *three)).level(soon)[0][0] < 0.2

    def test_a_blind_sensor_does_not_hold_the_level_down(self) -> None:
        """A reading at the top of a sensor's range says 'at least', not 'exactly'."""
        rising = steady(0.1, 10)
        stuck = readings(*((0, 10 + k / 6, 0.97) for k in range(18)))
        seen = Readings(
            *(np.concatenate(pair) for pair in zip(
                (rising.container, rising.time_s, rising.fill),
                (stuck.container, stuck.time_s, stuck.fill), strict=True))
        )  # fmt: skip
        assert believe(seen).level(START + 13 * DAY)[0][0] > 1.1

    def test_an_emptying_resets_the_level(self) -> None:
        """After a lift the container is empty, whatever the sensor said before."""
        belief = believe(readings((0, 0, 0.9)), emptyings((0, 0.1, np.nan)))
        assert belief.level(START + 0.1 * DAY)[0][0] < 0.1
        assert belief.p_overflow(START + 1 * DAY)[0] < 0.01

    def test_learning_in_pieces_is_learning_at_once(self) -> None:
        """Studies learn day by day, production in one go; both end in the same belief."""
        seen, emptied = steady(0.07, 9, noise=0.04), emptyings((0, 4.0, 0.3))
        people = population(1)
        start = prior_belief(people, START)
        whole = learn(start, people, Evidence.of(seen, emptied))
        early = seen.time_s < START + 3 * DAY
        first = Readings(seen.container[early], seen.time_s[early], seen.fill[early])
        rest = Readings(seen.container[~early], seen.time_s[~early], seen.fill[~early])
        half = learn(start, people, Evidence.of(first, Emptyings.none()))
        pieces = learn(half, people, Evidence.of(rest, emptied))
        for name in ("level", "level_var", "log_rate", "log_rate_var", "covariance"):
            assert getattr(pieces, name) == pytest.approx(getattr(whole, name))


@given(
    rate=st.floats(0.005, 0.4),
    noise=st.floats(0, 0.1),
    read_days=st.floats(0.2, 10),
    later=st.lists(st.floats(0, 20), min_size=2, max_size=8),
)
def test_time_without_news_widens_and_fills(
    rate: float, noise: float, read_days: float, later: list[float]
) -> None:
    """Without readings nothing gets surer, and an overflow never becomes less likely."""
    belief = believe(steady(rate, read_days, noise))
    instants = [START + (read_days + day) * DAY for day in sorted(later)]
    levels, deviations = zip(*(belief.level(t) for t in instants), strict=True)
    risks = [belief.p_overflow(t) for t in instants]
    for values in (levels, deviations, risks):
        assert (np.diff(np.array(values), axis=0) >= -1e-12).all()
    assert all(0 <= risk[0] <= 1 for risk in risks)


@given(
    rate=st.floats(0.01, 0.3),
    read_days=st.floats(0.2, 8),
    a=st.floats(0, 6),
    b=st.floats(0, 6),
    c=st.floats(0, 6),
)
def test_overflow_time_adds_up(rate: float, read_days: float, a: float, b: float, c: float) -> None:
    """Overflow time lies between none and all of a span, and spans add up."""
    belief = believe(steady(rate, read_days, 0.02))
    x, y, z = (START + (read_days + day) * DAY for day in sorted((a, b, c)))
    first, second, both = (belief.overflow_days(s, t)[0] for s, t in ((x, y), (y, z), (x, z)))
    assert 0 <= both <= (z - x) / DAY + 1e-9
    assert first + second == pytest.approx(both, abs=0.02)


@given(st.permutations(list(range(12))))
def test_the_order_of_arrival_does_not_matter(order: list[int]) -> None:
    """Readings are learnt in the order in which they were taken, however they came in."""
    seen = steady(0.06, 2, noise=0.05)
    mixed = Readings(seen.container[order], seen.time_s[order], seen.fill[order])
    assert believe(mixed).belief.level == pytest.approx(believe(seen).belief.level)


def simulate(n: int, days: int, sensor: bool, seed: int) -> tuple[Readings, Emptyings, np.ndarray]:
    """Let containers fill in lumps at log-normal rates; empty each every 9 days or so.

    Returns what is seen of the first `days` days, and the level three days later.
    """
    rng = np.random.default_rng(seed)
    rate = GLASS.fill_per_day * np.exp(0.64 * rng.normal(size=n))
    weights = np.array(GLASS.weekday_weights) / np.mean(GLASS.weekday_weights)
    level, turn = np.full(n, 0.03), rng.integers(0, 9, n)
    seen, emptied = [], []
    for day in range(days + 3):
        due = (day % 9 == turn) & (day < days)
        found = np.round(4 * (level + 0.05 * rng.normal(size=n))) / 4
        emptied += [
            (int(c), float(day), float(found[c]) if day else np.nan) for c in np.flatnonzero(due)
        ]
        level = np.where(due, 0.03, level)
        shock = rng.gamma(1 / 0.12, 0.12, n)
        for step in range(6):
            if sensor and day < days:
                told = np.clip(level + 0.04 * rng.normal(size=n), 0, 1)
                seen += [(c, day + step / 6 + 0.01, float(told[c])) for c in range(n)]
            mean = rate * weights[day % 7] * shock / 6
            level = level + rng.gamma(mean / 0.02, 0.02)
    return readings(*seen), emptyings(*emptied), level


@pytest.mark.parametrize("sensor", [True, False])
def test_intervals_keep_their_promise(sensor: bool) -> None:
    """Of intervals that promise 80 %, 70 to 90 % hold the level three days ahead."""
    n, days = 300, 30
    seen, emptied, truth = simulate(n, days, sensor, seed=11)
    belief = believe(seen, emptied, n=n)
    below = 1 - belief.p_above(truth, START + (days + 3) * DAY)
    inside = np.mean((below > 0.1) & (below < 0.9))
    assert 0.7 < inside < 0.9


def test_a_sensor_is_worth_having() -> None:
    """With a sensor the level three days ahead is known much better than without."""
    spreads = []
    for sensor in (True, False):
        seen, emptied, truth = simulate(200, 30, sensor, seed=5)
        belief = believe(seen, emptied, n=200)
        mean, _ = belief.level(START + 33 * DAY)
        spreads.append(float(np.median(np.abs(mean - truth))))
    assert spreads[0] < spreads[1] / 1.5


def test_beliefs_are_left_as_they_were() -> None:
    """Learning gives a new belief; the one before stays usable for comparison."""
    people = population(2)
    before = prior_belief(people, START)
    copy = Belief(**{f.name: getattr(before, f.name).copy() for f in dataclasses.fields(before)})
    learn(before, people, Evidence.of(readings((0, 1, 0.5)), Emptyings.none()))
    for field in dataclasses.fields(before):
        assert np.array_equal(
            getattr(before, field.name), getattr(copy, field.name), equal_nan=True
        )
