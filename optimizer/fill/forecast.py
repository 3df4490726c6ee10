"""From a belief to levels and overflow at later instants.

Given its rate, a level is normal; the rate's own uncertainty is integrated by Gauss-Hermite
nodes. So a container whose rate is unknown gets the long tail it deserves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from optimizer.fill.belief import DAY_CV2, LUMP, Belief, Floats, Population

DAY_S = 86_400.0
_X, _W = np.polynomial.hermite_e.hermegauss(7)
_W = _W / _W.sum()
_STEPS_PER_DAY = 6
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is to be expected of each container after the belief's instant."""

    belief: Belief
    population: Population

    def level(self, at_s: float) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of every level at an instant."""
        w, b = self._passed(at_s), self.belief
        growth = b.rate * w
        # The step of `belief._advance`; summed up here from the level's variance on.
        var = (
            b.level_var
            + 2 * b.covariance * growth
            + np.expm1(b.log_rate_var) * growth**2
            + (LUMP * b.rate + DAY_CV2 * b.rate**2) * w
        )
        return b.level + growth, np.sqrt(np.maximum(var, _TINY))

    def p_above(self, level: float | Floats, at_s: float) -> Floats:
        """Return the probability that a level was reached by an instant; grows with time."""
        return self._p_above(level, self._passed(at_s)[:, None])[:, 0]

    def p_overflow(self, at_s: float) -> Floats:
        """Return the probability that a container overflows by an instant."""
        return self.p_above(1.0, at_s)

    def overflow_days(self, since_s: float, until_s: float) -> Floats:
        """Return the expected time, in days, that a container overflows between two instants.

        That is the integral of the probability of overflowing, by the trapezoidal rule.
        """
        span = max(until_s - since_s, 0.0) / DAY_S
        instants = np.linspace(since_s, until_s, max(8, round(_STEPS_PER_DAY * span)) + 1)
        w = np.stack([self._passed(float(instant)) for instant in instants], axis=1)
        mean = np.trapezoid(self._p_above(1.0, w), dx=1.0, axis=1) / (len(instants) - 1)
        return np.asarray(mean * span)

    def _passed(self, at_s: float) -> Floats:
        n = len(self.population)
        everything: NDArray[np.intp] = np.arange(n)
        return self.population.passed(everything, self.belief.at_s, np.full(n, at_s))

    def _p_above(self, level: float | Floats, w: Floats) -> Floats:
        """Return P(level reached) for (n, t) weighted days."""
        b = self.belief
        sd = np.sqrt(b.log_rate_var)
        rate = np.exp(b.log_rate[:, None] + sd[:, None] * _X)[:, None, :]  # (n, 1, nodes)
        start = b.level[:, None] + (b.covariance / sd)[:, None] * _X
        above = (start - np.reshape(level, (-1, 1)))[:, None, :]
        own = np.maximum(b.level_var - b.covariance**2 / b.log_rate_var, _TINY)[:, None, None]
        spread = LUMP * rate + DAY_CV2 * rate**2
        days = w[:, :, None]
        z = (above + rate * days) / np.sqrt(own + spread * days)
        # A level never falls by itself, though a widening normal may seem to: z falls at most
        # once and then rises, so the larger of its ends is its running maximum.
        return np.asarray(ndtr(np.maximum(z, above / np.sqrt(own))) @ _W)
