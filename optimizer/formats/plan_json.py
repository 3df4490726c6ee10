"""A plan as a JSON file; `docs/plan-json.md` describes it for people.

Only vehicles, starts, orders and what is left out count when a plan is read. Times, kilometres
and costs are written for people and other programs; the judge computes them anew.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import FileFormatError
from optimizer.check import Violation
from optimizer.formats.problem_json import field_name, load_json
from optimizer.model import Problem, Reason, Solution, Tour, Unserved

if TYPE_CHECKING:
    from optimizer.check import Report, TimedTour


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class TourPart(_Part):
    """A tour; without a start it leaves when the shift begins."""

    vehicle: str
    visits: list[str | int]
    start_s: int | None = None


class UnservedPart(_Part):
    """A visit that is left out."""

    visit: str
    reason: str = ""


class PlanFile(_Part):
    """What is read of a plan."""

    tours: list[TourPart]
    unserved: list[UnservedPart | str] = []
    seed: int = 0
    engine: str = ""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A plan from a file.

    Attributes:
        solution: what the problem knows of it.
        unknown: a violation for each id that the problem does not know.
    """

    solution: Solution
    unknown: tuple[Violation, ...]


def read_plan(path: Path, problem: Problem) -> ReadPlan:
    """Read a plan for a problem.

    Raises:
        FileFormatError: names the file and the line or the field.
    """
    return parse_plan(load_json(path), str(path), problem)


def parse_plan(document: Any, source: str, problem: Problem) -> ReadPlan:
    """Make a plan of a JSON document.

    Raises:
        FileFormatError: names the source and the field.
    """
    try:
        file = PlanFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise FileFormatError(f"{source}: {field_name(first['loc'])}: {first['msg']}") from None
    truck = {one.id: index for index, one in enumerate(problem.trucks)}
    unknown: list[Violation] = []
    tours = []
    for part in file.tours:
        if part.vehicle not in truck:
            unknown.append(_unknown(part.vehicle, None, f"vehicle {part.vehicle}"))
            continue
        nodes = []
        for name in map(str, part.visits):
            try:
                nodes.append(problem.node_of(name))
            except KeyError:
                unknown.append(_unknown(part.vehicle, name, f"visit or facility {name}"))
        index = truck[part.vehicle]
        start_s = problem.trucks[index].shift.earliest_s if part.start_s is None else part.start_s
        tours.append(Tour(index, start_s, tuple(nodes)))
    left_out = []
    for entry in file.unserved:
        one = UnservedPart(visit=entry) if isinstance(entry, str) else entry
        try:
            node = problem.node_of(one.visit)
        except KeyError:
            unknown.append(_unknown(None, one.visit, f"visit {one.visit}"))
            continue
        left_out.append(Unserved(node, _reason(one.reason)))
    solution = Solution(tuple(tours), tuple(left_out), file.engine, file.seed)
    return ReadPlan(solution, tuple(unknown))


def write_plan(path: Path, problem: Problem, solution: Solution, report: Report) -> None:
    """Write a plan whole or not at all.

    Raises:
        FileFormatError: the file cannot be written.
    """
    document = plan_document(problem, solution, report)
    write_whole(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def plan_document(problem: Problem, solution: Solution, report: Report) -> dict[str, Any]:
    """Return a plan as a JSON document."""
    return {
        "tours": [_tour(tour) for tour in report.tours],
        "unserved": [
            {
                "visit": problem.node_id(entry.visit),
                "reason": entry.reason.value,
                **({} if entry.extra_eur is None else {"extra_eur": entry.extra_eur}),
                **({} if entry.short is None else {"short": entry.short}),
            }
            for entry in solution.unserved
        ],
        "seed": solution.seed,
        "engine": solution.engine,
        "problem": problem.name,
        "km": round(report.distance_m / 1000.0, 3),
        "cost_eur": round(report.cost_eur, 2),
    }


def _tour(tour: TimedTour) -> dict[str, Any]:
    return {
        "vehicle": tour.vehicle,
        "start_s": tour.start_s,
        "visits": [node.id for node in tour.nodes],
        "end_s": tour.end_s,
        "km": round(tour.km, 3),
        "hours": round(tour.hours, 3),
        "cost_eur": round(tour.cost_eur, 2),
        "arrival_s": [node.arrival_s for node in tour.nodes],
        "service_start_s": [node.start_s for node in tour.nodes],
        "departure_s": [node.departure_s for node in tour.nodes],
        "breaks": [
            {"rule": pause.rule, "start_s": pause.start_s, "end_s": pause.end_s}
            for pause in tour.breaks
        ],
    }


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        FileFormatError: it cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be written: {error.strerror}") from None


def _reason(text: str) -> Reason:
    try:
        return Reason(text)
    except ValueError:
        return Reason.TIME


def _unknown(tour: str | None, visit: str | None, what: str) -> Violation:
    where = "unserved" if tour is None else f"tour {tour}"
    message = f"{where}: the problem has no {what}"
    return Violation("unknown id", tour, visit, None, None, message)
