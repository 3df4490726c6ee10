"""The sets, and what is known about their instances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.optimizer.published import KIM
from benchmarks.optimizer.streets import street_day
from optimizer.formats import FORMATS
from optimizer.formats.sol import read_sol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from optimizer.model import Problem

OURS, OURS_ORTOOLS = "binround", "binround-ortools"
PEERS = ("ortools-default", "pyvrp", "vroom")
ALL = (OURS, OURS_ORTOOLS, *PEERS)
MULTITRIP_S = {100: 20.0, 300: 30.0, 1000: 60.0}


@dataclass(frozen=True)
class Instance:
    """One problem to be solved by everybody.

    Attributes:
        load: reads or makes the problem.
        budget_s: wall time; results at it are what the tables compare.
        more_budgets_s: further ones, at which ours is measured to see cost over time.
        best_known: of the set, in the table's unit; None: the best of this page stands in.
        miles: whether distance counts, once the vehicles are few enough.
        solvers: who takes part.
        quick: whether it is part of the short run.
    """

    group: str
    name: str
    load: Callable[[], Problem]
    budget_s: float
    best_known: Callable[[], float | None] = lambda: None
    more_budgets_s: tuple[float, ...] = ()
    miles: bool = False
    solvers: tuple[str, ...] = ALL
    quick: bool = False


def instances(data: Path, cache: Path) -> list[Instance]:
    """Return the instances of all sets whose files are there."""
    return [
        *_kim(data / "benchmarks" / "wcvrptw_kim"),
        *_multitrip(data / "osm", cache),
        *_street_day(data / "osm", cache),
        *_cvrp(data / "benchmarks"),
        *_vrptw(data / "benchmarks" / "vrptw"),
        *_vrplib("prize", data / "benchmarks" / "pcvrptw", 60.0, quick="R1_10_1"),
        *_vrplib("reload", data / "benchmarks" / "mtvrptw", 60.0, quick="RC203R0.5"),
    ]


def _kim(folder: Path) -> Iterator[Instance]:
    names = [name for name in KIM if (folder / f"{name}_stop.txt").is_file()]
    for name in names:
        yield _kim_instance(folder, name, decimal=False)
    for name in names:
        if _reads_differ(folder, name):
            yield _kim_instance(folder, name, decimal=True)


def _kim_instance(folder: Path, name: str, *, decimal: bool) -> Instance:
    best = KIM[name]
    reader = FORMATS["wcvrptw-decimal" if decimal else "wcvrptw"]
    return Instance(
        group="kim",
        name=f"{name} decimal" if decimal else name,
        load=partial(reader.read, folder / f"{name}_stop.txt", best.vehicles),
        budget_s=60.0,
        best_known=lambda: best.miles,
        more_budgets_s=(5.0, 20.0) if name == "1051" else (),
        miles=True,
        solvers=(OURS,) if decimal else ALL,
        quick=not decimal,
    )


def _reads_differ(folder: Path, name: str) -> bool:
    path = folder / f"{name}_stop.txt"
    one, other = (FORMATS[kind].read(path, 1) for kind in ("wcvrptw", "wcvrptw-decimal"))
    return (one.visits, one.facilities, one.trucks) != (
        other.visits, other.facilities, other.trucks,
    )  # fmt: skip


def _multitrip(folder: Path, cache: Path) -> Iterator[Instance]:
    for city in ("kaiserslautern", "heidelberg"):
        extract = folder / f"{city}.osm.pbf"
        if not extract.is_file():
            continue
        for size, budget_s in MULTITRIP_S.items():
            yield Instance(
                group="multitrip",
                name=f"{city}-{size}",
                load=partial(street_day, extract, size, cache),
                budget_s=budget_s,
                more_budgets_s=(5.0, 20.0) if extract.name.startswith("k") and size == 1000 else (),
                quick=city == "kaiserslautern",
            )


def _street_day(folder: Path, cache: Path) -> Iterator[Instance]:
    for city in ("kaiserslautern", "heidelberg"):
        extract = folder / f"{city}.osm.pbf"
        if extract.is_file():
            yield Instance(
                group="street-day",
                name=f"{city}-300",
                load=partial(street_day, extract, 300, cache),
                budget_s=60.0,
                more_budgets_s=(2.0, 10.0),
                solvers=(OURS,),
                quick=city == "heidelberg",
            )


def _cvrp(folder: Path) -> Iterator[Instance]:
    paths = sorted((folder / "cvrp_x").glob("*.vrp"), key=_size)
    for path in paths:
        large = _size(path) > 600
        yield _sol_instance(
            "x", path, 60.0 if large else 30.0,
            more_budgets_s=(3.0, 10.0) if _size(path) == 502 else (),
            quick=_size(path) in {200, 502, 1001},
        )  # fmt: skip
    for name, budget_s in (("Leuven1", 60.0), ("Ghent1", 300.0)):
        path = folder / "cvrp_xxl" / f"{name}.vrp"
        if path.is_file():
            yield _sol_instance("xxl", path, budget_s)


def _size(path: Path) -> int:
    return int(path.stem.split("-")[1][1:])


def _vrplib(group: str, folder: Path, budget_s: float, quick: str) -> Iterator[Instance]:
    for number, path in enumerate(sorted(folder.glob("*.vrp"))):
        yield _sol_instance(
            group, path, budget_s,
            more_budgets_s=(5.0, 20.0) if number == 0 else (),
            quick=path.stem == quick,
        )  # fmt: skip


def _sol_instance(
    group: str,
    path: Path,
    budget_s: float,
    more_budgets_s: tuple[float, ...] = (),
    quick: bool = False,
) -> Instance:
    load = partial(FORMATS["vrplib"].read, path, None)
    return Instance(
        group, path.stem, load, budget_s, partial(_published, path), more_budgets_s, quick=quick
    )


def _published(path: Path) -> float | None:
    sol = path.with_suffix(".sol")
    return read_sol(sol, FORMATS["vrplib"].read(path, None)).cost if sol.is_file() else None


def _vrptw(folder: Path) -> Iterator[Instance]:
    """Yield Gehring and Homberger's instances with 400 customers, then the smaller ones."""
    large, small = ("r1_4_5", "rc2_4_1"), ("R105", "RC105", "r1_2_1", "c2_2_1")
    for group, names, budget_s in (("gh400", large, 60.0), ("vrptw", small, 20.0)):
        for name in names:
            path = folder / f"{name}.txt"
            if path.is_file():
                yield Instance(
                    group=group,
                    name=name,
                    load=partial(FORMATS["solomon"].read, path, None),
                    budget_s=budget_s,
                    more_budgets_s=(5.0, 20.0) if name == "r1_4_5" else (),
                    quick=name == "r1_4_5",
                )
