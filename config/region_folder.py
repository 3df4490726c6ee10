"""Loads a region from its folder, or says everything that is wrong with it.

    region.toml          the area, its roads, retention, [[fractions]] and [[services]]
    depots.toml          [[depots]]
    facilities.toml      [[facilities]] with [[facilities.hours]]
    vehicles.toml        [[vehicles]] with [[vehicles.compartments]]
    holidays.toml        [holidays]: date = "name"
    sources.toml         [[sources]], brokers besides our own; may be left out
    containers.geojson   or containers.csv

`docs/region.md` explains every field.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from config.errors import RegionError
from config.region import (
    ID_PATTERN,
    Depot,
    Facility,
    Fact,
    Fraction,
    Region,
    RegionHead,
    Service,
    Vehicle,
)
from config.region_checks import check_together, no_repeat
from config.region_containers import ContainerRow, read_containers
from config.region_lines import toml_lines
from config.region_source import Declared, FactList, Mistakes, Source, declare, suggestion
from config.region_sources import check_sources, find_files
from config.source import Source as BrokerSource

LISTS: Mapping[str, Mapping[str, type[Fact]]] = {
    "region.toml": {"fractions": Fraction, "services": Service},
    "depots.toml": {"depots": Depot},
    "facilities.toml": {"facilities": Facility},
    "vehicles.toml": {"vehicles": Vehicle},
}
SOURCES = "sources.toml"


class Holidays(Fact):
    """The file of holidays."""

    holidays: dict[date, str]


@dataclass
class Folder:
    """Everything that a folder declares and that is well formed by itself."""

    head: Declared[RegionHead] | None = None
    lists: dict[str, FactList] = field(default_factory=dict)
    holidays: dict[date, str] = field(default_factory=dict)
    rows: list[Declared[ContainerRow]] = field(default_factory=list)
    sources: FactList = field(default_factory=FactList)


def shipped_regions() -> list[str]:
    """Return the names of the regions that ship with binround."""
    root = Path(str(files("config"))) / "regions"
    return sorted(path.parent.name for path in root.glob("*/region.toml"))


def find_folder(name_or_dir: str) -> Path:
    """Return the folder of a region.

    Args:
        name_or_dir: a name that ships with binround, or a folder.

    Raises:
        RegionError: there is neither.
    """
    if name_or_dir in shipped_regions():
        return Path(str(files("config"))) / "regions" / name_or_dir
    if Path(name_or_dir).is_dir():
        return Path(name_or_dir).resolve()
    known = ", ".join(shipped_regions())
    raise RegionError(name_or_dir, [f"neither a folder nor a region that ships ({known})"])


def load_region(name_or_dir: str, *, containers: bool = True) -> Region:
    """Load a region.

    Args:
        name_or_dir: a name that ships with binround, or a folder.
        containers: False leaves them out, for a folder that has none yet.

    Raises:
        RegionError: with every mistake of the folder, as `file:line: field: what is wrong`.
    """
    path = find_folder(name_or_dir)
    mistakes = Mistakes()
    folder = _read(path, mistakes)
    if containers:
        folder.rows = read_containers(path, mistakes)
    check_together(folder.head, folder.lists, folder.rows, mistakes)
    check_sources(folder.sources, mistakes)
    if mistakes or folder.head is None:
        raise RegionError(str(name_or_dir), mistakes.lines())
    return _region(folder.head.value, folder)


def _read(path: Path, mistakes: Mistakes) -> Folder:
    folder = Folder(lists={name: FactList() for lists in LISTS.values() for name in lists})
    for file, lists in LISTS.items():
        raw, source = _read_toml(path, file, mistakes)
        if raw is None:
            continue
        for name, model in lists.items():
            folder.lists[name] = _declare_list(model, name, raw, source, mistakes)
        rest = {key: value for key, value in raw.items() if key not in lists}
        if file == "region.toml":
            _find_extract(rest, path, source, mistakes)
            folder.head = declare(RegionHead, rest, source, (), mistakes)
        else:
            _refuse(rest, lists, source, mistakes)
    raw, source = _read_toml(path, "holidays.toml", mistakes)
    holidays = declare(Holidays, raw, source, (), mistakes) if raw is not None else None
    folder.holidays = holidays.value.holidays if holidays else {}
    if (path / SOURCES).exists():
        folder.sources = _read_sources(path, mistakes)
    return folder


def _read_sources(path: Path, mistakes: Mistakes) -> FactList:
    raw, source = _read_toml(path, SOURCES, mistakes)
    if raw is None:
        return FactList()
    known = {"sources": BrokerSource}
    _refuse({key: value for key, value in raw.items() if key not in known}, known, source, mistakes)
    find_files(raw, path, source, mistakes)
    declared = _declare_list(BrokerSource, "sources", raw, source, mistakes)
    no_repeat(((fact.value.id, fact) for fact in declared), "id", mistakes)
    return declared


def _read_toml(path: Path, file: str, mistakes: Mistakes) -> tuple[dict[str, Any] | None, Source]:
    try:
        text = (path / file).read_text(encoding="utf-8-sig")
        return tomllib.loads(text), Source(file, toml_lines(text))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column \d+\)| \(at end of document\)", str(error))
        line = int(at.group(1)) if at and at.group(1) else text.count("\n") + 1
        mistakes.add(file, line, "syntax", str(error))
    except UnicodeDecodeError as error:
        mistakes.add(file, 1, "encoding", f"not UTF-8 (byte {error.start}); save it as UTF-8")
    except OSError as error:
        mistakes.add(file, 1, "file", f"cannot be read: {error.strerror}")
    return None, Source(file, {})


def _declare_list(
    model: type[Fact], name: str, raw: Mapping[str, Any], source: Source, mistakes: Mistakes
) -> FactList:
    items = raw.get(name)
    if not isinstance(items, list) or not items:
        mistakes.add(source.file, source.line((name,)), name, f"is missing; declare [[{name}]]")
        return FactList()
    declared = FactList()
    for index, item in enumerate(items):
        fact = declare(model, item, source, (name, index), mistakes)
        if fact:
            declared.facts.append(fact)
        else:
            declared.malformed.add(_id_of(item))
    return declared


def _id_of(item: Any) -> str | None:
    name = item.get("id") if isinstance(item, dict) else None
    return name if isinstance(name, str) and re.fullmatch(ID_PATTERN, name) else None


def _refuse(
    rest: Mapping[str, Any], known: Mapping[str, Any], source: Source, mistakes: Mistakes
) -> None:
    for key in rest:
        hint = suggestion(key, known)
        mistakes.add(source.file, source.line((key,)), key, f"unknown field{hint}")


def _find_extract(head: dict[str, Any], path: Path, source: Source, mistakes: Mistakes) -> None:
    """Make the extract's name a full path, so that nobody has to know the folder later."""
    match head:
        case {"roads": {"extract": str(name), **rest}}:
            if not (path / name).is_file():
                line = source.line(("roads", "extract"))
                mistakes.add(source.file, line, "roads.extract", f"no file {name!r} in the folder")
            head["roads"] = {**rest, "extract": str(path / name)}


def _region(head: RegionHead, folder: Folder) -> Region:
    sites = {row.value.site: row.value.to_site() for row in folder.rows}
    lists = {name: tuple(fact.value for fact in facts) for name, facts in folder.lists.items()}
    return Region(
        **dict(head),
        **cast(dict[str, Any], lists),
        sites=tuple(sites.values()),
        containers=tuple(row.value.to_container() for row in folder.rows),
        holidays=folder.holidays,
        sources=tuple(fact.value for fact in folder.sources),
    )
