"""Who solves parts: processes beside this one, or this one where there is little time.

OR-Tools keeps Python's lock while it searches, so threads would wait for each other. Each process
reads the problem and then tasks from its standard input and writes what it found to its standard
output; it ends where its input ends, so it outlives nobody.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, cast

from optimizer.solve.popmusic.part import PartTask, solve_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from optimizer.model import Problem
    from optimizer.solve.popmusic.part import Orders

    type Solve = Callable[[PartTask], Future[Orders | None]]

# OR-Tools makes and drops many small objects: 5 % more attempts where each size has a long list of
# free ones. The arrays are far too small to be shared out among threads.
QUICK = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=127", "OPENBLAS_NUM_THREADS": "1"}
WORTH_S = 5.0  # from which on starting processes pays


@contextmanager
def crew(problem: Problem, workers: int, seconds: float) -> Iterator[Solve]:
    """Give what solves parts of a problem side by side, for a search of so many seconds."""
    if workers < 2 or seconds < WORTH_S:
        yield partial(_here, problem)
        return
    known = pickle.dumps(problem)
    processes: list[subprocess.Popen[bytes]] = []
    unbriefed: set[subprocess.Popen[bytes]] = set()
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    def hire() -> None:
        process = _started()
        processes.append(process)
        unbriefed.add(process)
        idle.put(process)

    def asked(task: PartTask) -> Orders | None:
        process = idle.get()
        try:
            if process in unbriefed:
                _send(process, known)
                unbriefed.remove(process)
            found = _answer(process, task)
        except (OSError, EOFError, pickle.UnpicklingError):
            hire()  # in place of the one that is gone; its part stays as it is
            return None
        idle.put(process)
        return found

    try:
        for _ in range(workers):
            hire()
        with ThreadPoolExecutor(workers) as threads:
            yield lambda task: threads.submit(asked, task)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _here(problem: Problem, task: PartTask) -> Future[Orders | None]:
    """Solve a part at once and in this process."""
    done: Future[Orders | None] = Future()
    done.set_result(solve_part(problem, task))
    return done


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from optimizer.solve.popmusic.crew import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **QUICK,
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        start_new_session=True,  # Ctrl-C is for this one, which ends the others
    )


def _answer(process: subprocess.Popen[bytes], task: PartTask) -> Orders | None:
    """Have a process solve a part."""
    _send(process, pickle.dumps(task))
    found: Orders | None = pickle.load(cast("IO[bytes]", process.stdout))  # noqa: S301 - ours
    return found


def _send(process: subprocess.Popen[bytes], what: bytes) -> None:
    stream = cast("IO[bytes]", process.stdin)
    stream.write(what)
    stream.flush()


def serve() -> None:
    """Read a problem, then solve the parts of it that come in until no more can."""
    with suppress(BrokenPipeError, EOFError), os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever else is printed is no answer
        problem: Problem = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
        while True:
            task: PartTask = pickle.load(sys.stdin.buffer)  # noqa: S301
            pickle.dump(solve_part(problem, task), answers)
            answers.flush()
