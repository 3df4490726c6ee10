"""Judge a plan from a file against its problem."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.counted import counted
from cli.solve import FileFormat


def command(
    problem: Annotated[Path, typer.Argument(metavar="FILE", help="The problem.")],
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.json, or a .sol file.")],
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="How the problem is written.")
    ] = FileFormat.JSON,
    vehicles: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Size of the fleet, as for `solve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Judge a plan against its problem: names each rule that is broken, and where.

    Ends with 0 when the plan is legal, 1 when it is not, 2 when a file cannot be read.
    """
    from optimizer.check import check
    from optimizer.formats import FORMATS

    reader = FORMATS[file_format]
    loaded = reader.read(problem, vehicles)
    given = reader.read_plan(plan, loaded)
    report = check(loaded, given.solution)
    violations = (*given.unknown, *report.violations)
    distance = report.distance_m / reader.unit_m
    unserved = [loaded.node_id(entry.visit) for entry in report.unserved if entry.visit >= 0]
    if as_json:
        found = [
            {
                "rule": violation.rule,
                "tour": violation.tour,
                "visit": violation.visit,
                "value": violation.value,
                "limit": violation.limit,
                "message": violation.message,
            }
            for violation in violations
        ]
        summary = {
            "violations": found,
            "vehicles": len(report.tours),
            "distance": round(distance, 3),
            "unit": reader.unit,
            "cost": round(reader.cost(report), 2),
            "unserved": unserved,
        }
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        for violation in violations:
            typer.echo(f"{violation.rule}: {violation.message}")
        verdict = counted(len(violations), "violation") if violations else "legal"
        typer.echo(
            f"{verdict}: {counted(len(report.tours), 'vehicle')}, {distance:.1f} {reader.unit}, "
            f"cost {reader.cost(report):.2f}, {len(unserved)} unserved"
        )
    if violations:
        raise typer.Exit(1)
