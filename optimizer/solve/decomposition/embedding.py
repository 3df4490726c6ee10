"""Where places lie, told from travel alone.

V. de Silva and J. B. Tenenbaum, "Sparse multidimensional scaling using landmark points", Stanford
(2004): coordinates such that straight lines between them resemble the ways, from the ways to and
from a few landmarks. So zones need no map, and no more than n x k ways are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optimizer.travel import Travel

LANDMARKS = 16
DIMENSIONS = 2


def coordinates(travel: Travel, depot: int) -> NDArray[np.float64]:
    """Return (n, 2) coordinates of all locations, in metres, or in seconds where no way is long.

    Args:
        travel: between the locations.
        depot: the first landmark; each further one is the farthest from those before.
    """
    landmarks = [depot]
    ways = [_ways(travel, depot)]
    while len(landmarks) < min(LANDMARKS, len(travel)):
        nearest = np.min(ways, axis=0)
        landmarks.append(int(nearest.argmax()))
        ways.append(_ways(travel, landmarks[-1]))
    squares = np.square(ways)
    between = squares[:, landmarks]
    means = between.mean(axis=1)
    centred = -0.5 * (between - means[:, None] - means[None, :] + means.mean())
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    chosen = np.argsort(-values)[:DIMENSIONS]
    scale = np.where(values[chosen] > 1e-9, 1 / np.sqrt(np.maximum(values[chosen], 1e-9)), 0.0)
    found = np.zeros((len(travel), DIMENSIONS))
    found[:, : len(chosen)] = -0.5 * (squares.T - means) @ (vectors[:, chosen] * scale)
    return found


def _ways(travel: Travel, landmark: int) -> NDArray[np.float64]:
    """Return the mean length of the ways from and to a landmark; without a way, the longest."""
    everywhere = range(len(travel))
    there, back = travel.block([landmark], everywhere), travel.block(everywhere, [landmark])
    metres, seconds = (
        np.stack([one.ravel(), other.ravel()]).astype(np.float64)
        for one, other in ((there[1], back[1]), (there[0], back[0]))
    )
    ways = metres if (metres > 0).any() else seconds
    return np.where(ways < 0, ways.max(), ways).mean(axis=0)
