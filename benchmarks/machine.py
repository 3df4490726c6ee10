"""What a figure was measured on; without it a figure means nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from config.cores import cores


def processor() -> str:
    """Return the processor's name and how many cores may be used."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {cores()} cores"


def versions(*packages: str) -> str:
    """Return the versions of Python and of installed packages."""
    return ", ".join(
        [
            f"Python {platform.python_version()}",
            *(f"{package} {version(package)}" for package in packages),
        ]
    )


def load_average() -> float:
    """Return how many processes wanted a core in the last minute, ours among them."""
    return os.getloadavg()[0]
