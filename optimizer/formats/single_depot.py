"""Problems in the plane with one depot, as the sets of the literature have them.

What is collected is unloaded at the depot: at the end of the only trip, or after every trip where
vehicles may reload. Cost is distance, and the prizes of customers that are not visited.

Distances are rounded as the sets' papers do: to whole numbers for the CVRP (TSPLIB's EUC_2D),
truncated to one decimal where there are times (the convention of the DIMACS implementation
challenge on vehicle routing, 2022). Times are kept in tenths of the file's unit, so that they are
whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import FileFormatError, ProblemError
from optimizer.formats.lines import LARGEST
from optimizer.model import (
    DAY_S,
    Compartment,
    Facility,
    Problem,
    TimeWindow,
    Truck,
    Visit,
)
from optimizer.travel import PlanarTravel, Rounding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

TENTHS = 10  # of the file's unit of time and distance
ALL_PAIRS = 4000  # locations up to which all ways are computed beforehand
SPARE = 1.25  # vehicles of a fleet without limit, by what the load needs at least


@dataclass(frozen=True, eq=False)
class Customers:
    """What a file says; the depot is the first of all.

    Attributes:
        ids: of the depot and the customers, as the file has them.
        xy: (n, 2) coordinates.
        demand: (n,) what is collected.
        capacity: of a vehicle.
        vehicles: size of the fleet; None: without limit.
        windows: (n, 2) earliest and latest start of service, in the file's unit; None: no times.
        service: (n,) time of service in the file's unit.
        release: (n,) by when a customer's goods are at the depot, in the file's unit.
        prize: (n,) what serving a customer is worth; None: all have to be served.
        trips: whether a vehicle may come back to the depot and start again.
        cost_scale: cost of one unit of distance.
    """

    name: str
    ids: Sequence[str]
    xy: NDArray[np.float64]
    demand: NDArray[np.float64]
    capacity: float
    vehicles: int | None
    windows: NDArray[np.float64] | None
    service: NDArray[np.float64]
    release: NDArray[np.float64] | None = None
    prize: NDArray[np.float64] | None = None
    trips: bool = False
    cost_scale: float = 1.0


def problem_of(path: Path, customers: Customers) -> Problem:
    """Return the problem; location 0 is the depot, the others follow in the file's order.

    Raises:
        FileFormatError: what the file says cannot be, with the field.
    """
    try:
        return _problem(customers)
    except ProblemError as error:
        raise FileFormatError(f"{path}: {error}") from None


def _problem(customers: Customers) -> Problem:
    timed = customers.windows is not None
    travel = _travel(customers)
    windows = _windows(customers, travel)
    visits = tuple(
        Visit(
            id=customers.ids[at],
            location=at,
            kg=(float(customers.demand[at]),),
            litres=(0.0,),
            service_s=_tenths(customers.service[at]),
            windows=(windows[at],) if timed else (),
            prize_eur=_prize(customers, at),
        )
        for at in range(1, len(customers.ids))
    )
    depot = Facility(
        customers.ids[0], 0, frozenset({0}), _tenths(customers.service[0]),
        (windows[0],) if timed else (),
    )  # fmt: skip
    trucks = tuple(
        Truck(
            id=f"vehicle-{number}",
            start=0,
            end=0,
            shift=windows[0],
            compartments=(Compartment(frozenset({0}), customers.capacity, LARGEST),),
            payload_kg=customers.capacity,
            max_kg=None if customers.trips else customers.capacity,
            eur_per_km=1000.0 * customers.cost_scale,
        )
        for number in range(1, _fleet(customers) + 1)
    )
    goods = ("goods",)
    if len(travel) > ALL_PAIRS:
        return Problem(goods, visits, (depot,), trucks, name=customers.name, blocks=travel)
    everywhere = range(len(travel))
    duration_s, distance_m = travel.block(everywhere, everywhere)
    return Problem(goods, visits, (depot,), trucks, duration_s, distance_m, customers.name)


def _travel(customers: Customers) -> PlanarTravel:
    """Return the ways, rounded; a metre stands for one unit, a second for a tenth of one."""
    if customers.windows is None:
        return PlanarTravel(customers.xy, Rounding.NEAREST, seconds_per_unit=0.0)
    return PlanarTravel(customers.xy * TENTHS, Rounding.DOWN, metres_per_unit=1.0 / TENTHS)


def _windows(customers: Customers, travel: PlanarTravel) -> list[TimeWindow]:
    if customers.windows is None:
        return [TimeWindow(0, DAY_S)]
    windows = [TimeWindow(_tenths(opens), _tenths(closes)) for opens, closes in customers.windows]
    if customers.release is None:
        return windows
    ways_s, _ = travel.block([0], range(len(travel)))
    return [
        TimeWindow(max(window.earliest_s, _tenths(release) + int(way_s)), window.latest_s)
        for window, release, way_s in zip(windows, customers.release, ways_s[0], strict=True)
    ]


def _tenths(value: float) -> int:
    return math.trunc(value * TENTHS)


def _prize(customers: Customers, at: int) -> float | None:
    """Return a customer's prize; without one it has to be served."""
    if customers.prize is None or customers.prize[at] == 0:
        return None
    return float(customers.prize[at]) * customers.cost_scale


def _fleet(customers: Customers) -> int:
    """Return how many vehicles there are: as named, or more than any good plan uses."""
    if customers.vehicles is not None:
        return customers.vehicles
    least = math.ceil(customers.demand.sum() / customers.capacity)
    return max(1, min(len(customers.ids) - 1, math.ceil(SPARE * least) + 10))
