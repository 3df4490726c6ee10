"""Fetching a public extract; the file appears when it is complete."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
import osmium

from config.errors import RoadsError

_TIMEOUT_S = 30.0


def fetch(url: str, path: Path, progress: Callable[[int, int], None] = lambda *_: None) -> None:
    """Download an extract.

    Args:
        url: where it lies, http or https.
        path: ends in `.osm.pbf`; its folder is made.
        progress: told the bytes there are and the bytes there will be (0: unknown).

    Raises:
        RoadsError: no internet, no such file, or what came is no extract; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as folder:
            part = Path(folder) / "part.osm.pbf"
            _download(url, part, progress)
            _check(part, url)
            part.replace(path)
    except httpx.HTTPError as error:
        raise RoadsError(
            f"cannot fetch {url} ({_reason(error)}); fetch it on a machine with internet and put "
            f"it at {path}, or go on without: a generated town is used"
        ) from None
    except OSError as error:
        raise RoadsError(
            f"cannot write {path} ({error.strerror}); set BINROUND_DATA_DIR to a folder with room"
        ) from None


def _download(url: str, part: Path, progress: Callable[[int, int], None]) -> None:
    with (
        part.open("wb") as file,
        httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_S) as reply,
    ):
        reply.raise_for_status()
        total = int(reply.headers.get("content-length", 0))
        for chunk in reply.iter_bytes():
            file.write(chunk)
            progress(file.tell(), total)
        file.flush()
        os.fsync(file.fileno())


def _check(part: Path, url: str) -> None:
    """Refuse what is no extract, such as a login page."""
    try:
        with osmium.io.Reader(str(part)) as reader:
            reader.header()
    except RuntimeError:
        raise RoadsError(
            f"{url} is not an .osm.pbf; correct roads.download in the region's region.toml"
        ) from None


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server says {error.response.status_code}"
    return str(error) or type(error).__name__
