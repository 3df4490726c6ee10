"""Regions: check one, or build one from OpenStreetMap."""

from collections import Counter
from typing import Annotated

import typer

from config.errors import RegionError
from config.region import Region
from config.region_folder import load_region

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Regions: check one, or build one from OpenStreetMap."""


@app.command()
def validate(
    folder: Annotated[str, typer.Argument(help="A folder, or a region that ships.")],
) -> None:
    """Say everything that is wrong with a region, as `file:line: field: what`."""
    try:
        region = load_region(folder)
    except RegionError as error:
        typer.echo("\n".join(error.mistakes))
        count = len(error.mistakes)
        typer.echo(f"binround: {count} mistake{'s' * (count > 1)} in {folder}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(_summary(region))


def _summary(region: Region) -> str:
    lines = [f"{region.name} is fine."]
    for service in region.services:
        counts = Counter(c.fraction for c in region.containers if c.fraction in service.fractions)
        sites = {c.site for c in region.containers if c.fraction in service.fractions}
        trucks = sum(service.id in vehicle.services for vehicle in region.vehicles)
        kinds = ", ".join(f"{n} {fraction}" for fraction, n in counts.items()) or "none yet"
        lines.append(
            f"{service.name_en}: {counts.total()} containers ({kinds}) "
            f"at {len(sites)} sites, {trucks} vehicles"
        )
    synthetic = sum(container.synthetic for container in region.containers)
    lines.append(
        f"{len(region.depots)} depots, {len(region.facilities)} facilities, "
        f"{len(region.holidays)} holidays, {synthetic} synthetic containers"
    )
    return "\n".join(lines)
