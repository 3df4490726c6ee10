"""The belief about every container, and how evidence changes it.

Per container the level V and the logarithm L of its rate (share of the volume per weighted
day) are jointly normal. Over an exposure of w weighted days V grows by exp(L) w; the moments
of that step are exact (log-normal), so a rate that is not known yet widens the level by just
what it should. Deposits come in lumps and days differ, which adds variance along the way.

A reading corrects both (Kalman); a surprising one weighs less (Student's t), an absurd one is
not believed until it has been said three times in a row. An emptying resets the level, and
where the found level is known it teaches the rate: so containers without a sensor learn too,
and those without any history keep their fraction's prior.

Constants: variation of days and lumps as measured on the 262 Edinburgh litter bins of 2016; see
`docs/adr/0008-what-to-collect-today.md`.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.fill.evidence import Evidence
from optimizer.fill.exposure import Exposure

Floats = NDArray[np.float64]

LUMP = 0.02  # variance of a level per unit of growth: waste comes in bags, not as a stream
DAY_CV2 = 0.12  # squared variation of one day's amount, what neighbours share included
RATE_DRIFT = 0.0005  # variance by which a log rate wanders per day
RATE_VAR_FLOOR = 0.003  # no rate is ever known better than to about 5 %
READING_SD = 0.04  # of an ultrasonic level
FOUND_SD = 0.12  # of a level told by a crew in quarters, or derived from a weight
EMPTY_LEVEL, EMPTY_SD = 0.03, 0.03  # what stays inside after an emptying
UNKNOWN_LEVEL, UNKNOWN_SD = 0.45, 0.30  # of a container nothing is known about
SATURATED = 0.95  # from here a sensor's blind zone hides what lies above
ABSURD_Z = 4.0
STRIKES = 3  # consecutive absurd readings that are believed
LOG_RATE_STEP = 0.5  # what one observation may change a log rate by


@dataclass(frozen=True, eq=False)
class Population:
    """What is known of containers before anything was seen of them.

    Attributes:
        fraction: (n,) row of each container in the exposure table.
        log_rate: (n,) logarithm of the median rate, share of the volume per day.
        log_rate_var: (n,) its variance between containers.
        exposure: weighted days by fraction.
    """

    fraction: NDArray[np.intp]
    log_rate: Floats
    log_rate_var: Floats
    exposure: Exposure

    def __len__(self) -> int:
        """Return the number of containers."""
        return len(self.fraction)

    def passed(self, which: NDArray[np.intp], since_s: Floats, until_s: Floats) -> Floats:
        """Return the weighted days between instants, never negative, for some containers."""
        fraction = self.fraction[which]
        span = self.exposure.at(fraction, until_s) - self.exposure.at(fraction, since_s)
        return np.maximum(span, 0.0)


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of each container at the instant it was last seen; all arrays (n,).

    Attributes:
        at_s: epoch seconds the figures are for.
        level: mean of the level, share of the volume; above 1 it overflows.
        level_var: its variance.
        log_rate: mean of the logarithm of the rate per weighted day.
        log_rate_var: its variance.
        covariance: of level and log rate.
        strikes: absurd readings in a row.
        reading: the last reading as it came (or empty, if it was emptied since); NaN if there
            never was one.
        emptied_s: when it was last emptied, NaN when that is not known.
    """

    at_s: Floats
    level: Floats
    level_var: Floats
    log_rate: Floats
    log_rate_var: Floats
    covariance: Floats
    strikes: NDArray[np.int64]
    reading: Floats
    emptied_s: Floats

    @property
    def rate(self) -> Floats:
        """Expected rate, share of the volume per weighted day."""
        return np.asarray(np.exp(self.log_rate + self.log_rate_var / 2))

    @property
    def rate_sd(self) -> Floats:
        """Standard deviation of the rate."""
        return np.asarray(self.rate * np.sqrt(np.expm1(self.log_rate_var)))


def prior_belief(population: Population, at_s: float) -> Belief:
    """Return the belief about containers of which nothing has been seen by an instant."""
    n = len(population)
    return Belief(
        at_s=np.full(n, at_s),
        level=np.full(n, UNKNOWN_LEVEL),
        level_var=np.full(n, UNKNOWN_SD**2),
        log_rate=population.log_rate.copy(),
        log_rate_var=np.maximum(population.log_rate_var, RATE_VAR_FLOOR),
        covariance=np.zeros(n),
        strikes=np.zeros(n, np.int64),
        reading=np.full(n, np.nan),
        emptied_s=np.full(n, np.nan),
    )


