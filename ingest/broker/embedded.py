"""A broker of our own: NATS as a child process, on loopback, everything kept on disk."""

import fcntl
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from config.errors import BrokerError
from config.files import write_private
from config.lifetime import die_with_parent
from ingest.broker.access import Grant
from ingest.broker.nats import find_server, render_config

START_S = 15.0
STOP_S = 10.0


class EmbeddedBroker:
    """Starts the broker at entry and stops it at exit.

    It keeps its port, so that units find it again after a restart. When its parent dies, it
    ends too; what it has acknowledged is on disk and there at the next start.
    """

    def __init__(
        self,
        folder: Path,
        grants: Iterable[Grant],
        port: int = 0,
        program: Path | None = None,
    ) -> None:
        """Prepare a broker.

        Args:
            folder: where it keeps everything.
            grants: its users; our own server among them.
            port: its MQTT port on loopback; 0 takes the one it had, or a free one.
            program: the NATS server; by default the one that is installed.
        """
        self.folder = folder
        self._grants = tuple(grants)
        self._wanted_port = port
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        """Start it and wait until it takes connections.

        Raises:
            BrokerError: it does not start; the message says why and what to do.
        """
        program = self._program or find_server()
        self._prepare_folder()
        with self._owned() as lock:
            self.port = self._wanted_port or self._kept_port()
            _refuse_taken(self.port)
            self._write_config()
            with self._first_words.open("wb") as output:
                self._process = subprocess.Popen(
                    [program, "-c", self._config],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    pass_fds=[lock],
                    start_new_session=True,  # Ctrl-C is for us; we end it when we are done
                    preexec_fn=die_with_parent(),
                )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def reload(self, grants: Iterable[Grant]) -> None:
        """Take over a changed registry; who lost its right is disconnected."""
        self._grants = tuple(grants)
        self._write_config()
        if self._process:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End the process; what it keeps stays on disk."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def _config(self) -> Path:
        return self.folder / "nats.conf"

    @property
    def _log(self) -> Path:
        return self.folder / "nats.log"

    @property
    def _first_words(self) -> Path:
        return self.folder / "nats.out"

    def _prepare_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / "lock").touch(mode=0o600)
        except OSError as error:
            raise BrokerError(
                f"the broker cannot write to {self.folder} ({error.strerror}); "
                "set BINROUND_DATA_DIR to a folder you may write"
            ) from None

    @contextmanager
    def _owned(self) -> Iterator[int]:
        """Hold the folder's lock; the server inherits it, so it lasts as long as the server.

        Two servers on one store would spoil it. One that is about to end is waited for.
        """
        with (self.folder / "lock").open("wb") as lock:
            deadline = time.monotonic() + STOP_S
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise BrokerError(
                            f"another broker is running in {self.folder}; stop it, or set "
                            "BINROUND_DATA_DIR to another folder"
                        ) from None
                    time.sleep(0.05)
            for left in (self._log, *self.folder.glob("*.ports")):
                left.unlink(missing_ok=True)
            yield lock.fileno()

    def _kept_port(self) -> int:
        """Return the port of the last time if it is still free, else a free one."""
        kept = self.folder / "port"
        with suppress(OSError, ValueError):
            port = int(kept.read_text())
            if _is_free(port):
                return port
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        kept.write_text(str(port))
        return port

    def _write_config(self) -> None:
        text = render_config(self.port, self.folder / "store", self._log, self._grants)
        write_private(self._config, text)

    def _wait_until_ready(self) -> None:
        """Wait until the listener answers; it opens only after everything kept is recovered."""
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BrokerError(f"the broker did not start: {self._last_words()}")
            # NATS writes down where it takes orders a moment after it listens.
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5):
                if embedded_address(self.folder):
                    return
            time.sleep(0.02)
        raise BrokerError(f"the broker did not answer within {START_S:.0f} s; see {self._log}")

    def _last_words(self) -> str:
        said = [path for path in (self._first_words, self._log) if path.is_file()]
        text = "\n".join(path.read_text(errors="replace") for path in said)
        lines = [line for line in text.splitlines() if line.strip()]
        fatal = [line for line in lines if "[FTL]" in line] or lines[-1:] or ["no word"]
        return f"{fatal[-1].split('] ')[-1]} (see {self._log})"


def embedded_address(folder: Path) -> str:
    """Return where the embedded broker of a folder takes its keeper's orders; empty if nowhere."""
    for path in folder.glob("*.ports"):
        with suppress(OSError, ValueError):  # gone, or half written
            address: list[str] = json.loads(path.read_text()).get("nats", [])
            if address:
                return address[0]
    return ""


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _refuse_taken(port: int) -> None:
    if not _is_free(port):
        raise BrokerError(
            f"port {port} on 127.0.0.1 is taken; choose another with BINROUND_BROKER_PORT, "
            "or set BINROUND_BROKER_URL to the broker that runs there"
        )
