"""What would change a decision: the level of a container at which it turns."""

import dataclasses

import numpy as np

from optimizer.fill.forecast import Forecast
from optimizer.selection import Flags, Floats, Occasion, Outlook, Policy, RiskPriced, look_ahead

LEVELS = np.linspace(0.0, 1.25, 26)


@dataclasses.dataclass(frozen=True, eq=False)
class Curves:
    """What a policy would make of each container at other levels, all else as it is.

    Attributes:
        prize_eur: (levels, n), 0 where it would not be emptied; likewise `mandatory`.
    """

    prize_eur: Floats
    mandatory: Flags

    def turns_at(
        self, container: int, cost_eur: float, others_eur: float = 0.0, others_must: bool = False
    ) -> float | None:
        """Return the level from which a visit for this container is worth its cost.

        Args:
            container: its index.
            cost_eur: what the visit costs.
            others_eur: what the site's other containers pay of that.
            others_must: whether one of them makes the visit mandatory anyway.

        Returns:
            0 where the others suffice, None where no level does.
        """
        if others_must:
            return 0.0
        value = self.prize_eur[:, container] + others_eur
        enough = self.mandatory[:, container] | (value >= max(cost_eur, 1e-9))
        if not enough.any():
            return None
        first = int(enough.argmax())
        if first == 0:
            return 0.0
        before, after = value[first - 1], value[first]
        part = 1.0
        if before < cost_eur <= after:
            part = float((cost_eur - before) / (after - before))
        return float(LEVELS[first - 1] + part * (LEVELS[first] - LEVELS[first - 1]))


def curves(
    outlook: Outlook,
    occasion: Occasion,
    forecast: Forecast,
    policy: Policy,
    span_s: tuple[float, float],
) -> Curves:
    """Ask a policy what it would do at each of `LEVELS`.

    Args:
        outlook: of the day as it is.
        occasion: the day.
        forecast: what the outlook was made of.
        policy: the one that decided. Prices of one that looks at neighbours are taken to change
            with a container's level as its risk does.
        span_s: today's collection and the next chance, in epoch seconds.
    """
    today_s, next_s = span_s
    plain = policy if policy.chances == 1 else RiskPriced()
    scale = _scale(outlook, occasion, policy, plain)
    prize, mandatory = [], []
    for level in LEVELS:
        seen = _at(outlook, forecast, float(level), today_s, next_s)
        choice = plain.choose(seen, occasion)
        prize.append(np.where(choice.take, choice.prize_eur, 0.0) * scale)
        mandatory.append(choice.mandatory)
    return Curves(np.stack(prize), np.stack(mandatory))


def _at(
    outlook: Outlook, forecast: Forecast, level: float, today_s: float, next_s: float
) -> Outlook:
    """Return the outlook with every container at one level today, as a sensor would tell it."""
    belief = forecast.belief
    moved = dataclasses.replace(
        belief,
        level=belief.level + (level - outlook.level),
        reading=np.where(np.isnan(belief.reading), np.nan, level),
    )
    at_level = Forecast(moved, forecast.population)
    return look_ahead(outlook.containers, at_level, today_s, (next_s,))


def _scale(outlook: Outlook, occasion: Occasion, policy: Policy, plain: Policy) -> Floats:
    """Return by how much a policy's prices differ from the plain ones."""
    if policy is plain:
        return np.ones(len(outlook.containers))
    ours, theirs = (one.choose(outlook, occasion).prize_eur for one in (policy, plain))
    known = theirs > 0
    return np.where(known, ours / np.where(known, theirs, 1.0), 1.0)
