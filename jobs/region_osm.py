"""Recycling sites of an OpenStreetMap extract, and what their tags say is collected there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import osmium
import shapely
from osmium.osm import NODE, WAY, Node, Way

from config.errors import RoadsError

AMENITIES = {"recycling": None, "waste_disposal": "residual"}
"""Kinds of sites, with the fraction that the kind alone stands for."""

_TAG = "recycling:"
_OTHER = "other"


@dataclass(frozen=True)
class MappedSite:
    """A recycling site as the map has it.

    Attributes:
        ref: kind and number of the map's object, e.g. `n123`, `w77`.
        name: empty when it has none.
        fractions: by its tags, in the order of the defaults; empty when they name nothing.
    """

    ref: str
    name: str
    lon: float
    lat: float
    fractions: tuple[str, ...]


def mapped_sites(
    extract: Path, fractions_of_tag: Mapping[str, tuple[str, ...]]
) -> list[MappedSite]:
    """Read the recycling sites of an extract: nodes, and areas by their centroid.

    Args:
        extract: an .osm.pbf.
        fractions_of_tag: what each `recycling:*` tag stands for; other ones are `other`.

    Raises:
        RoadsError: the extract cannot be read.
    """
    try:
        return list(_read(extract, fractions_of_tag))
    except (RuntimeError, OSError) as error:
        raise RoadsError(
            f"extract {extract} cannot be read ({error}); is it a complete .osm.pbf?"
        ) from None


def _read(extract: Path, fractions_of_tag: Mapping[str, tuple[str, ...]]) -> Iterator[MappedSite]:
    wanted = osmium.filter.TagFilter(*(("amenity", amenity) for amenity in AMENITIES))
    entities = osmium.FileProcessor(str(extract), NODE | WAY).with_locations().with_filter(wanted)
    for entity in entities:
        place = _place(entity)
        if place is not None:
            tags = dict(entity.tags)
            kind = "n" if isinstance(entity, Node) else "w"
            fractions = tuple(dict.fromkeys(_fractions(tags, fractions_of_tag)))
            yield MappedSite(f"{kind}{entity.id}", tags.get("name", ""), *place, fractions)


def _place(entity: object) -> tuple[float, float] | None:
    """Return longitude and latitude; None for an area of which the extract lacks all nodes."""
    if isinstance(entity, Node):
        return round(entity.lon, 7), round(entity.lat, 7)
    if not isinstance(entity, Way):
        return None
    points = [(node.lon, node.lat) for node in entity.nodes if node.location.valid()]
    if not points:
        return None
    shape = shapely.Polygon(points) if len(points) > 3 else shapely.MultiPoint(points)
    centre = shape.centroid
    return round(centre.x, 7), round(centre.y, 7)


def _fractions(
    tags: Mapping[str, str], fractions_of_tag: Mapping[str, tuple[str, ...]]
) -> Iterable[str]:
    whole = AMENITIES[tags["amenity"]]
    if whole:
        yield whole
    for tag, value in sorted(tags.items()):
        if tag.startswith(_TAG) and value != "no":
            yield from fractions_of_tag.get(tag, (_OTHER,))
