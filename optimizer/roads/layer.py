"""The region's roads as a file for the console's map, so that no request needs the extract."""

import gzip
import json
import os
from pathlib import Path

from optimizer.roads.extract import network
from optimizer.roads.source import RoadsSource

_CLASSES = {
    "major": ("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"),
    "middle": ("secondary", "tertiary", "secondary_link", "tertiary_link"),
}
_CLASS_OF = {kind: name for name, kinds in _CLASSES.items() for kind in kinds}


def write_road_layer(roads: RoadsSource, path: Path) -> None:
    """Write the roads as gzipped GeoJSON, unless the file is there and newer than the extract.

    Each line has a `class` (major, middle, minor) and, where it has one, a `name`. The file is
    replaced as a whole: who reads it never sees half of it.

    Raises:
        RoadsError: the extract cannot be read.
    """
    if path.exists() and path.stat().st_mtime >= roads.extract.stat().st_mtime:
        return
    features = []
    for feature in network(roads.extract).features():
        facts = feature["properties"]
        assert isinstance(facts, dict)  # noqa: S101 - for the type checker
        properties = {"class": _CLASS_OF.get(facts["kind"], "minor")}
        if facts["name"]:
            properties["name"] = facts["name"]
        features.append({**feature, "properties": properties})
    layer = {
        "type": "FeatureCollection",
        "attribution": roads.attribution,
        "features": features,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    content = json.dumps(layer, separators=(",", ":"), ensure_ascii=False).encode()
    part.write_bytes(gzip.compress(content, mtime=0))
    part.replace(path)
