"""Strict validation of a `Problem`.

On bad input OR-Tools kills the process, or answers "optimal, cost 0"; so nothing reaches it unseen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from config.errors import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.model import BreakRule, Facility, Problem, TimeWindow, Truck

LARGEST = 1e12  # beyond any day's seconds, metres, grams or millilitres; keeps int64 sums safe


def validate(problem: Problem) -> None:
    """Check that a problem is well formed; whether it can be solved is another question.

    Raises:
        ProblemError: names the first field that is wrong.
    """
    if problem.blocks is None:
        _matrices(problem)
    elif problem.duration_s.size or problem.distance_m.size:
        raise ProblemError("blocks", "excludes duration_s and distance_m: give one or the other")
    _ids("visits", [visit.id for visit in problem.visits])
    _ids("facilities", [facility.id for facility in problem.facilities])
    _ids("trucks", [truck.id for truck in problem.trucks])
    both = {v.id for v in problem.visits} & {f.id for f in problem.facilities}
    if both:
        raise ProblemError("facilities", f"id {min(both)!r} is also a visit's id")
    for index, visit in enumerate(problem.visits):
        at = f"visits[{index}]"
        _location(problem, f"{at}.location", visit.location)
        for name in ("kg", "litres"):
            amounts = getattr(visit, name)
            if len(amounts) != len(problem.fractions):
                raise ProblemError(f"{at}.{name}", "needs one amount per fraction")
            _amounts(f"{at}.{name}", amounts)
        _seconds(f"{at}.service_s", [visit.service_s])
        _windows(f"{at}.windows", visit.windows)
        if visit.prize_eur is not None:
            _amounts(f"{at}.prize_eur", [visit.prize_eur])
        if visit.trucks is not None and any(
            not 0 <= truck < len(problem.trucks) for truck in visit.trucks
        ):
            raise ProblemError(f"{at}.trucks", "names a truck that is not there")
        _whole(f"{at}.lifts", [visit.lifts])
    for index, facility in enumerate(problem.facilities):
        at = f"facilities[{index}]"
        _location(problem, f"{at}.location", facility.location)
        _fractions(problem, f"{at}.accepts", facility.accepts)
        _seconds(f"{at}.unload_s", [facility.unload_s])
        _windows(f"{at}.windows", facility.windows)
        _queue(f"{at}.queue", facility)
    for index, truck in enumerate(problem.trucks):
        _truck(problem, f"trucks[{index}]", truck)
    _amounts("balance_eur_per_h", [problem.balance_eur_per_h])


def _matrices(problem: Problem) -> None:
    for name in ("duration_s", "distance_m"):
        matrix = getattr(problem, name)
        if not isinstance(matrix, np.ndarray) or matrix.dtype.kind not in "iuf":
            raise ProblemError(name, "must be an array of numbers")
    shape = problem.duration_s.shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ProblemError("duration_s", f"must be square, is {shape}")
    if problem.distance_m.shape != shape:
        raise ProblemError("distance_m", f"must be {shape} like duration_s")
    if not np.issubdtype(problem.duration_s.dtype, np.integer):
        raise ProblemError("duration_s", "must be whole seconds")
    for name in ("duration_s", "distance_m"):
        values = getattr(problem, name)
        if values.size and not (np.isfinite(values).all() and np.abs(values).max() <= LARGEST):
            raise ProblemError(name, "holds a value that is not finite or far too large")
        if values.size and values.min() < -1:
            raise ProblemError(name, "holds a negative value; -1 alone means unreachable")


def _truck(problem: Problem, at: str, truck: Truck) -> None:
    _location(problem, f"{at}.start", truck.start)
    _location(problem, f"{at}.end", truck.end)
    _windows(f"{at}.shift", [truck.shift])
    if not truck.compartments:
        raise ProblemError(f"{at}.compartments", "a truck needs at least one")
    seen: set[int] = set()
    for number, compartment in enumerate(truck.compartments):
        here = f"{at}.compartments[{number}]"
        _fractions(problem, f"{here}.fractions", compartment.fractions)
        _amounts(here, [compartment.capacity_kg, compartment.capacity_l])
        if seen & compartment.fractions:
            raise ProblemError(f"{here}.fractions", "a fraction has two compartments")
        seen |= compartment.fractions
    limits = {
        name: getattr(truck, name)
        for name in (
            "payload_kg", "max_stops", "max_kg", "max_litres", "max_driving_s",
            "max_driving_between_breaks_s", "fixed_eur", "eur_per_km", "eur_per_h",
            "latest_start_s", "max_tour_s", "overtime_after_s", "overtime_eur_per_h",
        )
    }  # fmt: skip
    for name, limit in limits.items():
        if limit is not None:
            _amounts(f"{at}.{name}", [limit])
    waits = truck.underway is None  # one underway has started
    if waits and truck.latest_start_s is not None and truck.latest_start_s < truck.shift.earliest_s:
        raise ProblemError(f"{at}.latest_start_s", "is before the shift starts")
    _breaks(f"{at}.breaks", truck.breaks)
    for number, chain in enumerate(truck.break_options):
        _breaks(f"{at}.break_options[{number}]", chain)
    if truck.energy is not None:
        for name in ("charge_kwh", "kwh_per_km", "kwh_per_lift", "reserve_kwh"):
            _amounts(f"{at}.energy.{name}", [getattr(truck.energy, name)])
    _underway(problem, f"{at}.underway", truck)


def _underway(problem: Problem, at: str, truck: Truck) -> None:
    done = truck.underway
    if done is None:
        return
    for name in ("kg", "litres"):
        amounts = getattr(done, name)
        if len(amounts) != len(problem.fractions):
            raise ProblemError(f"{at}.{name}", "needs one amount per fraction")
        _amounts(f"{at}.{name}", amounts)
        for fraction, amount in enumerate(amounts):
            if amount and truck.compartment_of(fraction) is None:
                what = problem.fractions[fraction]
                raise ProblemError(f"{at}.{name}", f"the truck has no compartment for {what!r}")
    for name in ("started_s", "driven_s", "driven_since_break_s", "stops"):
        _whole(f"{at}.{name}", [getattr(done, name)])
    for name in ("kg_today", "litres_today", "used_kwh"):
        _amounts(f"{at}.{name}", [getattr(done, name)])
    if done.started_s > truck.shift.earliest_s:
        raise ProblemError(f"{at}.started_s", "is after the shift's start, which is now")


def _breaks(at: str, chain: Sequence[BreakRule]) -> None:
    for number, rule in enumerate(chain):
        here = f"{at}[{number}]"
        _seconds(
            here,
            [rule.duration_s, rule.earliest_start_s, rule.latest_start_s, rule.due_after_s],
        )
        if rule.latest_start_s < rule.earliest_start_s:
            raise ProblemError(f"{here}.latest_start_s", "is before earliest_start_s")


def _queue(at: str, facility: Facility) -> None:
    before = -1
    for number, span in enumerate(facility.queue):
        _seconds(f"{at}[{number}]", [span.from_s, span.wait_s])
        if span.from_s <= before:
            raise ProblemError(f"{at}[{number}].from_s", "is not after the span before")
        before = span.from_s


def _ids(at: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if not name:
            raise ProblemError(at, "an id is empty")
        if name in seen:
            raise ProblemError(at, f"id {name!r} stands twice")
        seen.add(name)


def _location(problem: Problem, at: str, location: int) -> None:
    if not isinstance(location, int | np.integer) or not 0 <= location < len(problem.travel):
        raise ProblemError(at, f"{location} is outside the travel matrix")


def _amounts(at: str, amounts: Iterable[float]) -> None:
    for amount in amounts:
        if isinstance(amount, bool) or not isinstance(amount, int | float | np.number):
            raise ProblemError(at, f"{amount!r} is no number")
        if not (math.isfinite(amount) and 0 <= amount <= LARGEST):
            raise ProblemError(at, f"{amount} is negative, not finite or far too large")


def _seconds(at: str, instants: Iterable[int]) -> None:
    _whole(at, instants, "whole number of seconds")


def _whole(at: str, counts: Iterable[int], what: str = "whole number") -> None:
    for count in counts:
        if isinstance(count, bool) or not isinstance(count, int | np.integer):
            raise ProblemError(at, f"{count!r} is no {what}")
    _amounts(at, counts)


def _fractions(problem: Problem, at: str, fractions: Iterable[int]) -> None:
    if any(not 0 <= fraction < len(problem.fractions) for fraction in fractions):
        raise ProblemError(at, "names a fraction that is not there")


def _windows(at: str, windows: Iterable[TimeWindow]) -> None:
    for window in windows:
        _seconds(at, [window.earliest_s, window.latest_s])
        if window.latest_s < window.earliest_s:
            raise ProblemError(at, f"ends at {window.latest_s} before {window.earliest_s}")
