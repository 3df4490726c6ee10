"""Random numbers for compiled code, the same for the same seed on every thread.

Xorshift, G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimizer.solve.sisr.compiled import inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

_13, _7, _17, _11 = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(11)


@inlined
def chance(random: NDArray[np.uint64]) -> float:
    """Return a random number from 0 up to, not including, 1."""
    x = random[0]
    x ^= x << _13
    x ^= x >> _7
    x ^= x << _17
    random[0] = x
    return float(x >> _11) * (1.0 / 9007199254740992.0)


@inlined
def pick(random: NDArray[np.uint64], count: float) -> int:
    """Return a random number from 0 to count - 1."""
    return int(chance(random) * count)
