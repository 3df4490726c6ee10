"""What came out, as a page for people."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.machine import processor, versions
from benchmarks.optimizer.instances import OURS, PEERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.optimizer.instances import Instance
    from benchmarks.optimizer.runs import Result

LATE = 1.1  # times its budget; beyond, the page says so
HEAD = """\
# Tours: how good, beside whom

Each section says by which command, when and on what it was measured; a run of one set leaves the
others as they are.

Each run has the machine's first two cores and the wall time alone, in a process of its own; reading
the problem, importing and compiling are done before the clock starts. *binround* and its
*OR-Tools only* (`BINROUND_ENGINES=ortools`) are solved by `optimizer.solve`, and are the median of
their seeds (lowest to highest gap behind it); all others have one. *OR-Tools default* is what its
guides advise: PATH_CHEAPEST_ARC and GUIDED_LOCAL_SEARCH, on the one thread it can use. *PyVRP* runs
two seeds at once and the better counts. *VROOM* explores at level 5 on two threads and ends when it
is through. Every plan, whoever made it, is judged by `optimizer.check`; *none* is no legal plan
with all visits, *n/a* a problem that the solver cannot express.
[How it is measured](README.md) has the rest.
"""
TITLES = {
    "kim": "Waste collection with time windows (Kim, Kim and Sahoo)",
    "multitrip": "Days with several trips on real streets",
    "street-day": "How soon a day of 300 stops is planned",
    "x": "CVRP: CVRPLIB X",
    "xxl": "CVRP: the very large ones",
    "gh400": "VRPTW: Gehring and Homberger, 400 customers",
    "vrptw": "VRPTW: smaller ones",
    "prize": "Prize-collecting VRPTW, 1,000 customers",
    "reload": "Multi-trip VRPTW",
}
NOTES = {
    "kim": """Miles, with at most the vehicles of the best published result; gaps to its miles (Kim
2006, Benjamin and Beasley 2010, Buhrkal 2012). See [how the times are
read](README.md#how-the-times-are-read); rows named *decimal* are the other reading. In 102 all
results lie far below the published ones, so conventions must differ: do not quote it.""",
    "multitrip": """Euro a day (150 a truck, 0.90 a kilometre, 60 an hour) with the vehicles used;
gaps to the best of this table. 8.5 h of shift with the break of ArbZG §4, two facilities, a tenth
of the stops with windows of two hours. PyVRP has reload depots and its fleet made tight.""",
    "street-day": """Euro of the plan after so many seconds; the first legal plan is the first that
the judge accepts.""",
    "x": "Rounded distances; gaps to the best known solutions.",
    "xxl": "Rounded distances; gaps to the best known solutions.",
    "gh400": "Distance, each way truncated to one decimal; gaps to the best of this table.",
    "vrptw": "Distance, each way truncated to one decimal; gaps to the best of this table.",
    "prize": "Distance in tenths and the prizes left out; gaps to the best known solutions.",
    "reload": """Distance in tenths; gaps to the best known solutions, which keep release times in
full. Here everybody keeps the part that concerns one customer alone (see
[plan-json](../plan-json.md#vrplib)), so a gap can be below zero.""",
}


@dataclass(frozen=True)
class Cell:
    """The results of one solver on one instance at one budget, all seeds."""

    results: Sequence[Result]

    @property
    def legal(self) -> list[Result]:
        """Those that are plans."""
        return [result for result in self.results if not result.none]

    @property
    def value(self) -> float | None:
        """The median; a run without a plan counts as worse than all others."""
        ordered = sorted(result.value for result in self.legal)
        middle = (len(self.results) - 1) // 2
        return ordered[middle] if middle < len(ordered) else None

    @property
    def vehicles(self) -> int:
        """The most vehicles of any seed."""
        return max((result.vehicles for result in self.legal), default=0)


Table = dict[tuple[str, str, str, float], Cell]  # by set, instance, solver, budget


def page(found: Mapping[str, str], old: str = "") -> str:
    """Return the page: sections just written, and those of the old page about other sets."""
    kept = _sections_of(old)
    sections = [found.get(group) or kept.get(title, "") for group, title in TITLES.items()]
    return "\n".join([HEAD, *(section for section in sections if section)])


def _sections_of(old: str) -> dict[str, str]:
    """Return a page's sections by their titles."""
    parts = old.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def section(
    group: str, chosen: Sequence[Instance], cells: Table, command: str, picture: str
) -> str:
    """Return the section about a set; empty where it has no results.

    Args:
        group: the set.
        chosen: its instances.
        cells: results.
        command: that measured them.
        picture: file name; empty: there is none.
    """
    mine = {key: cell for key, cell in cells.items() if key[0] == group}
    if not mine:
        return ""
    parts = [f"## {TITLES[group]}\n\n{NOTES[group]}\n", _measured(mine, command)]
    parts.append(_steps(chosen, mine) if group == "street-day" else _table(group, chosen, mine))
    parts.append(f"![Cost over time]({picture})\n" if picture else "")
    parts.append(_none(mine))
    return "\n".join(part for part in parts if part)


def _measured(cells: Table, command: str) -> str:
    results = [result for cell in cells.values() for result in cell.results]
    days = sorted({result.day for result in results if result.day})
    when = " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "unknown day"
    load = statistics.median(result.load for result in results)
    return (
        f"`{command}`, {when}: {processor()}; {_versions()}. Load average before the runs: "
        f"median {load:.1f}.\n"
    )


def _versions() -> str:
    found = []
    for package in ("ortools", "pyvrp", "pyvroom", "numba", "numpy"):
        try:
            found.append(versions(package).split(", ")[1])
        except Exception:  # a peer that is not installed
            found.append(f"no {package}")
    return ", ".join([versions(), *found])


def _table(group: str, chosen: Sequence[Instance], cells: Table) -> str:
    names = ("binround", "binround-ortools", *PEERS)
    shown = {"binround-ortools": "OR-Tools only", "ortools-default": "OR-Tools default",
             "pyvrp": "PyVRP", "vroom": "VROOM"}  # fmt: skip
    rows, gaps = [], {name: list[float]() for name in names}
    for instance in chosen:
        of = {
            name: cell for name in names if (cell := _at_budget(cells, instance, name)) is not None
        }
        if not of:
            continue
        known = instance.best_known()
        found = [cell.value for cell in of.values() if cell.value is not None]
        reference = known if known is not None else min(found, default=0.0)
        row = []
        for name in names:
            text, gap = _entry(of.get(name), reference, group in {"kim", "multitrip"})
            row.append(text)
            if gap is not None and "decimal" not in instance.name:
                gaps[name].append(gap)
        best = f"{reference:,.1f}" if reference else "-"
        best += "" if known is not None else " (best here)"
        budget_s = next(iter(of.values())).results[0].run.budget_s
        rows.append(f"| {instance.name} | {budget_s:g} s | {best} | " + " | ".join(row) + " |")
    if not rows:
        return ""
    means = " | ".join(
        f"{statistics.mean(gaps[name]):+.2f} % of {len(gaps[name])}" if gaps[name] else "-"
        for name in names
    )
    titles = " | ".join(shown.get(name, name) for name in names)
    return f"""\
| instance | time | reference | {titles} |
|{"---|" * (len(names) + 3)}
{chr(10).join(rows)}
| **mean gap** | | | {means} |

{_effort(chosen, cells, names)}
"""


def _at_budget(cells: Table, instance: Instance, name: str) -> Cell | None:
    """Return the results at the instance's own budget, or at the longest one measured."""
    mine = {
        budget: cell
        for (group, one, solver, budget), cell in cells.items()
        if (group, one, solver) == (instance.group, instance.name, name)
    }
    return mine[max(mine)] if mine else None


def _entry(cell: Cell | None, reference: float, with_vehicles: bool) -> tuple[str, float | None]:
    if cell is None:
        return "", None
    if cell.value is None:
        unable = cell.results[0].none.startswith("cannot express")
        return ("n/a" if unable else "none"), None
    gap = 100.0 * (cell.value / reference - 1.0) if reference else 0.0
    fleet = f"{cell.vehicles} / " if with_vehicles else ""
    text = f"{fleet}{cell.value:,.1f} ({gap:+.2f} %"
    if len(cell.results) > 1:
        low, high = (
            100.0 * (f(result.value for result in cell.legal) / reference - 1.0) for f in (min, max)
        )
        text += f"; {low:+.2f} to {high:+.2f}, {len(cell.legal)} of {len(cell.results)} seeds"
    return text + ")", gap


def _effort(chosen: Sequence[Instance], cells: Table, names: Sequence[str]) -> str:
    """Return what the runs took: cores kept busy, and memory."""
    found = []
    for name in names:
        results = [
            result
            for instance in chosen
            if (cell := _at_budget(cells, instance, name)) is not None
            for result in cell.results
            if result.wall_s > 0.5
        ]
        if results:
            busy = sum(r.cpu_s for r in results) / sum(r.wall_s for r in results)
            most = max(result.peak_mb for result in results)
            over = max(r.wall_s / r.run.budget_s for r in results)
            late = f", {over:.1f} times its budget at worst" if over > LATE else ""
            found.append(f"{name} {busy:.2f} CPU seconds a second, {most:,} MB at most{late}")
    return "Effort: " + "; ".join(found) + "." if found else ""


def _steps(chosen: Sequence[Instance], cells: Table) -> str:
    rows = []
    for instance in chosen:
        mine = {
            budget: cell
            for (group, one, name, budget), cell in cells.items()
            if (group, one, name) == (instance.group, instance.name, OURS)
        }
        budgets = sorted(mine)
        if not budgets:
            continue
        longest = mine[budgets[-1]].value
        first = [r.trace[0][0] for b in budgets for r in mine[b].legal if r.trace]
        for budget in budgets:
            value = mine[budget].value
            text = "none" if value is None else f"{mine[budget].vehicles} / {value:,.2f}"
            gap = "" if not value or not longest else f"{100 * (value / longest - 1):+.2f} %"
            rows.append(f"| {instance.name} | {budget:g} s | {text} | {gap} |")
        if first:
            rows.append(
                f"| {instance.name} | first legal plan | after {statistics.median(first):.2f} s "
                f"(latest {max(first):.2f} s) | |"
            )
    if not rows:
        return ""
    return f"""\
| day | time | trucks / euro | above the longest |
|---|---|---|---|
{chr(10).join(rows)}
"""


def _none(cells: Table) -> str:
    """Return why there is no plan where there is none."""
    reasons = [
        f"| {group} {instance} | {name} | {result.none} |"
        for (group, instance, name, _), cell in cells.items()
        for result in cell.results[:1]
        if result.failed
    ]
    if not reasons:
        return ""
    rows = "\n".join(reasons)
    return f"Runs without a plan:\n\n| instance | solver | why |\n|---|---|---|\n{rows}\n"
