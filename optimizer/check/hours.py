"""How long tours are: the limit of one, overtime, and how unequal they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.check.report import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.check.report import TimedTour
    from optimizer.model import Truck


def began_s(truck: Truck, start_s: int) -> int:
    """Return from when a tour's length counts: its start, or when a truck underway left."""
    return start_s if truck.underway is None else truck.underway.started_s


def paid_from_s(truck: Truck, start_s: int) -> int:
    """Return from when hours cost; a crew underway is paid on whether it moves or not."""
    return start_s if truck.underway is None else truck.shift.earliest_s


def too_long(truck: Truck, start_s: int, end_s: int) -> tuple[Violation, ...]:
    """Return the violation of a tour that is longer than it may be."""
    length_s = end_s - began_s(truck, start_s)
    if truck.max_tour_s is None or length_s <= truck.max_tour_s:
        return ()
    return (
        Violation(
            "tour length", truck.id, None, length_s, truck.max_tour_s,
            f"tour {truck.id}: takes {_hours(length_s)}, {_hours(truck.max_tour_s)} are allowed",
        ),
    )  # fmt: skip


def overtime_eur(truck: Truck, start_s: int, end_s: int) -> float:
    """Return what the hours beyond `overtime_after_s` cost on top; those gone by cost no more."""
    if truck.overtime_after_s is None:
        return 0.0
    begins_s = max(began_s(truck, start_s) + truck.overtime_after_s, paid_from_s(truck, start_s))
    return max(0, end_s - begins_s) / 3600.0 * truck.overtime_eur_per_h


def balance_eur(tours: Iterable[TimedTour], eur_per_h: float) -> float:
    """Return the price of the hours between the longest and the shortest tour."""
    lengths_s = [tour.end_s - tour.began_s for tour in tours]
    if not lengths_s:
        return 0.0
    return (max(lengths_s) - min(lengths_s)) / 3600.0 * eur_per_h


def _hours(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02d}" + (f":{rest:02d}" if rest else "") + " h"
