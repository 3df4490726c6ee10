"""The ground of the console's map: the region's own roads, written once by a worker."""

import logging

from config.errors import RoadsError
from config.files import road_layer
from config.region import Region
from config.settings import Settings
from optimizer.roads.layer import write_road_layer
from optimizer.roads.source import roads_of

log = logging.getLogger(__name__)


def write_ground(settings: Settings, region: Region) -> None:
    """Write the road layer unless it is there; without it the map has no ground, but works."""
    try:
        roads = roads_of(region, settings.data_dir)
        write_road_layer(roads, road_layer(settings.data_dir, region.id))
    except (RoadsError, OSError) as error:
        log.warning("the console's map has no roads: %s", error)
