"""The road network: fetch it, prepare it, look at it."""

import time
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from config.errors import RoadsError
from config.region_folder import load_region
from config.settings import Settings, load_settings
from optimizer.roads import RoadsSource, roads_of
from optimizer.roads.fetch import fetch as fetch_extract
from optimizer.roads.open import graphs_folder
from optimizer.roads.prepare import engine_version, prepared
from optimizer.roads.prepare import prepare as build_graph
from optimizer.roads.source import fetched_extract

app = typer.Typer(no_args_is_help=True)

RegionOption = Annotated[
    str, typer.Option("--region", help="A region that ships, or a folder. Default: the setting.")
]


@app.callback()
def _group() -> None:
    """The road network: fetch it, prepare it, look at it."""


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A region that ships, or a folder.")],
) -> None:
    """Download a region's real streets (© OpenStreetMap contributors, ODbL)."""
    settings = load_settings()
    region = load_region(name)
    path = fetched_extract(region.roads, settings.data_dir)
    if region.roads.download is None or path is None:
        raise RoadsError(f"region {region.id} names no public extract; set roads.download in it")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), transient=True
    ) as bar:
        task = bar.add_task(path.name, total=None)
        fetch_extract(
            region.roads.download,
            path,
            lambda done, total: bar.update(task, completed=done, total=total or None),
        )
    typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    typer.echo(f"next: binround roads prepare --region {name}")


@app.command()
def prepare(region: RegionOption = "") -> None:
    """Prepare a region's streets for the road engine; the result is kept in the data folder."""
    settings = load_settings()
    facts = load_region(region or settings.region)
    started = time.monotonic()
    source = roads_of(facts, settings.data_dir)
    graph = build_graph(source.extract, graphs_folder(settings.data_dir))
    typer.echo(f"{_described(source)}")
    typer.echo(f"graph {graph.parent.name}, ready after {time.monotonic() - started:.1f} s")


@app.command()
def status(region: RegionOption = "") -> None:
    """Say which streets a region uses, and whether they are prepared."""
    settings = load_settings()
    facts = load_region(region or settings.region)
    typer.echo(f"region    {facts.id}")
    for line in _status(roads_of(facts, settings.data_dir), settings):
        typer.echo(line)


def _status(source: RoadsSource, settings: Settings) -> list[str]:
    lines = [
        f"streets   {_described(source)}",
        f"extract   {source.extract} ({source.extract.stat().st_size / 1e6:.1f} MB)",
        f"credit    {source.attribution or 'none needed'}",
    ]
    if settings.osrm_url:
        return [*lines, f"engine    OSRM at {settings.osrm_url}"]
    try:
        graph = prepared(source.extract, graphs_folder(settings.data_dir))
    except RoadsError as error:
        return [*lines, f"engine    {error}; travel times are estimates"]
    state = f"prepared in {graph.parent}" if graph else "not prepared yet: binround roads prepare"
    return [
        *lines,
        f"engine    OSRM {engine_version()}, in the worker's process",
        f"graph     {state}",
    ]


def _described(source: RoadsSource) -> str:
    return "a generated town" if source.synthetic else f"OpenStreetMap, {source.extract.name}"
