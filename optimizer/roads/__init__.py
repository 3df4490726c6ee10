"""Travel times and road geometry, all behind `optimizer.road_times.TravelTimes`.

The embedded engine holds Python's global lock while it computes: use it in worker processes
only.
"""

from optimizer.roads.open import open_roads
from optimizer.roads.source import RoadsSource, find_roads, roads_of

__all__ = ["RoadsSource", "find_roads", "open_roads", "roads_of"]
