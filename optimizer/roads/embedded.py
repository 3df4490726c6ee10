"""OSRM inside this process.

The engine holds Python's global lock for as long as a request takes (1.5 s for a matrix of
1,000 places): run it in worker processes only, never beside an event loop.

OSRM remembers, for each thread, how it unpacked parts of its ways, and takes that for valid as
long as a graph has as many nodes and edges as the last one. Two graphs of one town made for
different trucks do, and the second would answer with ways of the first. So each graph is asked in
a thread of its own.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import osrm

from config.errors import RoadsError
from optimizer.road_times import Places
from optimizer.roads.osrm import NOT_FOUND, Answer

_NO_LIMIT = -1
_PARAMETERS = {
    "nearest": osrm.NearestParameters,
    "table": osrm.TableParameters,
    "route": osrm.RouteParameters,
}


class EmbeddedEngine:
    """A prepared graph, loaded (5 ms for a town)."""

    block = 1000  # keeps the answer, which is made of Python objects, below 250 MB

    def __init__(self, graph: Path) -> None:
        """Load a graph.

        Raises:
            RoadsError: it cannot be loaded.
        """
        self._thread = ThreadPoolExecutor(1, "osrm")
        try:
            self._osrm = osrm.OSRM(
                algorithm="MLD",
                storage_config=str(graph),
                use_shared_memory=False,
                max_locations_distance_table=_NO_LIMIT,
                max_locations_viaroute=_NO_LIMIT,
                max_results_nearest=_NO_LIMIT,
            )
        except RuntimeError as error:
            raise RoadsError(
                f"the prepared roads in {graph.parent} cannot be loaded ({error}); remove that "
                "folder, they are prepared again"
            ) from None

    def ask(
        self, service: str, places: Places, radii_m: list[float | None], **options: Any
    ) -> Answer | None:
        """Answer as `optimizer.roads.osrm.Engine` says."""
        parameters = _PARAMETERS[service](
            coordinates=[(lon, lat) for lon, lat in places.lon_lat.tolist()],
            radiuses=radii_m,
            approaches=["curb" if curb else None for curb in places.curb],
            generate_hints=False,
            **options,
        )
        try:
            asked = self._thread.submit(getattr(self._osrm, service.title()), parameters)
            answer: Answer = asked.result()
        except RuntimeError as error:
            if str(error).startswith(NOT_FOUND):
                return None
            raise RoadsError(f"the road engine refuses a {service} request: {error}") from None
        return answer
