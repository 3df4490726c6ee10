"""Instances of Solomon, and of Gehring and Homberger: the VRPTW in their own text format.

M. M. Solomon, "Algorithms for the vehicle routing and scheduling problems with time window
constraints", Operations Research 35 (1987); H. Gehring, J. Homberger (1999) in the same format.
A name, `VEHICLE` with `NUMBER CAPACITY`, `CUSTOMER` with a line of titles, and per line: number,
x, y, demand, ready time, due date, service time; number 0 is the depot.

Cost is distance, truncated to one decimal on every way as in the DIMACS challenge; the number of
vehicles is a limit, not an objective.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from config.errors import FileFormatError
from optimizer.formats.lines import amount, count, number, text_of
from optimizer.formats.single_depot import Customers, problem_of

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.model import Problem

_COLUMNS = ("customer", "x", "y", "demand", "ready time", "due date", "service time")
_PLACE = {"x", "y"}  # which may be negative


def read_solomon(path: Path, vehicles: int | None = None) -> Problem:
    """Read an instance.

    Args:
        path: the text file.
        vehicles: size of the fleet; without it as the file says.

    Raises:
        FileFormatError: with file and line of the mistake.
    """
    lines = [
        (line, text.split())
        for line, text in enumerate(text_of(path).splitlines(), start=1)
        if text.strip()
    ]
    fleet, capacity = _fleet(path, lines)
    figures: dict[str, list[float]] = {}
    for line, fields in _customers(path, lines):
        if len(fields) != len(_COLUMNS):
            raise FileFormatError(
                f"{path}:{line}: has {len(fields)} fields, {len(_COLUMNS)} are needed: "
                f"{', '.join(_COLUMNS)}"
            )
        if fields[0] in figures:
            raise FileFormatError(f"{path}:{line}: customer {fields[0]} stands there twice")
        row = [
            (number if name in _PLACE else amount)(path, line, name, text)
            for name, text in zip(_COLUMNS, fields, strict=True)
        ]
        if row[5] < row[4]:
            raise FileFormatError(
                f"{path}:{line}: due date {fields[5]} is before ready time {fields[4]}"
            )
        figures[fields[0]] = row
    table = np.array(list(figures.values()))
    return problem_of(
        path,
        Customers(
            name=" ".join(lines[0][1]),
            ids=list(figures),
            xy=table[:, 1:3],
            demand=table[:, 3],
            capacity=capacity,
            vehicles=fleet if vehicles is None else vehicles,
            windows=table[:, 4:6],
            service=table[:, 6],
        ),
    )


def _fleet(path: Path, lines: list[tuple[int, list[str]]]) -> tuple[int, float]:
    """Return number and capacity of the vehicles: what stands below their titles."""
    for (_, titles), (line, fields) in pairwise(lines):
        if titles == ["NUMBER", "CAPACITY"]:
            if len(fields) != 2:
                raise FileFormatError(f"{path}:{line}: number and capacity of vehicles are needed")
            vehicles = count(path, line, "number of vehicles", fields[0])
            return vehicles, float(count(path, line, "capacity", fields[1]))
    raise FileFormatError(f"{path}: has no line NUMBER CAPACITY; is it in Solomon's format?")


def _customers(path: Path, lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return the lines below CUSTOMER and its titles."""
    for at, (_, fields) in enumerate(lines):
        if fields == ["CUSTOMER"]:
            rows = lines[at + 2 :]
            if not rows:
                break
            return rows
    raise FileFormatError(f"{path}: has no customers below a line CUSTOMER and its titles")
