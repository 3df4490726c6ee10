"""A plan's explanation as a JSON document: what is stored, served and printed."""

from typing import Any

from optimizer.daily.result import DayPlan, LeftOut, PlannedStop, PlannedTour, Waits
from optimizer.explain import Slack, Text, TripLoad, explain_obstacle, explain_slack
from optimizer.solve.feasibility import Obstacle


def explanation_document(plan: DayPlan) -> dict[str, Any]:
    """Return why every site is visited, left out or waits, and how tight each tour is.

    Keys are those of `api.schemas.Explanation`.
    """
    return {
        "policy": plan.decision.policy,
        "obstacles": [obstacle(one) for one in plan.obstacles],
        "tours": [_tour(tour) for tour in plan.tours],
        "sites": [
            *(_visited(tour, stop) for tour in plan.tours for stop in tour.stops if stop.why),
            *(_left_out(one) for one in plan.left_out),
            *(_waits(one) for one in plan.waiting),
        ],
    }


def obstacle(one: Obstacle) -> dict[str, Any]:
    """Return something that no plan can do."""
    return {
        "reason": one.reason.value,
        "visits": list(one.visits),
        "fleet": one.fleet,
        "mandatory": one.mandatory,
        "needed": _rounded(one.needed, 1),
        "available": _rounded(one.available, 1),
        "measure": one.measure.value,
        "text": _text(explain_obstacle(one)),
    }


def _tour(tour: PlannedTour) -> dict[str, Any]:
    return {
        "vehicle": tour.vehicle,
        "km": round(tour.km, 3),
        "hours": round(tour.hours, 3),
        "kg": round(tour.kg, 1),
        "eur": round(tour.eur, 2),
        "loads": [_load(one) for one in tour.loads],
        "slacks": [_slack(one) for one in tour.slacks],
    }


def _load(one: TripLoad) -> dict[str, Any]:
    return {
        "trip": one.trip,
        "compartment": one.compartment,
        "fractions": list(one.fractions),
        "kg": round(one.kg, 1),
        "capacity_kg": round(one.capacity_kg, 1),
        "litres": round(one.litres, 1),
        "capacity_l": round(one.capacity_l, 1),
    }


def _slack(one: Slack) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "left": round(one.left, 1),
        "limit": round(one.limit, 1),
        "unit": one.unit.value,
        "at": one.at,
        "text": _text(explain_slack(one)),
    }


def _visited(tour: PlannedTour, stop: PlannedStop) -> dict[str, Any]:
    why = stop.why
    assert why is not None  # noqa: S101 - asked for before
    return {
        "site": stop.id,
        "state": "visited",
        "containers": list(stop.containers),
        "vehicle": tour.vehicle,
        "level": round(why.level, 4),
        "p_overflow": round(why.p_overflow, 6),
        "prize_eur": _rounded(why.prize_eur),
        "cost_eur": round(why.marginal_eur, 2),
        "turns_at": _rounded(why.turns_at, 4),
        "reason": None,
        "short": None,
        "text": _text(why.text),
    }


def _left_out(one: LeftOut) -> dict[str, Any]:
    return {
        "site": one.site,
        "state": "left-out",
        "containers": list(one.containers),
        "vehicle": None,
        "level": None,
        "p_overflow": None,
        "prize_eur": _rounded(one.prize_eur),
        "cost_eur": _rounded(one.extra_eur),
        "turns_at": _rounded(one.turns_at, 4),
        "reason": one.reason.value,
        "short": _rounded(one.short, 1),
        "text": _text(one.text),
    }


def _waits(one: Waits) -> dict[str, Any]:
    return {
        "site": one.site,
        "state": "waiting",
        "containers": [one.container],
        "vehicle": one.vehicle,
        "level": round(one.level, 4),
        "p_overflow": round(one.p_overflow, 6),
        "prize_eur": round(one.prize_eur, 2),
        "cost_eur": one.extra_eur,
        "turns_at": _rounded(one.turns_at, 4),
        "reason": None,
        "short": None,
        "text": _text(one.text),
    }


def _text(text: Text) -> dict[str, str]:
    return {"en": text.en, "de": text.de}


def _rounded(amount: float | None, decimals: int = 2) -> float | None:
    return None if amount is None else round(amount, decimals)
