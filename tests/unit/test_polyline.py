"""How road geometry is written down."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optimizer import polyline

KNOWN = "_izlhA~rlgdF_{geC~ywl@_kwzCn`{nI"
KNOWN_POINTS = [(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]


def test_matches_the_published_example() -> None:
    """The text is the one that every other polyline6 reader and writer agrees on."""
    assert polyline.encode(np.array(KNOWN_POINTS)) == KNOWN
    assert polyline.decode(KNOWN) == pytest.approx(np.array(KNOWN_POINTS))


@given(
    st.integers(0, 30).flatmap(
        lambda n: arrays(np.int64, (n, 2), elements=st.integers(-180_000_000, 180_000_000))
    )
)
def test_what_is_written_is_read_back(millionths: np.ndarray) -> None:
    """Any line comes back exactly, to six decimals."""
    line = millionths / 1e6
    assert (np.rint(polyline.decode(polyline.encode(line)) * 1e6) == millionths).all()


@pytest.mark.parametrize("text", ["_", "\x20", "??_", "?", "ü"])
def test_a_damaged_text_is_refused(text: str) -> None:
    """A text that is cut off or no polyline is an error, not another line."""
    with pytest.raises(ValueError):
        polyline.decode(text)
