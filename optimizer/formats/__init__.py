"""Problems and plans as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.formats.problem_json import read_problem_json
from optimizer.formats.wcvrptw import MILE_M, read_wcvrptw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from optimizer.model import Problem


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of problem file.

    Attributes:
        read: reads a file, with a fleet of so many vehicles if a number is given.
        unit: in which its users speak of distances.
        unit_m: that unit in metres.
    """

    read: Callable[[Path, int | None], Problem]
    unit: str
    unit_m: float


FORMATS: Mapping[str, Format] = {
    "json": Format(read_problem_json, "km", 1000.0),
    "wcvrptw": Format(read_wcvrptw, "miles", MILE_M),
}
