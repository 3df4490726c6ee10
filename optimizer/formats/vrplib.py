"""Instances in the VRPLIB format: CVRP, VRPTW, PCVRPTW (prizes) and MTVRPTW (several trips).

The format: http://vrp.atd-lab.inf.puc-rio.br and https://pyvrp.org/dev/benchmarking.html. A line
is a key with a value, the title of a section, or a row of a section: a node's number, then its
figures. Whatever a file says that is not understood here is refused: a limit that is overlooked
would make plans look better than they are.

Costs are those of the `.sol` files: distance in whole units for the CVRP, in tenths of a unit
where there are times, the prizes of customers left out added on the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from config.errors import FileFormatError
from optimizer.formats.lines import amount, count, number, text_of
from optimizer.formats.single_depot import TENTHS, Customers, problem_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from optimizer.model import Problem

TYPES = ("CVRP", "VRPTW", "PCVRPTW", "MTVRPTW", "MTVRPTWR")
_KEYS = {"TYPE", "NAME", "DIMENSION", "CAPACITY", "VEHICLES", "SERVICE_TIME", "EDGE_WEIGHT_TYPE"}
_REMARKS = {"COMMENT", "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE"}  # which change nothing
_SECTIONS = {
    "NODE_COORD", "DEMAND", "TIME_WINDOW", "SERVICE_TIME", "PRIZE", "RELEASE_TIME",
    "VEHICLES_RELOAD_DEPOT", "DEPOT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    fields: list[str]


@dataclass(slots=True)
class _File:
    """A file taken apart: values and sections, with the lines they stand on."""

    path: Path
    values: dict[str, tuple[int, str]] = field(default_factory=dict)
    titles: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[_Row]] = field(default_factory=dict)

    def value(self, key: str) -> tuple[int, str]:
        """Return a value that has to be there, and its line."""
        if key not in self.values:
            raise FileFormatError(f"{self.path}: has no {key}")
        return self.values[key]

    def whole(self, key: str) -> int:
        """Return a whole number that has to be there."""
        line, text = self.value(key)
        return count(self.path, line, key, text)

    def table(self, section: str, columns: Sequence[str], nodes: int) -> NDArray[np.float64]:
        """Return (nodes, columns) figures of all nodes, in the order of their numbers."""
        if section not in self.rows:
            raise FileFormatError(f"{self.path}: has no {section}_SECTION")
        seen: dict[int, int] = {}
        figures = np.zeros((nodes, len(columns)))
        read = number if section == "NODE_COORD" else amount
        for row in self.rows[section]:
            node = self._node(section, row, columns, nodes)
            if node in seen:
                raise FileFormatError(
                    f"{self.path}:{row.line}: node {node} stands on line {seen[node]} too"
                )
            seen[node] = row.line
            figures[node - 1] = [
                read(self.path, row.line, name, text)
                for name, text in zip(columns, row.fields[1:], strict=True)
            ]
        for node in range(1, nodes + 1):
            if node not in seen:
                raise FileFormatError(
                    f"{self.path}:{self.titles[section]}: {section}_SECTION has no node {node}"
                )
        return figures

    def _node(self, section: str, row: _Row, columns: Sequence[str], nodes: int) -> int:
        if len(row.fields) != len(columns) + 1:
            raise FileFormatError(
                f"{self.path}:{row.line}: has {len(row.fields)} fields, {len(columns) + 1} are "
                f"needed in {section}_SECTION: node, {', '.join(columns)}"
            )
        node = count(self.path, row.line, "node", row.fields[0])
        if node > nodes:
            raise FileFormatError(f"{self.path}:{row.line}: node {node} of {nodes} (DIMENSION)")
        return node


def read_vrplib(path: Path, vehicles: int | None = None) -> Problem:
    """Read an instance.

    Args:
        path: the `.vrp` file.
        vehicles: size of the fleet; without it as the file says, or without limit.

    Raises:
        FileFormatError: with file and line of the mistake.
    """
    file = _taken_apart(path)
    line, kind = file.value("TYPE")
    if kind not in TYPES:
        raise FileFormatError(f"{path}:{line}: TYPE {kind} is not known; {', '.join(TYPES)} are")
    line, weights = file.value("EDGE_WEIGHT_TYPE")
    if weights != "EUC_2D":
        raise FileFormatError(f"{path}:{line}: EDGE_WEIGHT_TYPE {weights} is not known; EUC_2D is")
    nodes = file.whole("DIMENSION")
    timed = kind != "CVRP"
    if not timed and (line := file.titles.get("TIME_WINDOW", 0)):
        raise FileFormatError(f"{path}:{line}: a CVRP has no times; TYPE VRPTW would have")
    prize = file.table("PRIZE", ["prize"], nodes)[:, 0] if kind == "PCVRPTW" else None
    order = _depot_first(file, nodes)
    trips = kind.startswith("MT")
    if trips:
        _reloads(file, order[0] + 1)
    release = file.table("RELEASE_TIME", ["time"], nodes)[:, 0] if kind == "MTVRPTWR" else None
    if vehicles is None and (timed or "VEHICLES" in file.values):
        vehicles = file.whole("VEHICLES")
    return problem_of(
        path,
        Customers(
            name=file.values.get("NAME", (0, path.stem))[1],
            ids=[str(at + 1) for at in order],
            xy=file.table("NODE_COORD", ["x", "y"], nodes)[order],
            demand=file.table("DEMAND", ["demand"], nodes)[order, 0],
            capacity=float(file.whole("CAPACITY")),
            vehicles=vehicles,
            windows=_windows(file, nodes)[order] if timed else None,
            service=_service(file, nodes, order[0])[order],
            prize=None if prize is None else prize[order],
            release=None if release is None else release[order],
            trips=trips,
            cost_scale=float(TENTHS) if timed else 1.0,
        ),
    )


def _taken_apart(path: Path) -> _File:
    file = _File(path)
    section = ""
    for line, text in enumerate(text_of(path).splitlines(), start=1):
        stripped = text.strip()
        if stripped == "EOF":
            break
        if not stripped:
            continue
        if not stripped[0].isalpha():
            if not section:
                raise FileFormatError(f"{path}:{line}: a row that is in no section")
            file.rows[section].append(_Row(line, stripped.split()))
        elif ":" in stripped:
            key, _, value = (part.strip() for part in stripped.partition(":"))
            if key not in _KEYS | _REMARKS:
                raise FileFormatError(f"{path}:{line}: {key} is not known, and may limit plans")
            file.values[key] = line, value
            section = ""
        else:
            section = stripped.removesuffix("_SECTION")
            if section not in _SECTIONS:
                titles = ", ".join(sorted(f"{name}_SECTION" for name in _SECTIONS))
                raise FileFormatError(
                    f"{path}:{line}: {stripped} is not known; a line is KEYWORD : VALUE, a row of"
                    f" numbers, EOF or one of {titles}"
                )
            file.titles[section] = line
            file.rows[section] = []
    return file


def _depot_first(file: _File, nodes: int) -> list[int]:
    """Return the order of the nodes: the depot, then the others."""
    named = [row for row in file.rows.get("DEPOT", []) if row.fields != ["-1"]]
    if len(named) != 1:
        raise FileFormatError(f"{file.path}: has {len(named)} depots, one is needed")
    (row,) = named
    depot = count(file.path, row.line, "depot", row.fields[0])
    if depot > nodes:
        raise FileFormatError(f"{file.path}:{row.line}: depot {depot} of {nodes} nodes")
    return [depot - 1, *(node for node in range(nodes) if node != depot - 1)]


def _windows(file: _File, nodes: int) -> NDArray[np.float64]:
    windows = file.table("TIME_WINDOW", ["earliest", "latest"], nodes)
    for row in file.rows["TIME_WINDOW"]:
        opens, closes = windows[int(row.fields[0]) - 1]
        if closes < opens:
            raise FileFormatError(
                f"{file.path}:{row.line}: latest {closes:g} is before earliest {opens:g}"
            )
    return windows


def _service(file: _File, nodes: int, depot: int) -> NDArray[np.float64]:
    """Return times of service; one for all does not mean the depot."""
    if "SERVICE_TIME" in file.rows:
        return file.table("SERVICE_TIME", ["time"], nodes)[:, 0]
    service = np.zeros(nodes)
    if "SERVICE_TIME" in file.values:
        line, text = file.values["SERVICE_TIME"]
        service[:] = amount(file.path, line, "SERVICE_TIME", text)
        service[depot] = 0.0
    return service


def _reloads(file: _File, depot: int) -> None:
    """Make sure that every vehicle may reload at the depot, and nowhere else."""
    for row in file.rows.get("VEHICLES_RELOAD_DEPOT", []):
        if row.fields[1:] != [str(depot)]:
            raise FileFormatError(
                f"{file.path}:{row.line}: a vehicle that does not reload at the depot {depot} "
                "is not known"
            )
