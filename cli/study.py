"""What-if studies on simulated weeks."""

import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What-if studies on simulated weeks."""


@app.command("run")
def run(
    scenario: Annotated[str, typer.Argument(metavar="FILE", help="A TOML file, or a shipped one.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; by default in the data folder.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many worlds, instead of the file's.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one for each processor.")] = 0,
) -> None:
    """Compare policies on a region over some weeks, and write a report.

    Every policy meets the same worlds; the same seeds give the same figures.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from config.settings import load_settings
    from jobs.study import Study, run_study

    console = Console(stderr=True)
    study = Study.of(scenario, load_settings(), out, seeds, workers)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    began = time.monotonic()
    try:
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            task = progress.add_task("Preparing roads", total=study.total)
            report = run_study(
                study, lambda text: progress.update(task, description=text, advance=1)
            )
    except KeyboardInterrupt:
        console.print("binround: the study was broken off; nothing was written")
        raise typer.Exit(130) from None
    console.print(f"{study.total} replications in {time.monotonic() - began:.0f} s")
    print(report)


@app.command("list")
def show() -> None:
    """List the scenarios that ship with binround."""
    from simulator.studies.scenario import load_scenario, shipped_scenarios

    for name in shipped_scenarios():
        print(f"{name}: {load_scenario(name).title}")
