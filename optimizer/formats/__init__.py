"""Problems and plans as files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from optimizer.formats.plan_json import ReadPlan, read_plan, write_plan, write_whole
from optimizer.formats.problem_json import read_problem_json
from optimizer.formats.sol import read_sol, sol_text
from optimizer.formats.solomon import read_solomon
from optimizer.formats.vrplib import read_vrplib
from optimizer.formats.wcvrptw import MILE_M, read_wcvrptw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from optimizer.check import Report
    from optimizer.model import Problem, Solution


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of problem file.

    Attributes:
        read: reads a file, with a fleet of so many vehicles if a number is given.
        unit: in which its users speak of distances.
        unit_m: that unit in metres.
        published: whether its plans are published as `.sol` files.
    """

    read: Callable[[Path, int | None], Problem]
    unit: str
    unit_m: float
    published: bool = False

    def read_plan(self, path: Path, problem: Problem) -> ReadPlan:
        """Read a plan: a `.sol` file where the format has those, else plan.json.

        Raises:
            FileFormatError: names the file and the line or the field.
        """
        if self._is_sol(path):
            return ReadPlan(read_sol(path, problem).solution, ())
        return read_plan(path, problem)

    def write_plan(self, path: Path, problem: Problem, solution: Solution, report: Report) -> None:
        """Write a plan whole or not at all, in the form that the file's name asks for.

        Raises:
            FileFormatError: the file cannot be written.
        """
        if self._is_sol(path):
            write_whole(path, sol_text(problem, solution, self.cost(report)))
        else:
            write_plan(path, problem, solution, report)

    def cost(self, report: Report) -> float:
        """Return what a plan costs; published costs hold the prizes of what is left out."""
        return report.score[1] if self.published else report.cost_eur

    def _is_sol(self, path: Path) -> bool:
        return self.published and path.suffix == ".sol"


FORMATS: Mapping[str, Format] = {
    "json": Format(read_problem_json, "km", 1000.0),
    "wcvrptw": Format(read_wcvrptw, "miles", MILE_M),
    "wcvrptw-decimal": Format(partial(read_wcvrptw, decimal=True), "miles", MILE_M),
    "vrplib": Format(read_vrplib, "units", 1.0, published=True),
    "solomon": Format(read_solomon, "units", 1.0, published=True),
}
