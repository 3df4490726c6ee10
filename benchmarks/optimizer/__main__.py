"""Measures the optimiser beside its peers: `python -m benchmarks.optimizer --help`."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.optimizer.instances import ALL, OURS, instances
from benchmarks.optimizer.page import Cell, page, section
from benchmarks.optimizer.plot import plot
from benchmarks.optimizer.runs import CORES, Book, Run, make, prepare, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.optimizer.page import Table

PAGE = Path("docs/benchmarks/optimizer.md")
CACHE = Path(".cache/benchmarks/optimizer")
DATA = Path("../shared/data")
START_S = 6.0  # of a run's process, before and after its budget


def main(
    sets: Annotated[str, typer.Option("--set", help="Sets, by commas; default: all.")] = "",
    names: Annotated[str, typer.Option("--instance", help="Instances, by commas.")] = "",
    solvers: Annotated[str, typer.Option("--solver", help="Solvers, by commas.")] = "",
    seeds: Annotated[int, typer.Option(help="Of ours; peers have one.")] = 3,
    budget: Annotated[float | None, typer.Option(help="At most so many seconds a run.")] = None,
    quick: Annotated[bool, typer.Option(help="A choice of instances with one seed.")] = False,
    again: Annotated[bool, typer.Option(help="Make runs without a plan once more.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be run.")] = False,
    kept: Annotated[bool, typer.Option(help="Make no runs; the page is about those made.")] = False,
    data: Annotated[Path, typer.Option(help="Where the sets lie.")] = DATA,
    cache: Annotated[Path, typer.Option(help="For results and days that were made.")] = CACHE,
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = PAGE,
) -> None:
    """Make the runs that are missing, and renew the page's sections about these sets."""
    known = instances(data, cache)
    if not known:
        raise SystemExit(f"there are no sets at {data}; name their folder with DATA=")
    _require("--set", sets, {instance.group for instance in known})
    _require("--instance", names, {instance.name for instance in known})
    _require("--solver", solvers, set(ALL))
    chosen = [
        instance
        for instance in known
        if _named(sets, instance.group) and _named(names, instance.name)
        and (instance.quick or not quick)
    ]  # fmt: skip
    who = [name for name in ALL if _named(solvers, name)]
    runs = [
        run
        for run in wanted(chosen, 1 if quick else seeds, budget, who, steps=not quick)
        if not quick or _in_quick(run)
    ]
    book = Book(cache / "results.jsonl")
    missing = [run for run in runs if run not in book or (again and book[run].failed)]
    if kept:
        missing = []
    minutes = sum(run.budget_s + START_S for run in missing) / 60
    typer.echo(f"{len(runs)} runs, {len(missing)} of them to make, {minutes:.0f} minutes")
    if dry_run:
        return
    for name in {run.solver for run in missing}:
        prepare(name)
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    for number, run in enumerate(missing, start=1):
        result = make(run, data, cache, cores)
        book.add(result)
        outcome = result.none or f"{result.vehicles} vehicles, {result.value:,.1f}"
        typer.echo(
            f"{number}/{len(missing)} {run.group} {run.instance} {run.solver} seed {run.seed} "
            f"{run.budget_s:g} s: {outcome}"
        )
    cells = _cells(runs, book)
    if not cells:
        raise SystemExit(f"no such run is kept in {cache}, so {out} stays; leave out KEPT=1")
    out.parent.mkdir(parents=True, exist_ok=True)
    said = {"INSTANCE": names, "SOLVER": solvers, "BUDGET": budget, "QUICK": quick}
    asked = [f"{key}={1 if value is True else value}" for key, value in said.items() if value]
    found = {}
    for group in dict.fromkeys(instance.group for instance in chosen):
        mine = [instance for instance in chosen if instance.group == group]
        command = " ".join(["make bench-optimizer", f"SET={group}", *asked])
        picture = out.with_name(f"{out.stem}-{group}.png")
        drawn = plot(mine, cells, picture)
        found[group] = section(group, mine, cells, command, picture.name if drawn else "")
    out.write_text(page(found, out.read_text() if out.is_file() else ""))
    typer.echo(f"wrote {out}")


def _require(option: str, choice: str, known: set[str]) -> None:
    """Refuse a choice that names what is not there, before the page is written anew."""
    unknown = sorted(set(choice.split(",")) - known) if choice else []
    if unknown:
        raise SystemExit(f"{option}: no {', '.join(unknown)}; there are {', '.join(sorted(known))}")


def _named(choice: str, name: str) -> bool:
    return not choice or name in choice.split(",")


def _in_quick(run: Run) -> bool:
    """Whether the short run has time for a run: few peers, and each instance at one budget."""
    if run.solver == OURS:
        return True
    if run.solver == "pyvrp":
        return run.group != "kim" or run.instance == "1051"
    return run.instance == "X-n200-k36"


def _cells(runs: Iterable[Run], book: Book) -> Table:
    found: dict[tuple[str, str, str, float], list[Run]] = defaultdict(list)
    for run in runs:
        if run in book:
            found[run.group, run.instance, run.solver, run.budget_s].append(run)
    return {key: Cell([book[run] for run in mine]) for key, mine in found.items()}


if __name__ == "__main__":
    typer.run(main)
