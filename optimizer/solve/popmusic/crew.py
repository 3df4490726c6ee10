"""Who solves parts: processes beside this one, or this one where there is little time.

OR-Tools keeps Python's lock while it searches, so threads would wait for each other. Each process
reads tasks from its standard input and writes what it found to its standard output; it ends where
its input ends, so it outlives nobody.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, cast

from optimizer.solve.popmusic.part import PartTask, solve_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from optimizer.solve.popmusic.part import Orders

    type Solve = Callable[[PartTask], Future[Orders | None]]

WORTH_S = 5.0  # from which on starting processes pays


@contextmanager
def crew(workers: int, seconds: float) -> Iterator[Solve]:
    """Give what solves parts side by side, for a search of so many seconds."""
    if workers < 2 or seconds < WORTH_S:
        yield _here
        return
    processes: list[subprocess.Popen[bytes]] = []
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    def hire() -> None:
        processes.append(_started())
        idle.put(processes[-1])

    def asked(task: PartTask) -> Orders | None:
        process = idle.get()
        try:
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


def _here(task: PartTask) -> Future[Orders | None]:
    """Solve a part at once and in this process."""
    done: Future[Orders | None] = Future()
    done.set_result(solve_part(task))
    return done


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from optimizer.solve.popmusic.crew import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        start_new_session=True,  # Ctrl-C is for this one, which ends the others
    )


def _answer(process: subprocess.Popen[bytes], task: PartTask) -> Orders | None:
    """Have a process solve a part."""
    _write(cast("IO[bytes]", process.stdin), task)
    found: Orders | None = pickle.load(cast("IO[bytes]", process.stdout))  # noqa: S301 - ours
    return found


def _write(stream: IO[bytes], what: object) -> None:
    pickle.dump(what, stream)
    stream.flush()


def serve() -> None:
    """Solve the parts that come in until no more can."""
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as answers:  # nobody asks any more
        os.dup2(2, 1)  # whatever else is printed is no answer
        while True:
            try:
                task: PartTask = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
            except EOFError:
                return
            _write(answers, solve_part(task))
