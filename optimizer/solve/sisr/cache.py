"""Where compiled code is kept, and whether it is there.

The folder carries a fingerprint of our sources, of numba, of Python and of the processor, so that
a change of any of them is never answered with code from before.
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

available = find_spec("numba") is not None  # else the slower search takes over
COMPLETE = "complete"  # a file that says that nothing is missing


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
        digest.update(str(source.stat().st_mtime_ns).encode())  # numba's own stamp
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


def is_warm() -> bool:
    """Whether all code is compiled already; loading it then takes a fraction of a second."""
    return available and (code_folder() / COMPLETE).exists()
