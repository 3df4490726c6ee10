"""Judge a plan from a file: against its problem, or by a region's rules."""

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.counted import counted
from cli.solve import FileFormat
from config.errors import PlanError


class Language(StrEnum):
    """In which the certificate is written."""

    EN = "en"
    DE = "de"


def command(
    problem: Annotated[
        Path, typer.Argument(metavar="FILE", help="The problem; with --region the plan.")
    ],
    plan: Annotated[
        Path | None,
        typer.Argument(metavar="[PLAN]", help="The plan, plan.json or .sol.", show_default=False),
    ] = None,
    region: Annotated[
        str, typer.Option(help="Judge by the law and the facts of this region: a name or folder.")
    ] = "",
    day: Annotated[
        str, typer.Option("--date", metavar="YYYY-MM-DD", help="Of a plan that names no date.")
    ] = "",
    lang: Annotated[Language, typer.Option(help="Of the certificate.")] = Language.EN,
    out: Annotated[
        Path | None, typer.Option(help="Write the certificate there, as HTML to print.")
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Travel times from straight lines, without roads.")
    ] = False,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="How the problem is written.")
    ] = FileFormat.JSON,
    vehicles: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Size of the fleet, as for `solve`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Judge a plan: names each rule that is broken, and where.

    `check PROBLEM PLAN` judges a plan against its problem. `check --region NAME PLAN` judges any
    plan, as CSV or JSON, by the law and the region's facts, and cites the paragraph; see
    docs/certificate.md. Ends with 0 when no rule is broken, 1 when one is, 2 when a file cannot be
    read.
    """
    if region:
        if plan is not None:
            raise PlanError("--region judges one plan; leave the problem out")
        if not _certified(region, problem, day, lang, out, as_json=as_json, estimate=estimate):
            raise typer.Exit(1)
        return
    if plan is None:
        raise PlanError("which plan? Give PROBLEM PLAN, or --region NAME PLAN")
    _check(problem, plan, file_format, vehicles, as_json=as_json)


def _certified(
    region: str,
    plan: Path,
    day: str,
    lang: Language,
    out: Path | None,
    *,
    as_json: bool,
    estimate: bool,
) -> bool:
    from cli.certificate import Asked, judge

    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        raise PlanError(f"--date {day!r} is no day; write it as 2026-11-24") from None
    language: Literal["en", "de"] = "de" if lang is Language.DE else "en"
    return judge(Asked(region, plan, on, language, as_json, out, estimate)).legal


def _check(
    problem: Path, plan: Path, file_format: FileFormat, vehicles: int | None, *, as_json: bool
) -> None:
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
