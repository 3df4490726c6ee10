"""Which road network a region uses, and whom to thank for it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.errors import RoadsError
from config.region import Region, Roads
from optimizer.roads.town import VERSION, write_town

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
OSM_LICENCE = "ODbL-1.0"


@dataclass(frozen=True, slots=True)
class RoadsSource:
    """A road network.

    Attributes:
        extract: an .osm.pbf.
        attribution: to be shown wherever its roads are; empty for a generated town.
        licence: of what is derived from it; empty for a generated town.
    """

    extract: Path
    attribution: str = OSM_ATTRIBUTION
    licence: str = OSM_LICENCE

    @property
    def synthetic(self) -> bool:
        """Whether these are streets of a generated town."""
        return not self.attribution


def find_roads(
    roads: Roads, data_dir: Path, doors: Sequence[tuple[float, float]] = ()
) -> RoadsSource:
    """Return the region's own extract, else the fetched one, else a generated town.

    Args:
        roads: the region's facts about its roads.
        data_dir: where extracts are kept.
        doors: (lon, lat) that a generated town leads an access road to.

    Raises:
        RoadsError: the region names an extract that is not there, or the town cannot be written.
    """
    if roads.extract:
        return RoadsSource(_declared(roads.extract, data_dir))
    fetched = fetched_extract(roads, data_dir)
    if fetched is not None and fetched.is_file():
        return RoadsSource(fetched)
    return RoadsSource(_town(roads, data_dir, doors), attribution="", licence="")


def roads_of(region: Region, data_dir: Path) -> RoadsSource:
    """Return a region's road network; a generated town leads to its depots and facilities.

    Raises:
        RoadsError: as `find_roads`.
    """
    doors = [(depot.lon, depot.lat) for depot in region.depots]
    doors += [(facility.lon, facility.lat) for facility in region.facilities]
    return find_roads(region.roads, data_dir, doors)


def fetched_extract(roads: Roads, data_dir: Path) -> Path | None:
    """Return where the region's public extract lies once it is fetched; None: it names none."""
    if not roads.download:
        return None
    return extracts_folder(data_dir) / Path(urlsplit(roads.download).path).name


def extracts_folder(data_dir: Path) -> Path:
    """Return where extracts are kept."""
    return data_dir / "extracts"


def _declared(name: str, data_dir: Path) -> Path:
    """Find an extract by its full path (a region's folder gives that), or in the data folder."""
    folders = (data_dir, extracts_folder(data_dir))
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = " or ".join(str(folder) for folder in folders)
    raise RoadsError(f"extract {name} is not in {places}; put it there or correct roads.extract")


def _town(roads: Roads, data_dir: Path, doors: Sequence[tuple[float, float]]) -> Path:
    facts = (roads.town_radius_m, roads.centre_lon, roads.centre_lat, *doors)
    digest = hashlib.sha256(repr((VERSION, *facts)).encode()).hexdigest()[:8]
    path = extracts_folder(data_dir) / f"town-{roads.town_seed}-{digest}.osm.pbf"
    if not path.is_file():
        write_town(
            path,
            roads.town_seed,
            roads.town_radius_m,
            roads.centre_lon,
            roads.centre_lat,
            doors=doors,
        )
    return path
