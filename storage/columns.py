"""Columns of many rows, as arrays: far cheaper than rows of objects.

A column comes as one value, `array_send(array_agg(...))` of float8 without NULL: the array as
PostgreSQL writes it in its binary protocol (array_send in src/backend/utils/adt/arrayfuncs.c), a
header of five numbers and then the length and the value of each element.
"""

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES = 20
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">f8")])


def numbers(sent: bytes | None) -> NDArray[np.float64]:
    """Return the numbers of a column; none where there were no rows."""
    if not sent:
        return np.empty(0)
    return np.frombuffer(sent, _ELEMENT, offset=_HEADER_BYTES)["value"].astype(np.float64)


def instants(sent: bytes | None) -> NDArray[np.datetime64]:
    """Return instants in UTC, `datetime64[us]`, from a column of seconds since 1970."""
    return np.rint(numbers(sent) * 1e6).astype(np.int64).view("datetime64[us]")
