"""Solve a routing problem from a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.counted import counted
from config.errors import FileFormatError
from config.settings import load_settings


class FileFormat(StrEnum):
    """Kinds of problem files."""

    JSON = "json"
    WCVRPTW = "wcvrptw"
    WCVRPTW_DECIMAL = "wcvrptw-decimal"
    VRPLIB = "vrplib"
    SOLOMON = "solomon"


def command(
    problem: Annotated[Path, typer.Argument(metavar="FILE", help="The problem.")],
    out: Annotated[Path, typer.Option(help="Where to write the plan.")],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="How the problem is written.")
    ] = FileFormat.JSON,
    budget: Annotated[
        float, typer.Option(min=0, max=86_400, help="Seconds to search at most.")
    ] = 10.0,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the search.")] = 0,
    vehicles: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Size of the fleet at most.")
    ] = None,
) -> None:
    """Solve a routing problem from a file, and write the plan.

    Formats: json; wcvrptw (Kim, Kim and Sahoo 2006; wcvrptw-decimal reads its times as hours and
    hundredths); vrplib (CVRP, VRPTW, PCVRPTW, MTVRPTW); solomon (also Gehring and Homberger). The
    plan is JSON (docs/plan-json.md), or a .sol file where the format has those and OUT ends so.
    """
    from optimizer.check import check
    from optimizer.explain import explain_obstacle
    from optimizer.formats import FORMATS
    from optimizer.solve.feasibility import feasibility
    from optimizer.solve.isolation import solve_isolated

    if not out.parent.is_dir():
        raise FileFormatError(f"{out}: cannot be written: there is no folder {out.parent}")
    reader = FORMATS[file_format]
    loaded = reader.read(problem, vehicles)
    for obstacle in feasibility(loaded):
        typer.echo(f"before solving: {explain_obstacle(obstacle).en}")
    engines = load_settings().engine_names
    if budget > 0 and ("search" in engines or not engines):
        compiled_first()
    solution = solve_isolated(loaded, budget, seed, engines=engines)
    report = check(loaded, solution)
    reader.write_plan(out, loaded, solution, report)
    distance = report.distance_m / reader.unit_m
    typer.echo(
        f"{counted(len(report.tours), 'vehicle')}, {distance:.1f} {reader.unit}, "
        f"cost {reader.cost(report):.2f}, {len(solution.unserved)} unserved ({solution.engine})"
    )
    for entry in solution.unserved:
        extra = "" if entry.extra_eur is None else f", would add {entry.extra_eur:.2f}"
        typer.echo(f"  {loaded.node_id(entry.visit)} not served: {entry.reason.value}{extra}")


def compiled_first() -> None:
    """Wait for the search to be compiled, which is needed once; it is no part of the budget."""
    from optimizer.solve.sisr.warm import warm_up_aside

    compiler = warm_up_aside()
    if compiler is not None:
        typer.echo("compiling the search, once: a minute or so ...", err=True)
        compiler.wait()
