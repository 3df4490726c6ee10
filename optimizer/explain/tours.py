"""What a tour carries, and how much is left of each limit that it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from optimizer.explain.text import Text, duration, number

if TYPE_CHECKING:
    from optimizer.check import TimedTour
    from optimizer.model import Problem, Truck, Visit


class Unit(StrEnum):
    """What a slack is counted in."""

    SECONDS = "s"
    KG = "kg"
    LITRES = "litres"
    STOPS = "stops"
    KWH = "kWh"


@dataclass(frozen=True, slots=True)
class Slack:
    """What is left of a limit at the point of the tour where that is least.

    Attributes:
        rule: the limit in words; of a break or of driving, the paragraph that the judge cites.
        left: in `unit`; 0 is just legal.
        limit: what the rule allows there, in the same unit (seconds of the day for an instant).
        at: id of the visit or facility where it is least; None where that is the whole tour.
    """

    rule: str
    left: float
    limit: float
    unit: Unit
    at: str | None = None


@dataclass(frozen=True, slots=True)
class TripLoad:
    """What a truck carries when it unloads: one compartment on one trip.

    Attributes:
        trip: 1, 2, ... within the tour.
        compartment: 1, 2, ... within the truck.
        fractions: names of what it takes.
    """

    trip: int
    compartment: int
    fractions: tuple[str, ...]
    kg: float
    capacity_kg: float
    litres: float
    capacity_l: float


def trip_loads(problem: Problem, tour: TimedTour) -> tuple[TripLoad, ...]:
    """Return what is collected on each trip, by compartment."""
    truck = problem.trucks[tour.truck]
    return tuple(
        TripLoad(
            trip=number,
            compartment=place,
            fractions=tuple(problem.fractions[f] for f in sorted(part.fractions)),
            kg=sum(trip.kg[f] for f in part.fractions),
            capacity_kg=part.capacity_kg,
            litres=sum(trip.litres[f] for f in part.fractions),
            capacity_l=part.capacity_l,
        )
        for number, trip in enumerate(tour.trips, 1)
        for place, part in enumerate(truck.compartments, 1)
    )


def slacks(problem: Problem, tour: TimedTour) -> tuple[Slack, ...]:
    """Return what is left of every limit that binds a tour."""
    truck = problem.trucks[tour.truck]
    return (
        *_clock(truck, tour),
        *_windows(problem, tour),
        *_breaks(truck, tour),
        *_driving(truck, tour),
        *_loads(problem, truck, tour),
        *_day(problem, truck, tour),
        *_energy(truck, tour),
    )


def _clock(truck: Truck, tour: TimedTour) -> Iterator[Slack]:
    latest_s = truck.shift.latest_s
    yield Slack("shift", latest_s - tour.end_s, latest_s, Unit.SECONDS)
    if truck.max_tour_s is not None:
        left_s = truck.max_tour_s - (tour.end_s - tour.began_s)
        yield Slack("tour length", left_s, truck.max_tour_s, Unit.SECONDS)
    if truck.overtime_after_s is not None:
        left_s = truck.overtime_after_s - (tour.end_s - tour.began_s)
        yield Slack("overtime", left_s, truck.overtime_after_s, Unit.SECONDS)


def _windows(problem: Problem, tour: TimedTour) -> Iterator[Slack]:
    """Yield the tightest time window and the tightest opening hours."""
    tightest: dict[str, Slack] = {}
    for node in tour.nodes:
        visit = problem.is_visit(node.node)
        place = problem.visit(node.node) if visit else problem.facility(node.node)
        rule = "time window" if visit else "facility hours"
        ready_s = node.start_s if visit else min(node.arrival_s, node.start_s)
        ends = [w.latest_s for w in place.windows if w.earliest_s <= node.start_s]
        last_s = min((end for end in ends if end >= ready_s), default=None)
        if last_s is None:
            continue
        left_s = last_s - max(ready_s, 0)
        if rule not in tightest or left_s < tightest[rule].left:
            tightest[rule] = Slack(rule, left_s, last_s, Unit.SECONDS, node.id)
    yield from tightest.values()


def _breaks(truck: Truck, tour: TimedTour) -> Iterator[Slack]:
    """Yield for a break that is taken how much later it may begin, else when one would be due."""
    taken = [pause.rule for pause in tour.breaks]
    chain = next(
        (c for c in truck.break_chains if [rule.rule for rule in c][: len(taken)] == taken),
        truck.breaks,
    )
    for rule, pause in zip(chain, tour.breaks, strict=False):
        last_s = rule.latest_start_s
        yield Slack(rule.rule, last_s - pause.start_s, last_s, Unit.SECONDS)
    for rule in chain[len(tour.breaks) :]:
        due_s = max(rule.earliest_start_s, tour.began_s + rule.due_after_s)
        yield Slack(f"{rule.rule}, no break due", due_s - tour.end_s, due_s, Unit.SECONDS)


def _driving(truck: Truck, tour: TimedTour) -> Iterator[Slack]:
    rule = truck.driving_rule
    done = truck.underway
    if truck.max_driving_s is not None:
        left_s = truck.max_driving_s - tour.driving_s - (done.driven_s if done else 0)
        yield Slack(rule or "driving time", left_s, truck.max_driving_s, Unit.SECONDS)
    limit_s = truck.max_driving_between_breaks_s
    if limit_s is not None:
        longest_s = max(_stretches(truck, tour))
        name = f"{rule}, without a break" if rule else "driving without a break"
        yield Slack(name, limit_s - longest_s, limit_s, Unit.SECONDS)


def _stretches(truck: Truck, tour: TimedTour) -> Iterator[int]:
    """Yield the driving before each break and after the last."""
    resets = {rule.rule: rule.resets_driving for c in truck.break_chains for rule in c}
    driven_s = truck.underway.driven_since_break_s if truck.underway else 0
    for leg, leg_s in enumerate([*(node.leg_s for node in tour.nodes), tour.last_leg_s]):
        along_s = 0
        for pause in tour.breaks:
            if pause.leg == leg and resets.get(pause.rule, True):
                yield driven_s + pause.along_s - along_s
                driven_s, along_s = 0, pause.along_s
        driven_s += leg_s - along_s
    yield driven_s


def _loads(problem: Problem, truck: Truck, tour: TimedTour) -> Iterator[Slack]:
    """Yield what is left of the payload and of each compartment when the truck is fullest."""
    kg = list(truck.underway.kg) if truck.underway else [0.0] * len(problem.fractions)
    litres = list(truck.underway.litres) if truck.underway else [0.0] * len(problem.fractions)
    least: dict[str, Slack] = {}
    for node in tour.nodes:
        if not problem.is_visit(node.node):
            for fraction in problem.facility(node.node).accepts:
                kg[fraction] = litres[fraction] = 0.0
            continue
        visit = problem.visit(node.node)
        for fraction in range(len(kg)):
            kg[fraction] += visit.kg[fraction]
            litres[fraction] += visit.litres[fraction]
        for one in _limits(problem, truck, kg, litres, visit):
            if one.rule not in least or one.left < least[one.rule].left:
                least[one.rule] = one
    yield from least.values()


def _limits(
    problem: Problem, truck: Truck, kg: list[float], litres: list[float], visit: Visit
) -> Iterator[Slack]:
    yield Slack("payload", truck.payload_kg - sum(kg), truck.payload_kg, Unit.KG, visit.id)
    for part in truck.compartments:
        names = ", ".join(problem.fractions[f] for f in sorted(part.fractions))
        for rule, amounts, limit, unit in (
            ("compartment kg", kg, part.capacity_kg, Unit.KG),
            ("compartment litres", litres, part.capacity_l, Unit.LITRES),
        ):
            left = limit - sum(amounts[f] for f in part.fractions)
            yield Slack(f"{rule} ({names})", left, limit, unit, visit.id)


def _day(problem: Problem, truck: Truck, tour: TimedTour) -> Iterator[Slack]:
    done = truck.underway
    stops = sum(problem.is_visit(node.node) for node in tour.nodes) + (done.stops if done else 0)
    kg = sum(sum(trip.kg) for trip in tour.trips) + (done.kg_today if done else 0.0)
    litres = sum(sum(trip.litres) for trip in tour.trips) + (done.litres_today if done else 0.0)
    for rule, value, limit, unit in (
        ("max stops", float(stops), truck.max_stops, Unit.STOPS),
        ("max kg", kg, truck.max_kg, Unit.KG),
        ("max litres", litres, truck.max_litres, Unit.LITRES),
    ):
        if limit is not None:
            yield Slack(rule, limit - value, limit, unit)


def _energy(truck: Truck, tour: TimedTour) -> Iterator[Slack]:
    energy = truck.energy
    if energy is None:
        return
    usable_kwh = energy.charge_kwh - energy.reserve_kwh
    yield Slack("energy", usable_kwh - tour.used_kwh, usable_kwh, Unit.KWH)


_GERMAN = {
    "shift": "Schichtende",
    "tour length": "Tourdauer",
    "overtime": "bis zu Überstunden",
    "time window": "Zeitfenster",
    "facility hours": "Öffnungszeit",
    "driving time": "Lenkzeit",
    "driving without a break": "Lenkzeit ohne Pause",
    "payload": "Nutzlast",
    "max stops": "Halte am Tag",
    "max kg": "Gewicht am Tag",
    "max litres": "Volumen am Tag",
    "energy": "Batterie",
}


def explain_slack(one: Slack) -> Text:
    """Name a rule and what is left of it: `payload: 1,240 kg left at site-12`."""
    where_en, where_de = (f" at {one.at}", f" bei {one.at}") if one.at else ("", "")
    left = _amount(one)
    german = _GERMAN.get(one.rule, one.rule)
    german = german.replace("compartment kg", "Kammer, Gewicht")
    german = german.replace("compartment litres", "Kammer, Volumen")
    german = german.replace("no break due", "keine Pause fällig")
    german = german.replace("without a break", "ohne Pause")
    return Text(f"{one.rule}: {left.en} left{where_en}", f"{german}: {left.de} frei{where_de}")


def _amount(one: Slack) -> Text:
    if one.unit is Unit.SECONDS:
        sign = "-" if one.left < 0 else ""
        return duration(abs(one.left)).within(sign + "{}", sign + "{}")
    german = {Unit.LITRES: "Liter", Unit.STOPS: "Halte"}.get(one.unit, one.unit.value)
    decimals = 1 if one.unit is Unit.KWH else 0
    return number(one.left, decimals).within("{} " + one.unit.value, "{} " + german)
