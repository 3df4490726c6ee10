"""A malformed problem never exists: each mistake is named by its field."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import ProblemError
from optimizer.model import Energy, Problem, QueueSpan, Underway
from tests.fixtures.problems import HOUR, city_day, ruled_day

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = (0.0, 0.0, 0.0)


def with_truck(**changes: Any) -> Problem:
    """A day whose first truck is changed."""
    day = city_day(2)
    first = dataclasses.replace(day.trucks[0], **changes)
    return day.replace(trucks=(first, *day.trucks[1:]))


def with_queue(*spans: QueueSpan) -> Problem:
    """A day with a queue at its first facility."""
    day = city_day(2)
    first = dataclasses.replace(day.facilities[0], queue=spans)
    return day.replace(facilities=(first, *day.facilities[1:]))


def with_lifts(lifts: Any) -> Problem:
    """A day whose first visit has so many lifts."""
    day = city_day(2)
    return day.replace(
        visits=(dataclasses.replace(day.visits[0], lifts=lifts), *day.visits[1:]),
    )


def underway(**changes: Any) -> Problem:
    """A day whose first truck is underway."""
    plain: dict[str, Any] = {"kg": NOTHING, "litres": NOTHING, "started_s": 6 * HOUR}
    return with_truck(underway=Underway(**(plain | changes)))


MISTAKES: dict[str, tuple[Callable[[], Problem], str]] = {
    "half a lift": (lambda: with_lifts(0.5), r"visits\[0\].lifts: 0.5 is no whole number"),
    "queue out of order": (
        lambda: with_queue(QueueSpan(9 * HOUR, 60), QueueSpan(9 * HOUR, 0)),
        r"facilities\[0\].queue\[1\].from_s: is not after the span before",
    ),
    "negative wait": (
        lambda: with_queue(QueueSpan(9 * HOUR, -60)),
        r"facilities\[0\].queue\[0\]: -60 is negative",
    ),
    "start by before the shift": (
        lambda: with_truck(latest_start_s=5 * HOUR),
        r"trucks\[0\].latest_start_s: is before the shift starts",
    ),
    "endless tour": (
        lambda: with_truck(max_tour_s=float("nan")),
        r"trucks\[0\].max_tour_s: nan is negative, not finite",
    ),
    "break that starts too late": (
        lambda: with_truck(
            break_options=((dataclasses.replace(city_day(1).trucks[0].breaks[0],
                                                latest_start_s=0),),)
        ),
        r"trucks\[0\].break_options\[0\]\[0\].latest_start_s: is before earliest_start_s",
    ),
    "battery of nothing known": (
        lambda: with_truck(energy=Energy(float("inf"), 1.6)),
        r"trucks\[0\].energy.charge_kwh: inf is negative, not finite",
    ),
    "load of a fraction too few": (
        lambda: underway(kg=(1.0,)),
        r"trucks\[0\].underway.kg: needs one amount per fraction",
    ),
    "tour that starts later": (
        lambda: underway(started_s=7 * HOUR),
        r"trucks\[0\].underway.started_s: is after the shift's start",
    ),
    "negative balance": (
        lambda: city_day(2).replace(balance_eur_per_h=-1.0),
        r"balance_eur_per_h: -1.0 is negative",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_named_by_its_field(mistake: str) -> None:
    """Whatever is wrong with a field of the rules, the error says which field and what."""
    make, message = MISTAKES[mistake]
    with pytest.raises(ProblemError, match=message):
        make()


def test_load_needs_a_compartment() -> None:
    """A truck cannot be underway with a fraction for which its body has no part."""
    day = ruled_day(2)
    truck = dataclasses.replace(day.trucks[2], compartments=day.trucks[2].compartments[1:])
    with pytest.raises(ProblemError, match=r"underway.kg: the truck has no compartment for 'white"):
        day.replace(trucks=(*day.trucks[:2], truck))
