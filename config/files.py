"""Where one part leaves a file in the data folder for another part to find."""

from pathlib import Path


def road_layer(data_dir: Path, region: str) -> Path:
    """Return where the lines of a region's roads lie, as gzipped GeoJSON for the map."""
    return data_dir / "roads" / f"{region}.geojson.gz"
