"""binround as a user has it: `optimizer.solve.solve` with its defaults, two threads."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer import solve as package
from optimizer.solve.sisr.warm import warm_up

if TYPE_CHECKING:
    from benchmarks.optimizer.solvers import Told
    from optimizer.model import Problem, Solution

ALONE = "popmusic"  # what only OR-Tools alone uses


@cache
def version() -> str:
    """Return a fingerprint of the optimiser's sources: another one, other results."""
    return fingerprint(ALONE)


def fingerprint(*without: str) -> str:
    """Return a fingerprint of the code, whatever its comments and docstrings say.

    Args:
        without: names of modules and packages that are left out.
    """
    folder = Path(package.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        if not {*source.relative_to(folder).with_suffix("").parts} & {*without}:
            digest.update(_code(source).encode())
    return digest.hexdigest()[:10]


def _code(source: Path) -> str:
    """Return a module's syntax tree as text, without docstrings."""
    tree = ast.parse(source.read_text())
    documented = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    ]
    for node in documented:
        del node.body[0]
    return ast.dump(tree)


def prepare() -> None:
    """Compile the search, which happens once in an installation."""
    warm_up()


def solve(problem: Problem, budget_s: float, seed: int, told: Told) -> Solution | None:
    """Solve with the default engines."""
    return package.solve(
        problem, budget_s, seed, progress=lambda s, score: None if score[0] else told(s, score[1])
    )
