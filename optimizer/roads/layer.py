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
    """Write the roads as gzipped GeoJSON, unless the file is this extract's already.

    Each line has a `class` (major, middle, minor) and, where it has one, a `name`. The file is
    replaced as a whole: who reads it never sees half of it.

    Raises:
        RoadsError: the extract cannot be read.
    """
    changed = roads.extract.stat().st_mtime_ns  # the file's own time says what it was made from
    if path.exists() and path.stat().st_mtime_ns == changed:
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
    os.utime(part, ns=(changed, changed))
    part.replace(path)
