"""Where outside data lies, hypothesis profiles, and the shared fixtures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.timescale",
    "tests.fixtures.own_server",
    "tests.fixtures.broker",
    "tests.fixtures.roads",
    "tests.fixtures.served",
    "tests.fixtures.makers",
    "tests.fixtures.mosquitto",
    "tests.fixtures.api",
]

ROOT = Path(__file__).resolve().parent.parent
# One folder for compiled code, kept between sessions; children inherit it.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".compiled"))

settings.register_profile("dev", max_examples=25, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def outside_data() -> Path:
    """The folder of third-party data; tests that need it skip where it is missing."""
    folder = Path(os.environ.get("BINROUND_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"third-party data is not at {folder}; set BINROUND_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def compiled_search() -> None:
    """Have the search compiled; a lock lets one of several test processes do it for all."""
    pytest.importorskip("numba", reason="numba is missing; the slower search is used")
    subprocess.run([sys.executable, "-m", "optimizer.solve.sisr.warm"], check=True, cwd=ROOT)
