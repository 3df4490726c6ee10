"""A plan as CSV: one row for each stop, in order. `docs/certificate.md` describes it for people.

Cells are separated by semicolons, commas or tabs, whichever the header has; in German files numbers
have a decimal comma. Columns come in any order; which ones are not used is told, not hidden.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.errors import FileFormatError
from optimizer.certify import words
from optimizer.certify.given import Action, GivenPlan, GivenStop, GivenTour, named

_READ: Mapping[str, Callable[[str], Any]] = {
    "date": words.day,
    "crew": words.persons,
    "banksman": words.truth,
    "action": words.action,
    "lon": words.degrees,
    "lat": words.degrees,
    "arrival": words.clock,
    "start": words.clock,
    "departure": words.clock,
    "kg": words.amount,
    "litres": words.amount,
    "reverse": words.truth,
    "reverse_m": words.amount,
    "side": words.side,
}
_TOUR = ("service", "crew", "banksman", "team")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, Any]


def parse_csv(text: str, source: str, day: date | None = None) -> GivenPlan:
    """Read a plan.

    Args:
        text: the file.
        source: its name, for messages.
        day: of rows without a date.

    Raises:
        FileFormatError: names the file, the line and the column.
    """
    header, _, _ = text.lstrip("\n").partition("\n")
    delimiter = max(";,\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    headings = _headings(reader, source)
    columns = [words.column(name) for name in headings]
    _complete(columns, source, day)
    rows = list(_rows(reader, columns, source))
    if not rows:
        raise FileFormatError(f"{source}:1: there is no stop; write one row for each")
    tours: dict[Any, list[_Row]] = {}
    for row in rows:
        tours.setdefault(_key(row, source, day), []).append(row)
    unused = tuple(
        name.strip() for name, known in zip(headings, columns, strict=True) if known is None
    )
    return GivenPlan(
        source=source,
        tours=named(_tour(group, source, day) for group in tours.values()),
        unused=tuple(name for name in unused if name),
    )


def _headings(reader: Any, source: str) -> list[str]:
    try:
        return next(reader, [])
    except csv.Error as error:
        raise FileFormatError(f"{source}:1: {error}") from None


def _complete(columns: list[str | None], source: str, day: date | None) -> None:
    if "vehicle" not in columns:
        raise FileFormatError(f"{source}:1: vehicle: this column is missing")
    if "date" not in columns and day is None:
        raise FileFormatError(f"{source}:1: date: this column is missing; add it, or give --date")
    if not {"place", "lon", "action"} & set(columns):
        raise FileFormatError(f"{source}:1: place: this column is missing; or give lon and lat")
    for name in columns:
        if name is not None and columns.count(name) > 1:
            raise FileFormatError(f"{source}:1: {name}: there are several columns of this name")


def _rows(reader: Any, columns: list[str | None], source: str) -> Iterator[_Row]:
    try:
        for cells in reader:
            filled = [cell.strip() for cell in cells]
            if not any(filled):
                continue
            line = reader.line_num
            if len(filled) != len(columns):
                raise FileFormatError(
                    f"{source}:{line}: {len(filled)} cells, but the header has {len(columns)}"
                )
            yield _Row(line, dict(_cells(columns, filled, f"{source}:{line}")))
    except csv.Error as error:
        raise FileFormatError(f"{source}:{reader.line_num}: {error}") from None


def _cells(columns: list[str | None], filled: list[str], where: str) -> Iterator[tuple[str, Any]]:
    for name, text in zip(columns, filled, strict=True):
        if name is None or not text:
            continue
        try:
            yield name, _READ.get(name.partition(":")[0], str)(text)
        except ValueError as error:
            raise FileFormatError(f"{where}: {name}: {error}") from None


def _key(row: _Row, source: str, day: date | None) -> tuple[Any, ...]:
    for name in ("vehicle", "date"):
        if name not in row.cells and (name == "vehicle" or day is None):
            raise FileFormatError(f"{source}:{row.line}: {name}: is empty")
    return row.cells.get("tour", ""), row.cells.get("date", day), row.cells["vehicle"]


def _tour(rows: list[_Row], source: str, day: date | None) -> GivenTour:
    first = rows[0].cells
    facts: dict[str, Any] = {}
    for row in rows:
        for name in _TOUR:
            value = row.cells.get(name)
            if value is not None and facts.setdefault(name, value) != value:
                raise FileFormatError(
                    f"{source}:{row.line}: {name}: is {value}, and {facts[name]} in other rows "
                    "of the same tour"
                )
    return GivenTour(
        name=first.get("tour", ""),
        vehicle=first["vehicle"],
        day=first.get("date", day),
        stops=tuple(_stop(row, source) for row in rows),
        **facts,
    )


def _stop(row: _Row, source: str) -> GivenStop:
    cells = row.cells
    place = cells.get("place")
    if place is None and ("lon" in cells) != ("lat" in cells):
        raise FileFormatError(f"{source}:{row.line}: lon, lat: one is empty; give both")
    action = cells.get("action")
    if place is None and "lon" not in cells and action in (None, Action.COLLECT, Action.UNLOAD):
        raise FileFormatError(f"{source}:{row.line}: place: is empty; or give lon and lat")
    fraction = cells.get("fraction")
    kg_by, litres_by = (_by_fraction(cells, name) for name in ("kg", "litres"))
    if fraction and "kg" in cells:
        kg_by.setdefault(fraction, cells["kg"])
    if fraction and "litres" in cells:
        litres_by.setdefault(fraction, cells["litres"])
    return GivenStop(
        action=action,
        place=place,
        lon=cells.get("lon"),
        lat=cells.get("lat"),
        arrival_s=cells.get("arrival"),
        start_s=cells.get("start"),
        departure_s=cells.get("departure"),
        containers=tuple(cells.get("containers", "").replace("|", " ").split()),
        fraction=fraction,
        kg=cells.get("kg", sum(kg_by.values()) if kg_by else None),
        litres=cells.get("litres", sum(litres_by.values()) if litres_by else None),
        kg_by=kg_by,
        litres_by=litres_by,
        reverse=cells.get("reverse"),
        reverse_m=cells.get("reverse_m"),
        side=cells.get("side"),
        line=row.line,
    )


def _by_fraction(cells: Mapping[str, Any], amount: str) -> dict[str, float]:
    prefix = f"{amount}:"
    return {name.removeprefix(prefix): v for name, v in cells.items() if name.startswith(prefix)}
