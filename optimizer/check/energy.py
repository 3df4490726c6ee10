"""What an electric truck's tour takes from its battery.

After the figures that operators state for 26 t trucks: so much per kilometre and per lift, linear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.check.report import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from optimizer.model import Truck, Visit

SLACK_KWH = 1e-6  # sums of floats are not exact


def used_kwh(truck: Truck, km: float, visits: Iterable[Visit]) -> float:
    """Return what a tour uses in all, what a truck underway has used included; 0 for diesel."""
    if truck.energy is None:
        return 0.0
    before = 0.0 if truck.underway is None else truck.underway.used_kwh
    lifts = sum(visit.lifts for visit in visits)
    return before + km * truck.energy.kwh_per_km + lifts * truck.energy.kwh_per_lift


def battery(truck: Truck, kwh: float) -> Iterator[Violation]:
    """Yield the violation of a tour that uses more than the charge less the reserve."""
    energy = truck.energy
    if energy is None:
        return
    usable = energy.charge_kwh - energy.reserve_kwh
    if kwh > usable + SLACK_KWH:
        yield Violation(
            "battery", truck.id, None, kwh, usable,
            f"tour {truck.id}: uses {kwh:.1f} kWh, {usable:g} kWh are allowed "
            f"({energy.charge_kwh:g} kWh less {energy.reserve_kwh:g} kWh of reserve)",
        )  # fmt: skip
