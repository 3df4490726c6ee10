"""Reads `containers.geojson` or `containers.csv`: one feature or row for each container.

Both carry the same fields. What describes the site (its name, place and side of the road) is
repeated for each of its containers, so that a plain list from a spreadsheet or an open-data
portal can be used as it is; the rows of a site have to agree.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from config.region import Container, Fact, Id, Latitude, Longitude, Site
from config.region_lines import json_features
from config.region_source import Declared, FieldPath, Mistakes, Source, declare, suggestion
from config.site_hours import WeekSpans

GEOJSON, CSV = "containers.geojson", "containers.csv"
SITE_FIELDS = (
    "lon", "lat", "curb", "reverse", "max_width_m", "max_height_m", "max_gross_kg", "windows",
    "noise_windows",
)  # fmt: skip
"""What a row tells of its site, under the site's own names."""


class ContainerRow(Fact):
    """One container with its site, as the files list it."""

    id: Id
    site: Id
    site_name: str = ""
    lon: Longitude
    lat: Latitude
    curb: bool = False
    reverse: bool = False
    max_width_m: float | None = Field(default=None, gt=0)
    max_height_m: float | None = Field(default=None, gt=0)
    max_gross_kg: float | None = Field(default=None, gt=0)
    windows: WeekSpans = ()
    noise_windows: WeekSpans = ()
    fraction: Id
    volume_l: float = Field(gt=0)
    crane: bool = False
    sensor: Id | None = None
    site_synthetic: bool = False
    synthetic: bool = False

    @classmethod
    def of(cls, site: Site, container: Container) -> Self:
        """Return the row of a container at its site."""
        return cls(
            **container.model_dump(),
            **{name: getattr(site, name) for name in SITE_FIELDS},
            site_name=site.name,
            site_synthetic=site.synthetic,
        )

    def to_site(self) -> Site:
        """Return the site that the row describes."""
        return Site(
            **{name: getattr(self, name) for name in SITE_FIELDS},
            id=self.site,
            name=self.site_name or self.site,
            synthetic=self.site_synthetic,
        )

    def to_container(self) -> Container:
        """Return the container that the row describes."""
        return Container(
            id=self.id,
            site=self.site,
            fraction=self.fraction,
            volume_l=self.volume_l,
            crane=self.crane,
            sensor=self.sensor,
            synthetic=self.synthetic,
        )


def read_containers(folder: Path, mistakes: Mistakes) -> list[Declared[ContainerRow]]:
    """Read the folder's containers, whichever of the two files it has."""
    present = [name for name in (GEOJSON, CSV) if (folder / name).is_file()]
    if len(present) != 1:
        what = "both are there; keep one" if present else "neither is there"
        mistakes.add(GEOJSON, 1, CSV, what)
        return []
    try:
        text = (folder / present[0]).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        mistakes.add(present[0], 1, "encoding", f"not UTF-8 (byte {error.start}); save it as UTF-8")
        return []
    return _read_geojson(text, mistakes) if present[0] == GEOJSON else _read_csv(text, mistakes)


def _read_geojson(text: str, mistakes: Mistakes) -> list[Declared[ContainerRow]]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        mistakes.add(GEOJSON, error.lineno, "syntax", f"{error.msg} (column {error.colno})")
        return []
    if not isinstance(whole, dict) or not isinstance(whole.get("features"), list):
        mistakes.add(GEOJSON, 1, "features", "is missing; a GeoJSON FeatureCollection has them")
        return []
    if not whole["features"]:
        mistakes.add(GEOJSON, 1, "features", "there is no container")
    rows = []
    for feature, line, part in json_features(text):
        source = Source(GEOJSON, _property_lines(feature, part, line))
        raw = _flat(feature, source, mistakes)
        row = declare(ContainerRow, raw, source, (), mistakes) if raw is not None else None
        rows += [row] if row else []
    return rows


def _property_lines(feature: Any, part: str, line: int) -> dict[FieldPath, int]:
    """Return the line of each field of a feature; `coordinates` stands for lon and lat."""
    lines: dict[FieldPath, int] = {(): line}
    properties = feature.get("properties") if isinstance(feature, dict) else None
    for name in ["coordinates", *(properties if isinstance(properties, dict) else [])]:
        at = max(part.find(json.dumps(name)), 0)
        lines[name,] = line + part.count("\n", 0, at)
    lines["lon",] = lines["lat",] = lines["coordinates",]
    return lines


def _flat(feature: Any, source: Source, mistakes: Mistakes) -> dict[str, Any] | None:
    """Return a feature's properties with lon and lat; None when it is no point."""
    match feature:
        case {
            "geometry": {"type": "Point", "coordinates": [lon, lat, *_]},
            "properties": dict() as properties,
        }:
            return {**properties, "lon": lon, "lat": lat}
    mistakes.add(GEOJSON, source.line(("coordinates",)), "geometry", "is no Point with properties")
    return None


def _read_csv(text: str, mistakes: Mistakes) -> list[Declared[ContainerRow]]:
    header, _, _ = text.partition("\n")
    reader = csv.reader(text.splitlines(), delimiter=";" if ";" in header else ",")
    columns = [name.strip() for name in next(reader, [])]
    for wrong in [name for name in columns if name not in ContainerRow.model_fields]:
        hint = suggestion(wrong, ContainerRow.model_fields)
        mistakes.add(CSV, 1, wrong or "(empty)", f"unknown column{hint}")
    for twice in {name for name in columns if columns.count(name) > 1}:
        mistakes.add(CSV, 1, twice, "there are several columns of this name")
    rows = []
    for cells in reader:
        source = Source(CSV, {(name,): reader.line_num for name in ContainerRow.model_fields})
        if len(cells) == len(columns):
            row = declare(ContainerRow, _known(columns, cells), source, (), mistakes)
            rows += [row] if row else []
        elif cells:
            counts = f"{len(cells)} cells, but the header has {len(columns)} columns"
            mistakes.add(CSV, reader.line_num, "row", counts)
    if reader.line_num < 2:
        mistakes.add(CSV, 1, "row", "there is no container")
    return rows


def _known(columns: list[str], cells: list[str]) -> Mapping[str, str]:
    """Return a row's cells by column, without the empty ones and the unknown columns."""
    named = zip(columns, (cell.strip() for cell in cells), strict=True)
    return {name: cell for name, cell in named if cell and name in ContainerRow.model_fields}
