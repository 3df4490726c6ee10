"""What a policy decided on a day, and on what grounds."""

from dataclasses import dataclass

import numpy as np

from optimizer.explain import ContainerFacts, Text
from optimizer.selection import Choice, Occasion, Outlook, Policy


@dataclass(frozen=True, eq=False)
class Decision:
    """A policy's choice.

    Attributes:
        by: the policy.
        outlook: of all containers, in the order of `DaySnapshot.containers`; likewise `choice`.
        today_s: epoch seconds from which the outlook looks.
        next_s: likewise of the next chance, to which it reaches.
    """

    by: Policy
    occasion: Occasion
    outlook: Outlook
    choice: Choice
    today_s: float
    next_s: float

    @property
    def policy(self) -> str:
        """The policy's name."""
        return self.by.name

    def container_ids(self, indices: tuple[int, ...]) -> tuple[str, ...]:
        """Return the ids of some containers."""
        return tuple(self.outlook.containers[index].id for index in indices)

    def facts(self, index: int) -> ContainerFacts:
        """Return what explains a container."""
        outlook, occasion = self.outlook, self.occasion
        container = outlook.containers[index]
        fraction = occasion.region.fraction_by_id[container.fraction]
        waiting_eur = outlook.overflow_days[index] * occasion.service.overflow_eur_per_day
        reading = float(outlook.reading[index])
        return ContainerFacts(
            id=container.id,
            fraction=Text(fraction.name_en, fraction.name_de),
            level=float(outlook.level[index]),
            level_sd=float(outlook.level_sd[index]),
            p_overflow=float(outlook.p_overflow[index]),
            waiting_eur=float(waiting_eur),
            saved_share=float(outlook.saved_share[index]),
            prize_eur=float(self.choice.prize_eur[index]),
            credit_eur=float(self.choice.credit_eur[index]),
            handling_eur=occasion.container_eur,
            joins=bool(self.choice.take[index]),
            gap_days=outlook.gap_days,
            reading=None if np.isnan(reading) else reading,
        )
