"""One run in a process of its own: `python -m benchmarks.optimizer.child`, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.optimizer.instances import Instance

MOST_POINTS = 60  # of a trace


def main() -> None:
    """Run what standard input asks for and write what came out to the file it names."""
    job = json.load(sys.stdin)
    os.sched_setaffinity(0, job["cores"])
    from benchmarks.optimizer.instances import instances

    known = instances(Path(job["data"]), Path(job["cache"]))
    instance = next(i for i in known if (i.group, i.name) == (job["group"], job["instance"]))
    found = _run(instance, job["solver"], float(job["budget_s"]), int(job["seed"]))
    Path(job["out"]).write_text(json.dumps(found))


def _run(instance: Instance, name: str, budget_s: float, seed: int) -> dict[str, Any]:
    from benchmarks.optimizer.solvers import CannotExpressError, solver
    from optimizer.check import check
    from optimizer.formats.wcvrptw import MILE_M

    problem = instance.load()
    chosen = solver(name)
    chosen.prepare()
    trace: list[tuple[float, float]] = []
    cpu_before, began = _cpu_s(), monotonic()
    try:
        plan = chosen.solve(problem, budget_s, seed, lambda *told: trace.append(told))
    except CannotExpressError as error:
        return {"none": f"cannot express {error}"}
    used = {"wall_s": round(monotonic() - began, 2), "cpu_s": round(_cpu_s() - cpu_before, 2)}
    if plan is None:
        return {"none": "found no plan", **used}
    report = check(problem, plan)
    if report.violations:
        return {"none": f"illegal: {report.violations[0].message}", **used}
    if report.mandatory_unserved:
        return {"none": f"leaves {len(report.mandatory_unserved)} visits out", **used}
    return {
        "vehicles": len(report.tours),
        "value": report.distance_m / MILE_M if instance.miles else report.score[1],
        "km": round(report.distance_m / 1000.0, 3),
        "trace": _thinned(trace),
        **used,
    }


def _cpu_s() -> float:
    """Return seconds of processor used by this process and by children that ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, who))


def _thinned(trace: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the better and better plans of a trace, not too many."""
    best: list[tuple[float, float]] = []
    for seconds, cost in trace:
        if not best or cost < best[-1][1]:
            best.append((round(seconds, 3), cost))
    step = max(1, len(best) // MOST_POINTS)
    return best if step == 1 else [*best[:-1:step], best[-1]]


if __name__ == "__main__":
    main()
