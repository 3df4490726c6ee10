"""The child processes of one process tree: started with a log each, revived, ended together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from config.errors import BinroundError
from config.lifetime import die_with_parent

GRACE_S = 15.0
REVIVALS = 5  # of one service, each soon after the last; more than that is no accident
STEADY_S = 60.0  # a service that ran for longer had recovered


class Child:
    """One `binround` command as a process of its own.

    Args:
        name: the command.
        arguments: its arguments.
        environment: settings on top of our own environment.
        log: takes what it says; with `talks`, only what it says on stderr. None: it says so
            where we do.
        talks: whether its stdout is for us to read.
        lasting: whether it has failed when it ends, even without an error.
        pause_s: how long it stays away before it is started again.
    """

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        log: Path | None,
        *,
        talks: bool = False,
        lasting: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        self.name, self.log, self.revivals = name, log, 0
        self._arguments, self._environment, self._lasting = arguments, environment, lasting
        self._pause_s = pause_s
        self._begin = log.stat().st_size if log and log.exists() else 0
        # One pipe for all its lives: who listens hears the process that was started again, too.
        self._pipe = os.pipe() if talks else None
        self._stdout = os.fdopen(self._pipe[0], "rb") if self._pipe else None
        self.process = self._start()

    @property
    def stdout(self) -> IO[bytes]:
        """What the process says, line by line, until it is stopped."""
        if self._stdout is None:
            raise BinroundError(f"{self.name} writes to {self.log}")
        return self._stdout

    @property
    def failed(self) -> bool:
        """Whether the process has ended although nobody asked it to."""
        code = self.process.poll()
        return code is not None and (self._lasting or code != 0)

    @property
    def ready(self) -> bool:
        """Whether the service has said READY since it was first started."""
        if self.log is None:
            raise BinroundError(f"{self.name} has no log of its own")
        with self.log.open("rb") as log:
            log.seek(self._begin)
            return any(line.startswith(b"READY") for line in log)

    def revive(self) -> None:
        """Start the process again.

        Raises:
            BinroundError: it has died too often; with the last line of its log.
        """
        if time.monotonic() - self._started_at > STEADY_S:
            self.revivals = 0
        if self.revivals >= REVIVALS:
            raise BinroundError(f"{self.name} does not stay up: {self._last_words()}")
        self.revivals += 1
        time.sleep(self._pause_s + 0.2 * self.revivals)
        self.process = self._start()

    def stop(self) -> None:
        """Ask the process to end, and end it if it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._pipe and self._stdout and not self._stdout.closed:
            os.close(self._pipe[1])
            self._stdout.close()

    def _last_words(self) -> str:
        if self.log is None:
            return "see what it said above"
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (log: {self.log})"

    def _start(self) -> subprocess.Popen[bytes]:
        self._started_at = time.monotonic()
        with self.log.open("ab") if self.log else nullcontext() as output:
            return subprocess.Popen(
                [sys.executable, "-m", "cli.main", self.name, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=self._pipe[1] if self._pipe else output,
                stderr=output,
                env={**os.environ, **self._environment},
                start_new_session=True,  # Ctrl-C reaches us alone; we end the others in order
                preexec_fn=die_with_parent(),
            )


class Children:
    """A family of processes, ended in the opposite order of their start.

    Args:
        logs: folder of their logs; None: they say what they say where we do.
        environment: settings they all get.
        say: is told when one had to be started again.
    """

    def __init__(
        self, logs: Path | None, environment: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._logs, self._environment, self._say = logs, environment, say
        self._children: list[Child] = []
        if logs:
            logs.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        name: str,
        *arguments: str,
        talks: bool = False,
        lasting: bool = False,
        pause_s: float = 0.0,
    ) -> Child:
        """Start a `binround` command."""
        log = self._logs / f"{name}.log" if self._logs else None
        child = Child(
            name,
            list(arguments),
            self._environment,
            log,
            talks=talks,
            lasting=lasting,
            pause_s=pause_s,
        )
        self._children.append(child)
        return child

    def tend(self) -> None:
        """Start again what has died.

        Raises:
            BinroundError: a service does not stay up.
        """
        for child in self._children:
            if child.failed:
                child.revive()
                self._say(f"{child.name} had died and was started again")

    def __enter__(self) -> Self:
        """Return the family, still without members."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every process."""
        for child in reversed(self._children):
            child.stop()
