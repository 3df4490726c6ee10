"""Access roads to the places that a region really has, such as its depot."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.roads.town.streets import Tags, Town

_DRIVEWAY_M = 300.0  # beyond, it is a road of its own


def with_doors(town: Town, doors: NDArray[np.float64]) -> Town:
    """Lay a road from the nearest junction to each of some points (metres)."""
    if not len(doors):
        return town
    first = len(town.xy)
    ways = list(town.ways)
    for number, door in enumerate(doors):
        away_m = np.linalg.norm(town.plan.xy - door, axis=1)
        ways.append(([int(away_m.argmin()), first + number], _tags(float(away_m.min()))))
    return replace(town, xy=np.vstack([town.xy, doors]), ways=ways)


def _tags(length_m: float) -> Tags:
    if length_m < _DRIVEWAY_M:
        return {"highway": "service"}
    return {"highway": "unclassified", "maxspeed": "50"}
