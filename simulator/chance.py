"""Chance that does not depend on order: every draw is a function of what it is for.

A draw is named by a seed, a stream (what it decides), a key (which container) and a counter
(which day, which reading). The same name always gives the same number, whoever asks first,
however often, and whatever else is in the world. That is what makes policies comparable: all
of them meet the same waste. Bits are mixed by SplitMix64 (Steele et al., OOPSLA 2014).
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def keys(names: Sequence[str]) -> NDArray[np.uint64]:
    """Return a stable 64-bit key for each name."""
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def uniform(seed: int, stream: str, key: ArrayLike, counter: ArrayLike = 0) -> Floats:
    """Return numbers strictly between 0 and 1, one for each (key, counter), broadcast."""
    start = np.uint64((seed * 2654435761 + int(keys([stream])[0])) % 2**64)
    which = np.asarray(key, dtype=np.uint64)
    count = np.asarray(counter, dtype=np.int64).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = _mix(_mix(which ^ start) + count * _STEP)
    share: Floats = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return share


def normal(seed: int, stream: str, key: ArrayLike, counter: ArrayLike = 0) -> Floats:
    """Return standard normal numbers, one for each (key, counter), broadcast."""
    drawn: Floats = ndtri(uniform(seed, stream, key, counter))
    return drawn


def around_one(log_sd: float, drawn: Floats) -> Floats:
    """Turn standard normal numbers into log-normal factors of mean 1."""
    factors: Floats = np.exp(log_sd * drawn - log_sd**2 / 2)
    return factors


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        bits = bits + _STEP
        bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
        bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    return bits ^ (bits >> np.uint64(31))
