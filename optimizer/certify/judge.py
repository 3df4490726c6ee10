"""Judges a plan by the law and the region's facts: `certify` gives its certificate."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from config.law import Law, load_law
from config.region import Region
from optimizer.certify import (
    driving_time,
    loading,
    noise,
    places,
    plausibility,
    vehicles,
    working_time,
)
from optimizer.certify.case import Case, cases
from optimizer.certify.certificate import Certificate
from optimizer.certify.finding import Finding, NotApplied, NotJudged, Outcome
from optimizer.certify.given import GivenPlan
from optimizer.certify.noise import TIMES
from optimizer.explain import Text
from optimizer.road_times import TravelTimes

EXEMPT = Text(
    "household collection is exempt (FPersV §18 Abs. 1 Nr. 8)",
    "Hausmüllabfuhr ist ausgenommen (FPersV §18 Abs. 1 Nr. 8)",
)


@dataclass(frozen=True, slots=True)
class TourRule:
    """Rules that each tour is judged by on its own.

    Attributes:
        rules: their ids.
        times: whether they need arrival and departure at each stop.
        driving: whether they bind only services with the law on driving times.
    """

    rules: tuple[str, ...]
    judge: Callable[[Case], Iterable[Outcome]]
    times: bool = False
    driving: bool = False


@dataclass(frozen=True, slots=True)
class PlanRule:
    """A rule that compares tours; otherwise as `TourRule`."""

    rules: tuple[str, ...]
    judge: Callable[[Sequence[Case]], Iterable[Outcome]]
    times: bool = False
    driving: bool = False


RULES: tuple[TourRule | PlanRule, ...] = (
    TourRule(("work-day",), working_time.work_day, times=True),
    TourRule(("work-break",), working_time.work_break, times=True),
    TourRule(("work-stretch",), working_time.work_stretch, times=True),
    PlanRule(("daily-rest",), working_time.daily_rest, times=True),
    PlanRule(("driving-day",), driving_time.driving_day, times=True, driving=True),
    PlanRule(("driving-week",), driving_time.driving_week, times=True, driving=True),
    TourRule(("driving-break",), driving_time.driving_break, times=True, driving=True),
    TourRule(("noise-night", "service-hours"), noise.hours),
    TourRule(("noise-rest-day", "collection-day"), noise.days),
    TourRule(("reversing", "reversing-far"), places.reversing),
    TourRule(("curb-side",), places.curb_side),
    TourRule(("payload", "compartment-kg", "compartment-litres"), loading.amounts),
    TourRule(("no-compartment", "facility-accepts", "ends-empty"), loading.contents),
    TourRule(("facility-hours",), places.facility_hours),
    TourRule(("known-vehicle", "known-place"), places.known),
    TourRule(("vehicle-service",), places.collected_by),
    TourRule(("shift",), vehicles.shift, times=True),
    TourRule(("day-hours",), vehicles.day_hours, times=True),
    TourRule(("day-stops",), vehicles.day_stops),
    TourRule(("day-litres",), vehicles.day_litres),
    TourRule(("vehicle-access",), vehicles.access),
    TourRule(("energy",), vehicles.energy),
    TourRule(("site-hours",), noise.site_hours),
    TourRule(("travel-time",), plausibility.travel),
    TourRule(("no-road",), plausibility.no_road),
    TourRule(("clock-order",), plausibility.clock_order, times=True),
    PlanRule(("collected-twice",), plausibility.collected_twice),
    PlanRule(("vehicle-twice",), plausibility.vehicle_twice, times=True),
)


def certify(
    plan: GivenPlan, region: Region, travel: TravelTimes | None = None, law: Law | None = None
) -> Certificate:
    """Judge a plan.

    Args:
        plan: as it was given.
        region: the facts.
        travel: of the region; None leaves travel times unjudged.
        law: the rules; those that ship when None.

    Raises:
        PlanError: the plan names a service or fraction that the region does not have.
    """
    law = law or load_law()
    tours = cases(plan.tours, region, law, travel)
    outcomes = [outcome for rule in RULES for outcome in _outcomes(rule, tours)]
    order = {name: number for number, name in enumerate(law.rules)}
    outcomes.sort(key=lambda outcome: order[outcome.rule])
    return Certificate(
        plan=plan,
        region=region,
        law=law,
        roads=travel.info if travel else None,
        findings=tuple(one for one in outcomes if isinstance(one, Finding)),
        not_judged=tuple(one for one in outcomes if isinstance(one, NotJudged)),
        not_applied=tuple(one for one in outcomes if isinstance(one, NotApplied)),
        stops=sum(len(case.collects) for case in tours),
        driven_s=sum(case.times.driving_s for case in tours if case.timeline),
    )


def _outcomes(rule: TourRule | PlanRule, tours: Sequence[Case]) -> Iterator[Outcome]:
    fit = []
    for case in tours:
        if rule.driving and not case.eu561:
            yield from (NotApplied(name, case.name, EXEMPT) for name in rule.rules)
        elif rule.times and case.timeline is None:
            yield from (NotJudged(name, case.name, TIMES) for name in rule.rules)
        else:
            fit.append(case)
    if isinstance(rule, PlanRule):
        yield from rule.judge(fit)
        return
    for case in fit:
        yield from rule.judge(case)
