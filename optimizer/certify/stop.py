"""A stop of a given tour, found among the region's facts."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.region import Container, Facility, Site
from optimizer.certify.given import Action, GivenStop


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop, found in the region.

    Attributes:
        name: for people: the place's id, else what the plan says.
        point: longitude and latitude; None where nothing is known of it.
        containers: that are emptied there.
    """

    given: GivenStop
    action: Action
    name: str
    point: tuple[float, float] | None = None
    site: Site | None = None
    facility: Facility | None = None
    containers: tuple[Container, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def at_curb(self) -> bool:
        """Whether it has to be reached with the containers on the truck's right."""
        return self.site is not None and self.site.curb

    @property
    def fractions(self) -> frozenset[str]:
        """Fractions that are collected there."""
        return frozenset(container.fraction for container in self.containers)

    @property
    def kg_by(self) -> Mapping[str, float] | None:
        """Weight per fraction; None where the plan does not say it."""
        return self._by(self.given.kg_by, self.given.kg)

    @property
    def litres_by(self) -> Mapping[str, float] | None:
        """Volume per fraction; None where the plan does not say it."""
        return self._by(self.given.litres_by, self.given.litres)

    def _by(self, known: Mapping[str, float], total: float | None) -> Mapping[str, float] | None:
        if known or total is None:
            return known or None
        if total == 0:
            return {}
        return {next(iter(self.fractions)): total} if len(self.fractions) == 1 else None
