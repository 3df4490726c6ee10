"""Encoded polylines with six decimals: how road geometry travels in plans, tours and OSRM."""

import numpy as np
from numpy.typing import NDArray

PRECISION = 1e6
_OFFSET = 63
_CHUNK = 5
_MORE = 0x20


def encode(lon_lat: NDArray[np.float64]) -> str:
    """Encode an (n, 2) array of longitudes and latitudes."""
    whole = np.rint(lon_lat * PRECISION).astype(np.int64)
    steps = np.concatenate((whole[:1], whole[1:] - whole[:-1]))
    values = steps[:, ::-1].ravel()  # the format puts the latitude first
    zigzag = np.where(values < 0, ~(values << 1), values << 1)
    text = bytearray()
    for value in zigzag.tolist():
        while value >= _MORE:
            text.append((_MORE | (value & (_MORE - 1))) + _OFFSET)
            value >>= _CHUNK
        text.append(value + _OFFSET)
    return text.decode("ascii")


def decode(text: str) -> NDArray[np.float64]:
    """Decode to an (n, 2) array of longitudes and latitudes.

    Raises:
        ValueError: the text is not an encoded polyline.
    """
    if not text:
        return np.zeros((0, 2))
    codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - _OFFSET
    last = codes < _MORE
    if codes.min() < 0 or codes.max() >= 2 * _MORE or not last[-1] or last.sum() % 2:
        raise ValueError("not an encoded polyline")
    starts = np.concatenate(([0], np.flatnonzero(last)[:-1] + 1))
    place = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))
    zigzag = np.add.reduceat((codes & (_MORE - 1)) << (_CHUNK * place), starts)
    values = np.where(zigzag & 1, ~(zigzag >> 1), zigzag >> 1).reshape(-1, 2)
    return np.cumsum(values, axis=0)[:, ::-1] / PRECISION
