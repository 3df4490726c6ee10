"""Runs, one after the other: started, pinned, watched, and remembered in a file of lines.

A run that is remembered is not made again: a benchmark that was interrupted goes on, and a new
version of one solver asks for its runs only. A solver that dies is a result, too: none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.optimizer.instances import OURS, OURS_ORTOOLS
from benchmarks.optimizer.solvers import solver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.optimizer.instances import Instance

CORES = 2
GRACE_S = 90.0  # beyond the budget: reading, importing, compiling, judging
LOOK_S = 0.5
MEMORY_MB = 12_000


@dataclass(frozen=True)
class Run:
    """What to run; together with the solver's version this is what a result belongs to."""

    group: str
    instance: str
    solver: str
    seed: int
    budget_s: float
    version: str


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        none: why there is no legal plan; empty when there is one.
        value: miles for the sets of miles, else cost with the prizes left out.
        wall_s: that the solver took; `cpu_s` processor time, all threads and processes.
        peak_mb: memory of the run's processes, shared pages counted once.
        load: average before the run; `day` on which it was made.
        trace: seconds and cost of better and better plans.
    """

    run: Run
    none: str = ""
    vehicles: int = 0
    value: float = 0.0
    km: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: int = 0
    load: float = 0.0
    day: str = ""
    trace: list[list[float]] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether there is no plan, though the solver knows such problems."""
        return bool(self.none) and not self.none.startswith("cannot express")


class Book:
    """The results so far, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results: dict[Run, Result] = {}
        if path.is_file():
            for line in path.read_text().splitlines():
                with suppress(ValueError, TypeError, KeyError):  # the last line of a killed run
                    entry = json.loads(line)
                    result = Result(**{**entry, "run": Run(**entry["run"])})
                    self._results[result.run] = result

    def __contains__(self, run: Run) -> bool:
        return run in self._results

    def __getitem__(self, run: Run) -> Result:
        return self._results[run]

    def add(self, result: Result) -> None:
        """Remember a result, whatever happens next."""
        self._results[result.run] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def wanted(
    chosen: Iterable[Instance],
    seeds: int,
    budget_s: float | None,
    solvers: Iterable[str],
    steps: bool = True,
) -> Iterator[Run]:
    """Yield the runs to make: ours with several seeds, peers with one.

    Args:
        chosen: what to solve.
        seeds: of ours.
        budget_s: to cut all budgets to; None leaves them.
        solvers: who takes part.
        steps: whether ours is measured at shorter budgets, too.
    """
    for instance in chosen:
        for name in solvers:
            if name not in instance.solvers:
                continue
            ours = name in (OURS, OURS_ORTOOLS)
            stepwise = name == OURS and (steps or instance.group == "street-day")
            budgets = [instance.budget_s, *(instance.more_budgets_s if stepwise else ())]
            cut = [min(planned_s, budget_s or planned_s) for planned_s in budgets]
            for number, budget in enumerate(dict.fromkeys(cut)):
                several = ours and (number == 0 or instance.group == "street-day")
                for seed in range(1, (seeds if several else 1) + 1):
                    yield Run(instance.group, instance.name, name, seed, budget, version_of(name))


def version_of(name: str) -> str:
    """Return a solver's version; empty when it is not installed."""
    try:
        return solver(name).version()
    except Exception:  # whatever a missing peer raises: its runs say so
        return ""


def prepare(name: str) -> None:
    """Let a solver compile what it compiles once, without a clock; a failure shows in its runs."""
    code = f"from benchmarks.optimizer.solvers import solver; solver({name!r}).prepare()"
    subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.DEVNULL)


def make(run: Run, data: Path, cache: Path, cores: list[int]) -> Result:
    """Make a run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        job = {
            "group": run.group, "instance": run.instance, "solver": run.solver,
            "seed": run.seed, "budget_s": run.budget_s, "cores": cores,
            "data": str(data), "cache": str(cache), "out": str(out),
        }  # fmt: skip
        log = Path(folder) / "stderr"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.optimizer.child"],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
            assert process.stdin is not None
            process.stdin.write(json.dumps(job).encode())
            process.stdin.close()
            load = os.getloadavg()[0]
            ended, peak_mb = _watched(process, 2 * run.budget_s + GRACE_S)
        if out.is_file():
            found: dict[str, Any] = json.loads(out.read_text())
        else:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            found = {"none": ended or f"died with {process.returncode}: {' '.join(last)[:120]}"}
    return Result(
        run, peak_mb=peak_mb, load=round(load, 1), day=f"{datetime.now(UTC):%Y-%m-%d}", **found
    )


def _watched(process: subprocess.Popen[bytes], limit_s: float) -> tuple[str, int]:
    """Wait for a process; return why it was ended, if it was, and the memory it held at most."""
    until, peak_mb = monotonic() + limit_s, 0
    while process.poll() is None:
        peak_mb = max(peak_mb, _memory_mb(process.pid))
        why = "took too long" if monotonic() > until else ""
        why = why or ("took too much memory" if peak_mb > MEMORY_MB else "")
        if why:
            _end(process)
            return why, peak_mb
        sleep(LOOK_S)
    return "", peak_mb


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    process.kill()
    process.wait()


def _memory_mb(pid: int) -> int:
    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += int(process.memory_full_info().pss)
    return total // 2**20
