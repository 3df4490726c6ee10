import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api import console

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The build script beside an empty console, so that nothing of ours is touched."""
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    return tmp_path


def test_a_build_that_cannot_run_says_so_in_one_line(copy: Path) -> None:
    """Whoever starts the demo learns what to install; no traceback."""
    environment = {**os.environ, "UV_OFFLINE": "1", "PIP_NO_INDEX": "1", "npm_config_offline": "1"}
    done = subprocess.run(
        [sys.executable, "hatch_build.py"],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "python hatch_build.py" in done.stderr.splitlines()[-1]


def test_without_a_console_the_page_says_how_to_build_it(tmp_path: Path) -> None:
    """The API works without Node; its front page is not an error."""
    app = FastAPI()
    console.install(app, tmp_path / "missing")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert answer.status_code == 200
    assert "python hatch_build.py" in answer.text


@pytest.mark.slow
@pytest.mark.skipif(
    not (WEB / "node_modules").is_dir() or not shutil.which("npm"),
    reason="the console's packages are not installed; run: python hatch_build.py",
)
def test_the_console_speaks_the_apis_types() -> None:
    """Its types are made from docs/openapi.json; a field that changed there is an error here."""
    done = subprocess.run(
        ["npm", "run", "--silent", "check"],
        cwd=WEB,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_names_no_package_index() -> None:
    """The lock works with any mirror, because it says what and not where."""
    text = (WEB / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text
    assert (WEB / ".npmrc").read_text("utf-8").startswith("omit-lockfile-registry-resolved=true")
