"""What turns the inner loops into machine code, and where that is kept.

Compiling takes some twenty seconds, so it happens once and never while somebody waits for a
plan: `optimizer.solve.sisr.warm` does it ahead. The folder of compiled code carries a
fingerprint of our sources, of numba, of Python and of the processor, so that a change of any
of them is never answered with code from before.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

available = find_spec("numba") is not None  # else the slower search takes over
if available:
    import numba

# No array is made in compiled code, so none has to be counted: an eighth of the time.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


@cache
def code_folder() -> Path:
    """Return where compiled code is kept.

    Below NUMBA_CACHE_DIR where that is set, else in the data folder.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    data = os.environ.get("BINROUND_DATA_DIR")
    home = Path(data) if data else Path.home() / ".local" / "share" / "binround"
    base = Path(chosen) if chosen else home / "compiled"
    return base / f"sisr-{_fingerprint()}"


def _fingerprint() -> str:
    digest = hashlib.sha256(__file__.encode())  # numba looks for code by the path of its source
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(metadata.version(package).encode())
    digest.update(f"{sys.version_info[:3]} {platform.machine()} {_processor()}".encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith("model name")), "")


if available:
    numba.config.CACHE_DIR = str(code_folder())  # type: ignore[attr-defined]


def compiled[F: Callable[..., object]](function: F) -> F:
    """Compile a function when it is first called; without numba it stays as it is."""
    if not available:
        return function
    return cast("F", numba.njit(cache=True, **_OPTIONS)(function))


def called[F: Callable[..., object]](function: F) -> F:
    """Compile a function that only compiled code calls; quicker to compile."""
    if not available:
        return function
    only: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", numba.njit(**only, **_OPTIONS)(function))


def inlined[F: Callable[..., object]](function: F) -> F:
    """Compile a small function as a part of the compiled code that calls it."""
    if not available:
        return function
    only: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", numba.njit(forceinline=True, **only, **_OPTIONS)(function))
