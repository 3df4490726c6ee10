"""One policy in one world, day after day, planned as production plans."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from config.region import seconds_of_day
from optimizer.daily import DayPlan, plan_day
from optimizer.model import Problem, Solution
from optimizer.selection import Policy
from simulator.studies.base import Base
from simulator.studies.district import District
from simulator.studies.execution import Lift, execute
from simulator.studies.scenario import Scenario

Solve = Callable[[Problem], Solution]

FILL_STEPS = np.linspace(0, 1.5, 16)  # of the histogram of fills at emptying
_HOUR_S = 3600.0
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Outcome:
    """A policy in a world.

    Attributes:
        figures: by the names of `kpis.KPIS`.
        fill_counts: containers emptied, by fill in `FILL_STEPS`.
        weekly_km: distance of each week that counts.
    """

    policy: str
    seed: int
    figures: dict[str, float]
    fill_counts: list[int]
    weekly_km: list[float]


class _Tally:
    """What is counted from the first day that counts on."""

    def __init__(self, weeks: int) -> None:
        self.weekly_km = [0.0] * weeks
        self.fills: list[float] = []
        self._sums = dict.fromkeys(
            (
                "km",
                "hours",
                "truck_days",
                "visits",
                "lifts",
                "tonnes",
                "half_empty_lifts",
                "refused",
                "unserved",
                "collection_eur",
                "co2e_kg",
            ),
            0.0,
        )

    def count(self, plan: DayPlan, lifts: list[Lift], week: int) -> None:
        """Count a day."""
        done = [lift for lift in lifts if lift.done]
        self.weekly_km[week] += plan.km
        self.fills += [lift.fill for lift in done]
        day = {
            "km": plan.km,
            "hours": plan.hours,
            "truck_days": len(plan.tours),
            "visits": sum(stop.kind == "visit" for tour in plan.tours for stop in tour.stops),
            "lifts": len(done),
            "tonnes": sum(lift.kg for lift in done) / 1000,
            "half_empty_lifts": sum(lift.fill < 0.5 for lift in done),
            "refused": len(lifts) - len(done),
            "unserved": len(plan.left_out),
            "collection_eur": sum(tour.eur for tour in plan.tours),
            "co2e_kg": sum(tour.co2e_kg for tour in plan.tours),
        }
        for name, amount in day.items():
            self._sums[name] += amount

    def figures(
        self, districts: list[District], begin: float, end: float, price: float
    ) -> dict[str, float]:
        """Return all figures; the overflow is that of the world, not what anybody saw."""
        overflow_s = np.concatenate([d.waste.overflow_s(begin, end) for d in districts])
        overflow_eur = float(overflow_s.sum()) / _DAY_S * price
        return self._sums | {
            "fill_at_emptying": 100 * float(np.mean(self.fills)) if self.fills else 0.0,
            "overflow_h": float(overflow_s.sum()) / _HOUR_S,
            "overflow_share": 100 * float(overflow_s.mean()) / (end - begin),
            "overflows": float((overflow_s > 0).sum()),
            "overflow_eur": overflow_eur,
            "total_eur": self._sums["collection_eur"] + overflow_eur,
        }


def replicate(
    base: Base, scenario: Scenario, policy: Policy, name: str, seed: int, solve: Solve
) -> Outcome:
    """Play a policy in a world.

    Args:
        base: region and roads.
        scenario: which weeks.
        policy: how containers are chosen.
        name: of the policy in the scenario.
        seed: of the world.
        solve: the router; the same problem has to give the same plan.
    """
    travel, tally = base.travel(), _Tally(scenario.weeks)
    districts = [*_districts(base, scenario, seed)]
    for day in _days(base, scenario):
        for district in districts:
            snapshot = district.snapshot(base, day, seconds_of_day(scenario.decides_at))
            plan = plan_day(snapshot, travel, solve, policy, geometry=False, explained=False)
            lifts = execute(plan, district.waste)
            district.learn(plan, lifts)
            if day >= scenario.start:
                tally.count(plan, lifts, (day - scenario.start).days // 7)
    begin, end = (
        base.region.midnight(d).timestamp()
        for d in (scenario.start, scenario.start + timedelta(weeks=scenario.weeks))
    )
    figures = tally.figures(districts, begin, end, base.service.overflow_eur_per_day)
    fill_counts = np.histogram(np.clip(tally.fills, 0, FILL_STEPS[-1]), FILL_STEPS)[0].tolist()
    return Outcome(name, seed, figures, fill_counts, tally.weekly_km)


def _districts(base: Base, scenario: Scenario, seed: int) -> Iterator[District]:
    active = {vehicle.depot for vehicle in base.region.vehicles}
    for depot in base.region.depots:
        if depot.id in active:
            district = District(base, scenario, seed, depot)
            if district.waste.ids:
                yield district


def _days(base: Base, scenario: Scenario) -> Iterator[date]:
    """Yield the collection days from the warm-up on."""
    first = scenario.start - timedelta(weeks=scenario.warm_up_weeks)
    for number in range(7 * (scenario.warm_up_weeks + scenario.weeks)):
        day = first + timedelta(days=number)
        if base.region.is_collection_day(base.service, day):
            yield day
