"""Regions: check one, or build one from OpenStreetMap."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from cli.counted import counted
from config.errors import RegionError
from config.region import Region
from config.region_folder import load_region
from config.settings import load_settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Regions: check one, or build one from OpenStreetMap."""


@app.command()
def build(
    osm: Annotated[Path, typer.Option(help="An OpenStreetMap extract, .osm.pbf.")],
    name: Annotated[str, typer.Option(help="Name of the region.")],
    out: Annotated[Path, typer.Option(help="Folder to write; must not be there yet.")],
    containers: Annotated[
        int | None,
        typer.Option(min=1, help="At least so many; a generator adds what the map lacks."),
    ] = None,
    depot: Annotated[str, typer.Option(metavar="LON,LAT", help="Default: placed.")] = "",
    facility: Annotated[str, typer.Option(metavar="LON,LAT", help="Default: placed.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the generator.")] = 1,
) -> None:
    """Make a region from any OpenStreetMap extract.

    Recycling sites and what they collect come from the map. What the map lacks is placed by a
    seeded generator and marked synthetic; densities, times, costs and trucks are defaults.
    """
    from jobs.build_region import BuildRequest, build_region

    region = build_region(
        BuildRequest(
            osm=osm,
            name=name,
            out=out,
            containers=containers,
            depot=_place(depot, "--depot") if depot else None,
            facility=_place(facility, "--facility") if facility else None,
            seed=seed,
        )
    )
    typer.echo(_summary(region))
    typer.echo(f"{out} is {region.licence}, {region.attribution}")
    typer.echo(f"next: binround demo --region {out}")


@app.command()
def scatter(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="A region's folder; its containers are replaced."
        ),
    ],
    sites: Annotated[int, typer.Option(min=1, help="How many sites.")],
    containers: Annotated[int, typer.Option(min=1, help="How many containers in all.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the generator.")] = 1,
) -> None:
    """Place synthetic containers of a region's first service along its streets.

    Writes containers.geojson in the folder. The same seed gives the same file.
    """
    from jobs.region_scatter import scatter_region

    scatter_region(folder, sites, containers, seed, load_settings().data_dir)
    typer.echo(_summary(load_region(str(folder))))


@app.command()
def validate(
    folder: Annotated[str, typer.Argument(help="A folder, or a region that ships.")],
) -> None:
    """Say everything that is wrong with a region, as `file:line: field: what`."""
    try:
        region = load_region(folder)
    except RegionError as error:
        typer.echo("\n".join(error.mistakes))
        typer.echo(f"binround: {counted(len(error.mistakes), 'mistake')} in {folder}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(_summary(region))


def _place(text: str, option: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise RegionError(option, [f"{text!r} is no LON,LAT such as 8.53,52.02"]) from None
    return lon, lat


def _summary(region: Region) -> str:
    lines = [f"{region.name} is fine."]
    for service in region.services:
        mine = [c for c in region.containers if c.fraction in service.fractions]
        kinds = Counter(container.fraction for container in mine)
        trucks = sum(service.id in vehicle.services for vehicle in region.vehicles)
        lines.append(
            f"{service.name_en}: {counted(len(mine), 'container')}"
            f" ({', '.join(f'{n} {fraction}' for fraction, n in kinds.items())})"
            f" at {counted(len({c.site for c in mine}), 'site')}, {counted(trucks, 'vehicle')}"
        )
    lines.append(
        f"In all {counted(len(region.sites), 'site')}"
        f" and {counted(len(region.containers), 'container')}"
        f" ({sum(c.synthetic for c in region.containers)} synthetic),"
        f" {counted(len(region.depots), 'depot')},"
        f" {counted(len(region.facilities), 'facility', 'facilities')},"
        f" {counted(len(region.holidays), 'holiday')}"
    )
    return "\n".join(lines)
