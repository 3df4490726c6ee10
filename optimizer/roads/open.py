"""Open a region's travel times: from OSRM here, OSRM elsewhere, or as an estimate."""

import logging
from pathlib import Path

from config.region import Region
from optimizer.road_times import ProviderInfo, TravelTimes
from optimizer.roads.haversine import Haversine
from optimizer.roads.osrm import OsrmTravelTimes
from optimizer.roads.prepare import TRUCK_PROFILE, engine_version, prepare
from optimizer.roads.source import RoadsSource, roads_of

logger = logging.getLogger(__name__)


def open_roads(
    roads: Region | RoadsSource,
    data_dir: Path,
    *,
    osrm_url: str = "",
    estimate: bool = False,
) -> TravelTimes:
    """Return a region's travel times, preparing its road graph first where that is missing.

    The embedded engine holds Python's global lock while it computes: call this in worker
    processes only, never in one that serves requests.

    Args:
        roads: a region, or the road network it led to (see `roads_of`).
        data_dir: where extracts and prepared graphs are kept.
        osrm_url: a running osrm-routed to ask instead.
        estimate: ask for the fall-back: straight lines times a factor, labelled as an estimate.

    Raises:
        RoadsError: the extract cannot be used, or the server cannot be reached.
    """
    if osrm_url:
        from optimizer.roads.http import HttpEngine, http_info

        return OsrmTravelTimes(HttpEngine(osrm_url), http_info(osrm_url))
    if estimate:
        return Haversine()
    try:
        from optimizer.roads.embedded import EmbeddedEngine
    except ImportError as error:
        logger.warning(
            "no road engine (%s): travel times are estimates from straight lines; "
            "install osrm-bindings for real ones",
            error,
        )
        return Haversine()
    source = roads if isinstance(roads, RoadsSource) else roads_of(roads, data_dir)
    graph = prepare(source.extract, graphs_folder(data_dir))
    info = ProviderInfo(
        name="osrm",
        version=engine_version(),
        profile=TRUCK_PROFILE.stem,
        graph_hash=graph.parent.name,
        estimate=False,
        attribution=source.attribution,
    )
    return OsrmTravelTimes(EmbeddedEngine(graph), info)


def graphs_folder(data_dir: Path) -> Path:
    """Return where prepared graphs are kept."""
    return data_dir / "roads"
