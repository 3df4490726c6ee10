"""Judge a plan by a region's rules, and print or keep its certificate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from config.clock import open_clock
from config.errors import FileFormatError, RoadsError
from config.law import Language
from config.region_folder import load_region
from config.settings import load_settings
from optimizer.certify import Certificate, certify, document, read_given
from optimizer.certify.printed import html, lines
from optimizer.roads import open_roads


@dataclass(frozen=True)
class Asked:
    """What to judge, and how to tell it.

    Attributes:
        region: a name that ships, or a folder.
        day: of what has no date.
        out: where to write the certificate.
        estimate: take travel times from straight lines, without the region's roads.
    """

    region: str
    plan: Path
    day: date | None
    language: Language
    as_json: bool
    out: Path | None
    estimate: bool


def judge(asked: Asked) -> Certificate:
    """Judge a plan, print what is found, write its certificate.

    Raises:
        FileFormatError: the plan cannot be read, or the certificate not be written.
        PlanError: the plan names a service or fraction that the region does not have.
        RegionError: there is no such region, or it has mistakes.
    """
    if asked.out and asked.out.suffix.lower() not in (".html", ".htm"):
        raise FileFormatError(f"{asked.out}: a certificate is HTML; let its name end with .html")
    settings = load_settings()
    region = load_region(asked.region)
    plan = read_given(asked.plan, region.time_zone, asked.day)
    try:
        travel = open_roads(
            region, settings.data_dir, osrm_url=settings.osrm_url, estimate=asked.estimate
        )
    except RoadsError as error:
        typer.echo(f"no roads, so travel times are estimates: {error}", err=True)
        travel = open_roads(region, settings.data_dir, estimate=True)
    certificate = certify(plan, region, travel)
    now = open_clock(settings.clock).now()
    if asked.as_json:
        told: Mapping[str, Any] = {
            **document(certificate, asked.language), "judged_at": now.isoformat()
        }  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in lines(certificate, asked.language):
            typer.echo(line)
    if asked.out:
        _write(asked.out, html(certificate, asked.language, now, version("binround")))
    return certificate


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be written: {error.strerror}") from None
