"""Prepared road graphs: a cache in the data folder, keyed by all that they are made from.

A graph is built in a folder beside its place and renamed when it is complete, so that a kill
leaves nothing half-written; processes that want the same graph wait for the one that builds it.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.errors import RoadsError
from config.lifetime import die_with_parent

TRUCK_PROFILE = Path(__file__).parent / "profiles" / "truck.lua"
NAME = "roads.osrm"
_CELLS = "64,512,4096,32768"  # matrices of a city are half again as fast as with the defaults
_BAD_EXTRACT = "is it a complete .osm.pbf with roads?"


def engine_version() -> str:
    """Return the road engine's version.

    Raises:
        RoadsError: the engine is not installed.
    """
    try:
        return importlib.metadata.version("osrm-bindings")
    except importlib.metadata.PackageNotFoundError:
        raise RoadsError("no road engine; install osrm-bindings") from None


def engine_folder() -> Path:
    """Return where the engine keeps its programs and profiles.

    Raises:
        RoadsError: the engine is not installed.
    """
    try:
        import osrm
    except ImportError as error:
        raise RoadsError(f"no road engine ({error}); install osrm-bindings") from None
    return Path(osrm.__file__).parent


def graph_hash(extract: Path, profile: Path = TRUCK_PROFILE) -> str:
    """Identify the graph that an extract, a profile and this engine make together.

    Raises:
        RoadsError: the extract cannot be read.
    """
    digest = hashlib.sha256(f"{engine_version()} {_CELLS}".encode())
    digest.update(profile.read_bytes())
    try:
        with extract.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise RoadsError(f"extract {extract}: {error.strerror}") from None
    return digest.hexdigest()[:16]


def prepared(extract: Path, cache: Path, profile: Path = TRUCK_PROFILE) -> Path | None:
    """Return the prepared graph of an extract, or None where it is not in the cache."""
    graph = cache / graph_hash(extract, profile) / NAME
    return graph if graph.parent.is_dir() else None


def prepare(extract: Path, cache: Path, profile: Path = TRUCK_PROFILE) -> Path:
    """Return the prepared graph of an extract, building it where it is not in the cache.

    Args:
        extract: an .osm.pbf.
        cache: folder of prepared graphs.
        profile: Lua profile of the vehicle.

    Raises:
        RoadsError: no engine, no extract, nowhere to write, or the engine cannot use the extract.
    """
    key = graph_hash(extract, profile)
    folder = cache / key
    if folder.is_dir():
        return folder / NAME
    with _locked(cache, key):
        if not folder.is_dir():
            for left in cache.glob(f".{key}-*"):  # of a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=cache))
            try:
                _build(extract, work / NAME, profile)
                work.rename(folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return folder / NAME


@contextmanager
def _locked(cache: Path, key: str) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / f".{key}.lock").open("w")
    except OSError as error:
        raise RoadsError(
            f"cannot write to {cache} ({error.strerror}); set BINROUND_DATA_DIR to a folder "
            "that can be written"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes, also by a kill
        yield


def _build(extract: Path, graph: Path, profile: Path) -> None:
    engine = engine_folder()
    _run(
        engine,
        ["osrm-extract", "-p", str(profile), "-o", str(graph), str(extract.absolute())],
        f"extract {extract} cannot be used",
    )
    what = f"extract {extract} cannot be prepared"
    _run(engine, ["osrm-partition", "--max-cell-sizes", _CELLS, str(graph)], what)
    _run(engine, ["osrm-customize", str(graph)], what)


def _run(engine: Path, command: list[str], what: str) -> None:
    program = engine / "bin" / command[0]
    done = subprocess.run(
        [program, "--verbosity", "WARNING", *command[1:]],
        env={**os.environ, "OSRM_PROFILES": str(engine / "share" / "profiles")},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else f"exit code {done.returncode}"
        raise RoadsError(f"{what}: {command[0]}: {reason}; {_BAD_EXTRACT}")
