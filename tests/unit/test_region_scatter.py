import numpy as np
import pytest
import shapely

from config.errors import RoadsError
from jobs.region_scatter import Scatter, scatter
from jobs.region_streets import Streets


def test_streets_too_short_for_so_many_sites_are_told() -> None:
    """Points that lie on each other hold one site together; the search ends and says so."""
    points = np.repeat([[8.5, 52.0], [8.6, 52.0], [8.5, 52.1]], 20, axis=0)
    lines = shapely.STRtree([shapely.LineString([(0, 0), (1, 1)])])
    streets = Streets(points, np.zeros(len(points)), lines, np.array([""]), np.ones(2) * 1e5)
    wanted = Scatter(4, 8, ("glass-white",), (3000,), seed=1)
    with pytest.raises(RoadsError, match="room for 3 sites, not for 4"):
        scatter(streets, wanted)
