"""From a day's plan to what is stored of it."""

import secrets
from dataclasses import asdict
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from optimizer.daily import DayPlan, DaySnapshot, PlannedStop, PlannedTour, instant
from optimizer.daily.decision import Decision
from optimizer.fill.belief import Belief
from optimizer.fill.forecast import Forecast
from optimizer.formats.plan_json import plan_document
from optimizer.formats.problem_json import problem_document
from optimizer.polyline import encode
from storage.basis import Basis
from storage.beliefs import BeliefRow
from storage.plans import PlanRecord, StopRecord, TourRecord, UnservedRecord


def new_plan_id(plan: DayPlan) -> str:
    """Return an id that people can read out, e.g. `20261124-glass-1f3a9c`."""
    snapshot = plan.snapshot
    return f"{snapshot.day:%Y%m%d}-{snapshot.service.id[:16]}-{secrets.token_hex(3)}"


def plan_record(plan: DayPlan, name: str, at: datetime) -> PlanRecord:
    """Return what is stored of a plan."""
    snapshot = plan.snapshot
    return PlanRecord(
        id=name,
        region=snapshot.region.id,
        service=snapshot.service.id,
        depot=snapshot.depot.id,
        day=snapshot.day,
        created_at=at,
        engine=plan.solution.engine,
        seed=plan.solution.seed,
        estimate=plan.travel.estimate,
        cost=_cost(plan),
        provider=asdict(plan.travel),
        tours=tuple(_tour(plan, tour, name) for tour in plan.tours),
        unserved=tuple(
            UnservedRecord(
                site=one.site,
                reason=one.reason.value,
                containers=one.containers,
                extra_eur=one.extra_eur,
            )
            for one in plan.left_out
        ),
    )


def _cost(plan: DayPlan) -> dict[str, float]:
    """Return the parts of what a plan costs; overtime where there is any."""
    cost = plan.cost
    parts = {"fixed": cost.fixed_eur, "km": cost.km_eur, "hours": cost.hours_eur}
    return parts | ({"overtime": cost.overtime_eur} if cost.overtime_eur else {})


def basis_of(plan: DayPlan) -> Basis:
    """Return what the plan was decided on, to be judged again by anybody."""
    problem = plan.day.problem
    return Basis(problem_document(problem), plan_document(problem, plan.solution, plan.report))


def belief_rows(snapshot: DaySnapshot, belief: Belief, decision: Decision) -> list[BeliefRow]:
    """Return the belief about every container at the decision, and what emptying is worth."""
    at = snapshot.decided_at
    level, level_sd = Forecast(belief, snapshot.population).level(at.timestamp())
    outlook, rate = decision.outlook, belief.rate
    prize = decision.choice.prize_eur
    return [
        BeliefRow(
            container.id,
            float(level[row]),
            float(level_sd[row]),
            float(rate[row]),
            float(outlook.p_overflow[row]),
            float(prize[row]),
            at,
        )
        for row, container in enumerate(snapshot.containers)
    ]


def _tour(plan: DayPlan, tour: PlannedTour, name: str) -> TourRecord:
    region, day = plan.snapshot.region, plan.snapshot.day
    return TourRecord(
        id=f"{name}-{tour.vehicle}",
        plan=name,
        vehicle=tour.vehicle,
        start=instant(region, day, tour.start_s),
        end=instant(region, day, tour.end_s),
        km=tour.km,
        hours=tour.hours,
        kg=tour.kg,
        trips=tour.trips,
        stops=tuple(_stop(plan, stop) for stop in tour.stops),
        geometry=encode(_way(tour)),
        attribution=plan.travel.attribution,
    )


def _way(tour: PlannedTour) -> NDArray[np.float64]:
    """Return the way along all stops as one line, without points that repeat."""
    if not tour.legs:
        return np.zeros((0, 2))
    line = np.concatenate(tour.legs)
    moves = np.r_[True, (np.diff(line, axis=0) != 0).any(axis=1)]
    return np.asarray(line[moves])


def _stop(plan: DayPlan, stop: PlannedStop) -> StopRecord:
    region, day = plan.snapshot.region, plan.snapshot.day
    return StopRecord(
        number=stop.number,
        kind=stop.kind,
        place=stop.id,
        name=stop.name,
        lon=stop.lon,
        lat=stop.lat,
        arrival=instant(region, day, stop.arrival_s),
        departure=instant(region, day, stop.departure_s),
        service_s=stop.service_s,
        containers=stop.containers,
        kg=stop.kg,
        litres=stop.litres,
        why=stop.why.text.en if stop.why else "",
        eur=stop.why.prize_eur if stop.why else None,
    )
