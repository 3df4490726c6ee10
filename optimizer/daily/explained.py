"""A finished plan, explained: what each decision rests on and what would change it."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from optimizer.check import TimedTour
from optimizer.daily.decision import Decision
from optimizer.daily.problem import DayProblem
from optimizer.daily.waiting import Waiting
from optimizer.daily.whatif import Curves, curves
from optimizer.explain import (
    Explanation,
    Text,
    decisive,
    explain_unserved,
    explain_visit,
    explain_waiting,
)
from optimizer.fill.forecast import Forecast
from optimizer.model import Unserved
from optimizer.selection import Candidate
from optimizer.solve.judged import marginal_eur


class Told(NamedTuple):
    """A sentence, and the level of a container at which the decision turns."""

    text: Text
    turns_at: float | None = None


@dataclass(frozen=True, eq=False)
class Explainer:
    """Explains what is visited, what is left out and what waits.

    Attributes:
        forecast: what the decision's outlook was made of.
    """

    day: DayProblem
    decision: Decision
    forecast: Forecast

    @cached_property
    def _curves(self) -> Curves:
        decision = self.decision
        return curves(
            decision.outlook,
            decision.occasion,
            self.forecast,
            decision.by,
            (decision.today_s, decision.next_s),
        )

    def visit(self, timed: TimedTour, position: int) -> Explanation:
        """Say why a site is visited."""
        candidate = self.day.candidates[timed.nodes[position].node]
        cost_eur = marginal_eur(self.day.problem, timed, position)
        return explain_visit(
            tuple(self.decision.facts(index) for index in candidate.containers),
            candidate.prize_eur,
            cost_eur,
            self.decision.policy,
            self._turns_at(candidate.containers, cost_eur),
        )

    def left_out(self, candidate: Candidate, entry: Unserved) -> Told:
        """Say why a candidate is not served."""
        level = None
        if candidate.prize_eur is not None and entry.extra_eur is not None:
            level = self._turns_at(candidate.containers, entry.extra_eur)
        text = explain_unserved(
            entry.reason, candidate.prize_eur, entry.extra_eur, entry.short, level
        )
        return Told(text, level)

    def waiting(self, one: Waiting, container: int) -> Told:
        """Say why a container of a site that nobody visits waits."""
        facts = self.decision.facts(container)
        if one.cost_eur is None:
            return Told(explain_waiting(facts))
        joining = [i for i in one.containers if i != container and self.decision.choice.take[i]]
        occasion = self.decision.occasion
        least_eur = occasion.site_eur + (1 + len(joining)) * occasion.container_eur
        cost_eur = max(one.cost_eur, least_eur)  # below that it would be no candidate
        level = self._turns_at((container, *joining), cost_eur, container)
        return Told(explain_waiting(facts, one.cost_eur, level), level)

    def stays(self, container: int) -> Told:
        """Say why a container is left as it is although a truck is there."""
        handling_eur = self.decision.occasion.container_eur
        level = self._turns_at((container,), handling_eur, container)
        return Told(explain_waiting(self.decision.facts(container), handling_eur, level), level)

    def _turns_at(
        self, containers: tuple[int, ...], cost_eur: float, main: int | None = None
    ) -> float | None:
        """Return the level of the decisive container from which a visit is worth its cost."""
        if main is None:
            facts = {self.decision.facts(index).id: index for index in containers}
            main = facts[decisive(tuple(self.decision.facts(i) for i in containers)).id]
        choice = self.decision.choice
        rest = [index for index in containers if index != main]
        paid = float(choice.prize_eur[rest].sum())
        must = bool(choice.mandatory[rest].any())
        return self._curves.turns_at(main, cost_eur, paid, must)
