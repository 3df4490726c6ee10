"""The waste-collection instances of Kim, Kim and Sahoo, with every rule that they state.

B.-I. Kim, S. Kim, S. Sahoo: "Waste collection vehicle routing problem with time windows",
Computers & Operations Research 33 (2006) 3624-3642. Five head lines (yards a vehicle holds, yards
a vehicle may collect a day, stops a day, seconds of lunch, miles per hour), a line of titles, and
then per line: id, x and y in feet, earliest and latest time, seconds of service, yards, and what
it is (0 the depot, 1 a stop, 2 a landfill). Distances are Manhattan, lunch starts between 11 and
12 where a tour lasts beyond 11, and a vehicle ends empty.

Times are HHMM, as the files' own titles say; 2400 is midnight. Some files of the set hold values
that cannot be (1675): there the last two digits are hundredths of an hour, and only there, for
0850 can be either. A file that knows no minutes but 00 and 50 may well mean hours and hundredths
throughout; the other reading takes it so.

A vehicle costs 1,000 and a mile costs 1, so that fewer vehicles count before fewer miles. Where the
size of the fleet is given, as the papers' tables compare distances, miles alone count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from config.errors import FileFormatError
from optimizer.formats.lines import LARGEST, amount, number, text_of
from optimizer.model import (
    BreakRule,
    Compartment,
    Facility,
    Problem,
    TimeWindow,
    Truck,
    Visit,
)

if TYPE_CHECKING:
    from pathlib import Path

MILE_M = 1609.344
_FOOT_M = 0.3048
_FEET_PER_MILE = 5280
_YARD_L = 764.554857984  # a cubic yard
_LUNCH = (11 * 3600, 12 * 3600)
_VEHICLE_EUR = 1000.0
_ENOUGH = 200  # vehicles; the largest instance of the set takes 19
_DEPOT, _STOP, _LANDFILL = 0, 1, 2
_HEAD = (
    "vehicle capacity in yards",
    "yards a day",
    "stops a day",
    "seconds of lunch",
    "miles per hour",
)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    id: str
    x: float
    y: float
    window: TimeWindow
    service_s: int
    yards: float
    kind: int


def read_wcvrptw(path: Path, vehicles: int | None = None, *, decimal: bool = False) -> Problem:
    """Read an instance.

    Args:
        path: the text file.
        vehicles: size of the fleet; without it there are enough.
        decimal: every time is in hours and hundredths of an hour, 0850 half past eight.

    Raises:
        FileFormatError: with file and line of the mistake.
    """
    lines = [
        (number, line.strip())
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if line.strip()
    ]
    if len(lines) < len(_HEAD) + 2:
        raise FileFormatError(f"{path}: has {len(lines)} lines, at least 7 are needed")
    head = [_head(path, *line, name) for line, name in zip(lines, _HEAD, strict=False)]
    rows = [_row(path, *line, decimal) for line in lines[len(_HEAD) + 1 :]]
    seen: dict[str, int] = {}
    for row in rows:
        if row.id in seen:
            raise FileFormatError(
                f"{path}:{row.line}: id {row.id} stands on line {seen[row.id]} too"
            )
        seen[row.id] = row.line
    depots = [row for row in rows if row.kind == _DEPOT]
    if len(depots) != 1:
        raise FileFormatError(f"{path}: has {len(depots)} depots (type 0), one is needed")
    return _problem(path, head, depots[0], rows, vehicles)


def _problem(
    path: Path, head: list[float], depot: _Row, rows: list[_Row], vehicles: int | None
) -> Problem:
    capacity, per_day, stops, lunch_s, mph = head
    if mph == 0:
        raise FileFormatError(f"{path}:5: miles per hour must not be 0")
    places = [depot, *(row for row in rows if row.kind != _DEPOT)]
    at = {row.id: index for index, row in enumerate(places)}
    xy = np.array([(row.x, row.y) for row in places])
    feet = np.abs(xy[:, None] - xy[None]).sum(axis=-1)
    visits = tuple(
        Visit(row.id, at[row.id], (0.0,), (row.yards * _YARD_L,), row.service_s, (row.window,))
        for row in rows
        if row.kind == _STOP
    )
    landfills = tuple(
        Facility(row.id, at[row.id], frozenset({0}), row.service_s, (row.window,))
        for row in rows
        if row.kind == _LANDFILL
    )
    fleet = min(len(visits), _ENOUGH) if vehicles is None else vehicles
    lunch = BreakRule("lunch", round(lunch_s), *_LUNCH)
    trucks = tuple(
        Truck(
            id=f"vehicle-{number}",
            start=0,
            end=0,
            shift=depot.window,
            compartments=(Compartment(frozenset({0}), LARGEST, capacity * _YARD_L),),
            payload_kg=LARGEST,
            breaks=(lunch,),
            max_stops=round(stops),
            max_litres=per_day * _YARD_L,
            fixed_eur=_VEHICLE_EUR if vehicles is None else 0.0,
            eur_per_km=1000.0 / MILE_M,
        )
        for number in range(1, fleet + 1)
    )
    seconds = np.rint(feet / _FEET_PER_MILE / mph * 3600).astype(np.int64)
    return Problem(("waste",), visits, landfills, trucks, seconds, feet * _FOOT_M, path.stem)


def _head(path: Path, at: int, text: str, name: str) -> float:
    return amount(path, at, name, text.split("//")[0].strip())


def _row(path: Path, at: int, text: str, decimal: bool) -> _Row:
    fields = text.split()
    if len(fields) != 8:
        raise FileFormatError(
            f"{path}:{at}: has {len(fields)} fields, 8 are needed: "
            "id, x, y, earliest, latest, service, load, type"
        )
    try:
        kind = int(float(fields[7]))
    except (ValueError, OverflowError):
        kind = -1
    if kind not in {_DEPOT, _STOP, _LANDFILL}:
        raise FileFormatError(f"{path}:{at}: type {fields[7]!r} is not 0, 1 or 2")
    opens = _time(path, at, "earliest time", fields[3], decimal)
    closes = _time(path, at, "latest time", fields[4], decimal)
    if closes < opens:
        raise FileFormatError(
            f"{path}:{at}: latest time {fields[4]} is before earliest time {fields[3]}"
        )
    return _Row(
        at,
        fields[0],
        number(path, at, "x", fields[1]),
        number(path, at, "y", fields[2]),
        TimeWindow(opens, closes),
        round(amount(path, at, "service time", fields[5])),
        amount(path, at, "load", fields[6]),
        kind,
    )


def _time(path: Path, at: int, name: str, text: str, decimal: bool) -> int:
    """Return HHMM, or HH and hundredths of an hour, as seconds."""
    value = amount(path, at, name, text)
    hours, rest = divmod(round(value), 100)
    seconds = hours * 3600 + (rest * 36 if decimal or rest >= 60 else rest * 60)
    if value != round(value) or seconds > 24 * 3600:
        raise FileFormatError(f"{path}:{at}: {name} {text!r} is no time of day; write HHMM")
    return seconds