def learn(belief: Belief, population: Population, evidence: Evidence) -> Belief:
    """Return the belief after all evidence; what was learnt before is left out."""
    state = dataclasses.replace(
        belief, **{f.name: getattr(belief, f.name).copy() for f in dataclasses.fields(belief)}
    )
    unseen = np.isnan(state.reading) & np.isnan(state.emptied_s)
    for items in evidence.rounds():
        which = evidence.container[items]
        news = unseen[which] | _is_news(state, which, evidence, items)
        items, which = items[news], which[news]
        _advance(state, population, which, evidence.time_s[items], unseen[which])
        unseen[which] = False
        emptied = evidence.emptied[items]
        _read(state, which[~emptied], evidence.fill[items[~emptied]])
        _empty(state, which[emptied], evidence.fill[items[emptied]])
    return state


def _is_news(
    state: Belief, which: NDArray[np.intp], evidence: Evidence, items: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Whether evidence was not learnt before; an emptying may share a reading's instant."""
    time_s, emptied = evidence.time_s[items], evidence.emptied[items]
    again = state.emptied_s[which] == time_s
    at_s = state.at_s[which]
    return np.asarray((time_s > at_s) | (emptied & (time_s == at_s) & ~again))


def _advance(
    state: Belief,
    population: Population,
    which: NDArray[np.intp],
    until_s: Floats,
    unseen: NDArray[np.bool_],
) -> None:
    """Let containers fill until an instant; one that was never seen starts there as unknown."""
    w = np.where(unseen, 0.0, population.passed(which, state.at_s[which], until_s))
    log_rate_var = state.log_rate_var[which]
    rate = np.exp(state.log_rate[which] + log_rate_var / 2)
    growth = rate * w
    covariance = state.covariance[which]
    state.level[which] += growth
    state.level_var[which] += (
        2 * covariance * growth
        + np.expm1(log_rate_var) * growth**2
        + (LUMP * rate + DAY_CV2 * rate**2) * w
    )
    state.covariance[which] = covariance + log_rate_var * growth
    state.log_rate_var[which] = log_rate_var + RATE_DRIFT * w
    state.at_s[which] = until_s


def _read(state: Belief, which: NDArray[np.intp], fill: Floats) -> None:
    """Correct by a sensor's reading: clipped where it is blind, doubted where it surprises."""
    state.reading[which] = fill
    error = fill - state.level[which]
    informative = ~((fill >= SATURATED) & (error < 0))
    z = error / np.sqrt(state.level_var[which] + READING_SD**2)
    absurd = informative & (np.abs(z) > ABSURD_Z)
    strikes = np.where(absurd, state.strikes[which] + 1, 0)
    believed = absurd & (strikes >= STRIKES)
    state.strikes[which] = np.where(believed, 0, strikes)
    _correct(state, which, error, READING_SD, informative & ~absurd)
    restart = which[believed]
    state.level[restart] = fill[believed]
    state.level_var[restart] = 2 * READING_SD**2
    state.covariance[restart] = 0.0


def _empty(state: Belief, which: NDArray[np.intp], found: Floats) -> None:
    """Learn from the level that was found, where it is told, and start again from empty."""
    error = np.where(np.isnan(found), 0.0, found - state.level[which])
    _correct(state, which, error, FOUND_SD, ~np.isnan(found))
    state.level[which] = EMPTY_LEVEL
    state.level_var[which] = EMPTY_SD**2
    state.covariance[which] = 0.0
    state.strikes[which] = 0
    state.reading[which] = np.where(np.isnan(state.reading[which]), np.nan, EMPTY_LEVEL)
    state.emptied_s[which] = state.at_s[which]


def _correct(
    state: Belief, which: NDArray[np.intp], error: Floats, sd: float, use: NDArray[np.bool_]
) -> None:
    """Correct level and rate: Kalman's step, with the weight of Student's t.

    The gain is that of the scalar Kalman filter (Anderson and Moore, "Optimal Filtering", 1979).
    An error distributed like Student's t with nu degrees of freedom weighs (nu + 1) / (nu + z^2)
    (K. Lange, R. Little and J. Taylor, "Robust statistical modeling using the t distribution",
    Journal of the American Statistical Association 84, 1989); here nu is 4, and no error weighs
    more than 1. A weight divides the variance of the reading.
    """
    which, error = which[use], error[use]
    var, covariance = state.level_var[which], state.covariance[which]
    z2 = error**2 / (var + sd**2)
    total = var + sd**2 / np.minimum(5 / (4 + z2), 1.0)
    gain, rate_gain = var / total, covariance / total
    state.level[which] += gain * error
    state.log_rate[which] += np.clip(rate_gain * error, -LOG_RATE_STEP, LOG_RATE_STEP)
    state.level_var[which] = var * (1 - gain)
    state.log_rate_var[which] = np.maximum(
        state.log_rate_var[which] - rate_gain * covariance, RATE_VAR_FLOOR
    )
    state.covariance[which] = covariance * (1 - gain)
