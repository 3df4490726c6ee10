"""Which road network a region uses, and whom to thank for it."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.errors import RoadsError
from config.region import Roads
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


def find_roads(roads: Roads, data_dir: Path, region_dir: Path | None = None) -> RoadsSource:
    """Return the region's own extract, else the fetched one, else a generated town.

    Raises:
        RoadsError: the region names an extract that is not there, or the town cannot be written.
    """
    if roads.extract:
        return RoadsSource(_declared(roads.extract, data_dir, region_dir))
    fetched = fetched_extract(roads, data_dir)
    if fetched is not None and fetched.is_file():
        return RoadsSource(fetched)
    return RoadsSource(_town(roads, data_dir), attribution="", licence="")


def fetched_extract(roads: Roads, data_dir: Path) -> Path | None:
    """Return where the region's public extract lies once it is fetched; None: it names none."""
    if not roads.download:
        return None
    return extracts_folder(data_dir) / Path(urlsplit(roads.download).path).name


def extracts_folder(data_dir: Path) -> Path:
    """Return where extracts are kept."""
    return data_dir / "extracts"


def _declared(name: str, data_dir: Path, region_dir: Path | None) -> Path:
    folders = [folder for folder in (region_dir, data_dir, extracts_folder(data_dir)) if folder]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = " or ".join(str(folder) for folder in folders)
    raise RoadsError(f"extract {name} is not in {places}; put it there or correct roads.extract")


def _town(roads: Roads, data_dir: Path) -> Path:
    name = (
        f"town-v{VERSION}-{roads.town_seed}-{roads.town_radius_m:.0f}"
        f"-{roads.centre_lon:.4f}-{roads.centre_lat:.4f}.osm.pbf"
    )
    path = extracts_folder(data_dir) / name
    if not path.is_file():
        write_town(path, roads.town_seed, roads.town_radius_m, roads.centre_lon, roads.centre_lat)
    return path
