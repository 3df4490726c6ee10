"""A depot's containers in one world, with what is known of them."""

from datetime import date, timedelta

import numpy as np

from config.region import Depot
from optimizer.daily import DayPlan, DaySnapshot, containers_of, instant
from optimizer.fill.belief import Belief
from optimizer.fill.evidence import Emptyings, Readings
from simulator.calendar import rota
from simulator.sensors import Sensors
from simulator.studies.base import Base
from simulator.studies.execution import Lift
from simulator.studies.scenario import Scenario
from simulator.waste import Waste

HISTORY_DAYS = 14  # of readings that the first plan has
FILLING_DAYS = 21  # before that, so that the world is as full as it usually is


class District:
    """A depot's containers, with what is known of them so far."""

    def __init__(self, base: Base, scenario: Scenario, seed: int, depot: Depot) -> None:
        region, service = base.region, base.service
        first = scenario.start - timedelta(weeks=scenario.warm_up_weeks)
        origin = first - timedelta(days=HISTORY_DAYS + FILLING_DAYS)
        self.depot = depot
        self.vehicles = tuple(v for v in region.vehicles if v.depot == depot.id)
        containers = containers_of(region, service, depot)
        self.waste = Waste(region, seed, origin, containers=containers)
        self.sensors = Sensors(self.waste, seed)
        self.known_until = region.midnight(first - timedelta(days=HISTORY_DAYS)).timestamp()
        self.belief: Belief | None = None
        self.emptied: list[tuple[int, float]] = []
        self._follow_rota(base, seed, origin, first)

    def _follow_rota(self, base: Base, seed: int, origin: date, first: date) -> None:
        """Let the world be served by a calendar until policies take over."""
        names = [container.id for container in base.region.containers]
        mine = self.waste.index
        past = rota(base.region, seed, origin, first - timedelta(days=1))
        done = [(mine[names[e.which]], e.time) for e in past if names[e.which] in mine]
        self.waste.empty([which for which, _ in done], [at for _, at in done])
        self.emptied = [(which, at) for which, at in done if at >= self.known_until]

    def snapshot(self, base: Base, day: date, decides_s: int) -> DaySnapshot:
        """Return what is known when a day is planned."""
        decided = instant(base.region, day, decides_s)
        seen = self.sensors.observe(self.known_until, decided.timestamp())
        emptied = np.array(self.emptied, np.float64).reshape(-1, 2)
        self.known_until, self.emptied = decided.timestamp(), []
        return DaySnapshot(
            region=base.region,
            service=base.service,
            depot=self.depot,
            day=day,
            decided_at=decided,
            readings=Readings(seen.container, seen.time, seen.fill),
            emptyings=Emptyings(
                emptied[:, 0].astype(np.intp), emptied[:, 1], np.full(len(emptied), np.nan)
            ),
            vehicles=self.vehicles,
            belief=self.belief,
        )

    def learn(self, plan: DayPlan, lifts: list[Lift]) -> None:
        """Remember what the plan believed and what was emptied."""
        self.belief = plan.belief
        self.emptied += [(lift.which, lift.time) for lift in lifts if lift.done]
