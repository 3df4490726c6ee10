"""Writes a region as a folder that `config.region_folder.load_region` reads back the same."""

import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Any

from config.region import Container, Fact, Region, Site
from config.region_containers import GEOJSON, ContainerRow
from config.region_folder import LISTS, SOURCES
from config.region_sources import FILES
from config.source import Source


def write_region(region: Region, folder: Path, comment: str = "") -> None:
    """Write every file of a region's folder.

    Args:
        region: a coherent region.
        folder: is there; a road extract and PEM files that the region names are copied into it.
        comment: stands at the top of region.toml.
    """
    for file, lists in LISTS.items():
        head = _head(region, folder) if file == "region.toml" else ""
        tables = "".join(_list(name, getattr(region, name)) for name in lists)
        note = _comment(comment) if file == "region.toml" else ""
        _write(folder / file, note + (head + tables).removeprefix("\n"))
    days = "".join(f"{day} = {_value(name)}\n" for day, name in sorted(region.holidays.items()))
    _write(folder / "holidays.toml", "[holidays]\n" + days)
    if region.sources:
        moved = [_with_files(source, folder) for source in region.sources]
        _write(folder / SOURCES, _list("sources", moved).removeprefix("\n"))
    write_containers(folder / GEOJSON, region.sites, region.containers)


def write_containers(path: Path, sites: Iterable[Site], containers: Iterable[Container]) -> None:
    """Write containers as GeoJSON, one feature a line, so that versions can be compared."""
    by_id = {site.id: site for site in sites}
    lines = (
        _json(_feature(ContainerRow.of(by_id[container.site], container)))
        for container in containers
    )
    text = ",\n".join(lines)
    _write(path, f'{{"type": "FeatureCollection", "features": [\n{text}\n]}}\n')


def _head(region: Region, folder: Path) -> str:
    roads = region.roads
    if roads.extract:
        roads = roads.model_copy(update={"extract": _moved(roads.extract, folder)})
    plain = {name: value for name, value in _fields(region).items() if isinstance(value, str)}
    return (
        _pairs(plain)
        + f"\n[roads]\n{_pairs(_fields(roads))}"
        + f"\n[retention]\n{_pairs(_fields(region.retention))}"
    )


def _with_files(source: Source, folder: Path) -> Source:
    files = {name: getattr(source, name) for name in FILES}
    return source.model_copy(
        update={name: _moved(file, folder) for name, file in files.items() if file}
    )


def _moved(file: str, folder: Path) -> str:
    """Make sure that a file is in the folder, under its own name and as private as it was."""
    path = Path(file)
    if path.parent.resolve() != folder.resolve():
        shutil.copy(path, folder / path.name)
    return path.name


def _list(name: str, facts: Iterable[Fact]) -> str:
    return "".join(f"\n[[{name}]]\n{_table(name, fact)}" for fact in facts)


def _table(name: str, fact: Fact) -> str:
    """Write a fact's own values, then the lists of facts that it holds."""
    fields = _fields(fact)
    nested = {key: value for key, value in fields.items() if _is_facts(value)}
    own = {key: value for key, value in fields.items() if key not in nested}
    below = (_list(f"{name}.{key}", facts).replace("\n\n", "\n") for key, facts in nested.items())
    return _pairs(own) + "".join(below).removeprefix("\n")


def _fields(fact: Fact) -> dict[str, Any]:
    return {name: value for name, value in fact if value not in (None, "")}


def _is_facts(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Fact)


def _pairs(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: Any) -> str:
    """Write a value as TOML; its texts, numbers and lists are those of JSON."""
    if isinstance(value, time):
        exact = value.second or value.microsecond
        return f'"{value.isoformat("auto" if exact else "minutes")}"'
    return _json(value).replace("\x7f", "\\u007f")


def _json(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, ensure_ascii=False)


def _feature(row: ContainerRow) -> dict[str, Any]:
    properties = row.model_dump(exclude_defaults=True, exclude={"lon", "lat"})
    if row.volume_l.is_integer():
        properties["volume_l"] = int(row.volume_l)
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
        "properties": properties,
    }


def _comment(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines()) + ("\n" * bool(text))


def _write(path: Path, text: str) -> None:
    """Write a file so that it is complete when it appears."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
