"""Solutions as the sets publish them: `.sol` files.

`Route #1: 31 46 35` names customers by their place in the problem's file (the depot is 0, and
stands where a vehicle comes back to it between two trips); `Cost 27591` ends the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.errors import FileFormatError
from optimizer.formats.lines import number, text_of
from optimizer.model import Reason, Solution, Tour, Unserved

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.model import Problem

DEPOT = 0


@dataclass(frozen=True, slots=True)
class Published:
    """A solution from a file.

    Attributes:
        cost: what the file says it costs; None when it says nothing.
    """

    solution: Solution
    cost: float | None


def read_sol(path: Path, problem: Problem) -> Published:
    """Read a solution of a problem with one depot.

    Customers in no route are left out: whether they may be is for the judge to say.

    Raises:
        FileFormatError: with file and line of the mistake.
    """
    cost = None
    tours: list[Tour] = []
    for line, text in enumerate(text_of(path).splitlines(), start=1):
        head, _, rest = text.strip().partition(":")
        if head.lower().startswith("route"):
            if len(tours) == len(problem.trucks):
                raise FileFormatError(
                    f"{path}:{line}: route {len(tours) + 1}, the problem has {len(tours)} vehicles"
                )
            nodes = [_node(path, line, problem, name) for name in rest.split()]
            truck = len(tours)
            start_s = problem.trucks[truck].shift.earliest_s
            tours.append(Tour(truck, start_s, _unloaded(problem, nodes)))
        elif head.lower().startswith("cost"):
            value = (rest or text.strip()[len("cost") :]).strip()
            cost = number(path, line, "cost", value)
    if not tours:
        raise FileFormatError(f"{path}: has no line `Route #1: ...`; is it a .sol file?")
    served = {node for tour in tours for node in tour.nodes}
    left_out = tuple(
        Unserved(visit, Reason.NOT_WORTH_IT)
        for visit, one in enumerate(problem.visits)
        if visit not in served and not one.mandatory
    )
    return Published(Solution(tuple(tours), left_out, path.name), cost)


def sol_text(problem: Problem, solution: Solution, cost: float) -> str:
    """Return a solution as the text of a `.sol` file."""
    lines: list[str] = []
    for tour in solution.tours:
        nodes = tour.nodes[:-1] if not problem.is_visit(tour.nodes[-1]) else tour.nodes
        if nodes:
            names = " ".join(str(problem.location(node)) for node in nodes)
            lines.append(f"Route #{len(lines) + 1}: {names}")
    return "\n".join([*lines, f"Cost {cost:.1f}".removesuffix(".0"), ""])


def _node(path: Path, line: int, problem: Problem, name: str) -> int:
    """Return the node at a place of the problem's file."""
    if not name.isdecimal() or int(name) > len(problem.visits):
        raise FileFormatError(
            f"{path}:{line}: {name!r} is none of the {len(problem.visits)} customers"
        )
    return len(problem.visits) if int(name) == DEPOT else int(name) - 1


def _unloaded(problem: Problem, nodes: list[int]) -> tuple[int, ...]:
    """Return a route with the unloading at its end."""
    depot = len(problem.visits)
    return tuple(nodes) if nodes and nodes[-1] == depot else (*nodes, depot)
