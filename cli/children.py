"""The child processes of one process tree: started with a log each, ended together."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from config.errors import BinroundError
from config.lifetime import die_with_parent

GRACE_S = 15.0


class Child:
    """One `binround` command as a process of its own."""

    def __init__(
        self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", name, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if name == "simulate" else output,
                stderr=output,
                env={**os.environ, **environment},
                start_new_session=True,  # Ctrl-C reaches us alone; we end the others in order
                preexec_fn=die_with_parent(),
            )

    @property
    def stdout(self) -> IO[bytes]:
        """What the process says, line by line."""
        if self.process.stdout is None:
            raise BinroundError(f"{self.name} writes to {self.log}")
        return self.process.stdout

    def check(self) -> None:
        """Raise if the process has ended although nobody asked it to.

        Raises:
            BinroundError: with the last line of its log.
        """
        code = self.process.poll()
        if code not in (None, 0):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            last = lines[-1] if lines else "it said nothing"
            raise BinroundError(f"{self.name} stopped (exit {code}): {last} (log: {self.log})")

    def stop(self) -> None:
        """Ask the process to end, and end it if it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Children:
    """A family of processes, ended in the opposite order of their start."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = environment
        self._children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *arguments: str) -> Child:
        """Start a `binround` command."""
        child = Child(name, list(arguments), self._environment, self._logs / f"{name}.log")
        self._children.append(child)
        return child

    def check(self) -> None:
        """Raise if any of them has died."""
        for child in self._children:
            child.check()

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
