"""Writing a town as an OpenStreetMap extract."""

from pathlib import Path

import osmium
from osmium.osm import Box, Location
from osmium.osm.mutable import Node, Relation, Way

from optimizer.roads.town.frame import Frame
from optimizer.roads.town.streets import Town
from optimizer.roads.town.turns import Restriction


def write_pbf(path: Path, town: Town, restrictions: list[Restriction], frame: Frame) -> None:
    """Write a town. Ids start at 1, in the town's order."""
    lon_lat = frame.to_lon_lat(town.xy)
    header = osmium.io.Header()
    header.set("generator", "binround town")
    header.add_box(Box(Location(*lon_lat.min(axis=0)), Location(*lon_lat.max(axis=0))))
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for number, position in enumerate(lon_lat.tolist()):
            tags = town.node_tags.get(number, {})
            writer.add_node(Node(id=number + 1, version=1, location=position, tags=tags))
        for number, (nodes, tags) in enumerate(town.ways):
            refs = [node + 1 for node in nodes]
            writer.add_way(Way(id=number + 1, version=1, nodes=refs, tags=tags))
        for number, rule in enumerate(restrictions):
            writer.add_relation(_relation(number + 1, rule))


def _relation(number: int, rule: Restriction) -> Relation:
    return Relation(
        id=number,
        version=1,
        tags={"type": "restriction", "restriction": rule.kind},
        members=[
            ("w", rule.from_way + 1, "from"),
            ("n", rule.via_node + 1, "via"),
            ("w", rule.to_way + 1, "to"),
        ],
    )
