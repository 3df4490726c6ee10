"""Policies by the words that people use for them."""

from config.errors import PlanError
from optimizer.horizon import CHANCES, FEWEST, Horizon
from optimizer.selection import FixedCalendar, Policy, RiskPriced, Threshold

MOST_PERCENT, MOST_DAYS, MOST_CHANCES = 150, 366, 10  # what a policy may be asked for


def policy_named(text: str) -> Policy:
    """Return the policy that a word names.

    `risk`, `horizon:3` (collection days), `threshold:80` (%) or `calendar:10` (days).

    Raises:
        PlanError: it names none.
    """
    kind, _, figure = text.partition(":")
    try:
        if kind == "risk" and not figure:
            return RiskPriced()
        if kind == "horizon" and FEWEST <= int(figure or CHANCES) <= MOST_CHANCES:
            return Horizon(int(figure or CHANCES))
        if kind == "threshold" and 0 < float(figure) <= MOST_PERCENT:
            return Threshold(float(figure) / 100)
        if kind == "calendar" and 1 <= float(figure) <= MOST_DAYS:
            return FixedCalendar(float(figure))
    except ValueError:
        pass
    raise PlanError(f"no policy {text!r}; use risk, horizon:3, threshold:80 or calendar:10")
