"""Solving in a child process, so that a solver that dies or runs wild takes nothing with it.

OR-Tools ends its process on some bad inputs, and no limit of its own holds for certain. A child is
given the problem, a wall time and an amount of memory. It is asked to stop by SIGTERM, then made
to by SIGKILL, and it dies with its parent. What it returns is judged again on this side.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from config.errors import BinroundError, SolverError
from config.lifetime import die_with_pipe
from optimizer.check import check
from optimizer.model import Solution
from optimizer.solve import solve
from optimizer.solve.decomposition.engine import division_for
from optimizer.solve.engines import engines_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.process import BaseProcess
    from types import TracebackType

    from optimizer.model import Problem

MEMORY_MB = 2048
GRACE_S = 15.0  # beyond the budget: start-up on a busy machine, the last step, the way back
TERM_S = 1.0  # from SIGTERM to SIGKILL
_POLL_S = 0.1

_context = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Task:
    """One solve: the arguments of `optimizer.solve.solve`."""

    problem: Problem
    budget_s: float
    seed: int = 0
    warm_start: Solution | None = None
    effort: float = 1.0
    engines: tuple[str, ...] = ()


def solve_isolated(
    problem: Problem,
    budget_s: float,
    seed: int = 0,
    warm_start: Solution | None = None,
    effort: float = 1.0,
    memory_mb: int = MEMORY_MB,
    engines: tuple[str, ...] = (),
    cancelled: Callable[[], bool] = lambda: False,
) -> Solution:
    """Solve in a child process of its own.

    Args:
        problem: the day to plan.
        budget_s: wall time for the search; the child is ended some seconds after it.
        seed: of the random numbers.
        warm_start: a plan to start from.
        effort: as in `solve`.
        memory_mb: memory the child may hold at most.
        engines: names of `optimizer.solve.engines`; without any the usual ones.
        cancelled: asked ten times a second; when it says yes the child is ended.

    Raises:
        SolverError: the child died, ran out of time or memory, was cancelled, or returned a
            plan that the judge refuses.
    """
    with Worker(memory_mb) as worker:
        task = Task(problem, budget_s, seed, warm_start, effort, engines)
        return worker.solve(task, cancelled)


class Worker:
    """A child process that solves one task after the other."""

    def __init__(self, memory_mb: int = MEMORY_MB, target: Callable[..., None] | None = None):
        """Prepare; the child starts with the first task.

        Args:
            memory_mb: memory the child may hold at most.
            target: what runs in the child; tests put something wild here.
        """
        self._memory_mb = memory_mb
        self._target = target or _serve
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int | None:
        """The child's process id; None while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def pipe(self) -> Connection:
        """The way to the child, which is started if there is none."""
        if self._pipe is None:
            ours, theirs = _context.Pipe()
            process = _context.Process(
                target=self._target, args=(theirs, self._memory_mb), daemon=True
            )
            process.start()
            theirs.close()
            self._process, self._pipe = process, ours
        return self._pipe

    def solve(self, task: Task, cancelled: Callable[[], bool] = lambda: False) -> Solution:
        """Have the child solve a task.

        Raises:
            SolverError: see `solve_isolated`; the next task gets a new child.
        """
        deadline = self.give(task)
        while not self.pipe.poll(_POLL_S):
            if cancelled():
                self.stop()
                raise SolverError("the solver was cancelled; its problem was not changed")
            self.watch(deadline)
        return self.take(task)

    def give(self, task: Task) -> float:
        """Send a task; return the instant by which its answer has to be here."""
        try:
            self.pipe.send(task)
        except OSError as error:
            raise self._died() from error
        return monotonic() + task.budget_s + GRACE_S + len(task.problem.visits) / 100.0

    def watch(self, deadline: float) -> None:
        """End the child, and say so, if it is late or holds too much memory."""
        if monotonic() > deadline:
            self.stop()
            raise SolverError(
                "the solver did not stop in time and was ended; give it a smaller problem or a "
                "larger budget"
            )
        if self._process is not None and _memory_mb(self._process.pid) > self._memory_mb:
            self.stop()
            raise SolverError(
                f"the solver held more than {self._memory_mb} MB and was ended; "
                "give it more memory or a smaller problem"
            )

    def take(self, task: Task) -> Solution:
        """Receive the answer to a task and judge it."""
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Solution):
            raise self._died()
        report = check(task.problem, answer)
        if not report.legal:
            raise SolverError(
                f"the solver returned an illegal plan ({report.violations[0].message}); "
                "it was refused, please report this problem"
            )
        return answer

    def stop(self) -> None:
        """End the child: SIGTERM, and SIGKILL if it does not listen."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.join(TERM_S)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()

    def _died(self) -> SolverError:
        code = None
        if self._process is not None:
            self._process.join(TERM_S)
            code = self._process.exitcode
        self.stop()
        how = f"by {signal.Signals(-code).name}" if code and code < 0 else f"with code {code}"
        return SolverError(
            f"the solver's process ended {how} before it answered; the problem may be too large "
            "for its memory, otherwise please report it"
        )


class Pool:
    """Children that stay, for many small solves without the cost of starting up.

    Results come in the order of the tasks, so that nothing depends on which child was quicker.
    """

    def __init__(self, workers: int, memory_mb: int = MEMORY_MB) -> None:
        self._workers = [Worker(memory_mb) for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.stop()

    def solve(self, task: Task) -> Solution:
        """Solve one task in the first child; raises `SolverError` like `solve_isolated`."""
        return self._workers[0].solve(task)

    def map(self, tasks: Iterable[Task]) -> list[Solution]:
        """Solve tasks side by side; the first `SolverError` ends them all."""
        waiting: Iterator[tuple[int, Task]] = iter(enumerate(tasks))
        solved: dict[int, Solution] = {}
        busy: dict[Connection, tuple[Worker, int, Task, float]] = {}
        free = list(self._workers)
        try:
            while True:
                while free and (item := next(waiting, None)) is not None:
                    worker = free.pop()
                    busy[worker.pipe] = (worker, *item, worker.give(item[1]))
                if not busy:
                    return [solved[index] for index in sorted(solved)]
                for pipe in wait(list(busy), _POLL_S):
                    worker, index, task, _ = busy.pop(pipe)  # type: ignore[call-overload]
                    solved[index] = worker.take(task)
                    free.append(worker)
                for worker, _, _, deadline in busy.values():
                    worker.watch(deadline)
        except BaseException:
            for worker, *_ in busy.values():
                worker.stop()
            raise


def _serve(pipe: Connection, memory_mb: int) -> None:
    """Solve tasks until the other side closes; runs in the child."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        die_with_pipe(parent.sentinel)
        if not parent.is_alive():
            return  # it died before we were tied to it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Address space is counted generously, for threads reserve more than they use; what is really
    # held is watched by the parent.
    room = (memory_mb + 4096) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        with suppress(OSError):
            pipe.send(_answer(task))


def _answer(task: Task) -> Solution | Exception:
    try:
        engines = engines_named(task.engines)
        return solve(
            task.problem, task.budget_s, task.seed, task.warm_start, task.effort, engines,
            division_for(task.engines),
        )  # fmt: skip
    except BinroundError as error:
        return SolverError(str(error))
    except MemoryError:
        return SolverError("the solver ran out of memory; give it more or a smaller problem")
    except Exception as error:
        return SolverError(f"the solver failed: {type(error).__name__}: {error}; please report it")


def _memory_mb(pid: int | None) -> float:
    """Return what a process holds in memory (Linux; elsewhere 0, and the other limit holds)."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    return 0.0
