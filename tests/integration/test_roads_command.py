"""`binround roads`: fetched from a real server on this machine."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import build
from config.errors import RoadsError
from config.region import Region
from config.region_folder import load_region
from optimizer.roads.fetch import fetch
from tests.fixtures.roads import RoadNetwork

pytestmark = pytest.mark.roads


class _Server(BaseHTTPRequestHandler):
    def __init__(self, extract: bytes, *arguments: Any) -> None:
        self.extract = extract
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Serve the extract whole, cut off, as a login page, or not at all."""
        body = b"<html>please log in</html>" if "login" in self.path else self.extract
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if "broken" in self.path else body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(road_town: RoadNetwork) -> Iterator[str]:
    """The address of a server that has the town's extract."""
    handler = partial(_Server, road_town.source.extract.read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command with an empty data folder."""
    monkeypatch.setenv("BINROUND_DATA_DIR", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(build(), ["roads", *arguments])


def _region_with(url: str | None) -> Region:
    region = load_region("bielefeld")
    roads = region.roads.model_copy(update={"download": url})
    return region.model_copy(update={"roads": roads})


def test_fetched_streets_are_used_from_then_on(
    run: Any, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fetch, prepare, status: from a generated town to the real streets, with thanks."""
    monkeypatch.setattr("cli.roads.load_region", lambda _: _region_with(f"{server}/x.osm.pbf"))
    assert "a generated town" in run("status").output
    assert run("fetch", "bielefeld").exit_code == 0
    assert "not prepared yet" in run("status").output
    assert run("prepare").exit_code == 0
    after = run("status").output
    assert "OpenStreetMap, x.osm.pbf" in after
    assert "© OpenStreetMap contributors" in after
    assert "prepared in" in after


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("broken", "cannot fetch"),
        ("missing", "the server says 404"),
        ("login", "is not an .osm.pbf"),
    ],
)
def test_a_failed_fetch_leaves_nothing(server: str, tmp_path: Path, page: str, reason: str) -> None:
    """Cut off, not found, something else: one line, and no file."""
    with pytest.raises(RoadsError, match=reason) as caught:
        fetch(f"{server}/{page}", tmp_path / "extracts" / "x.osm.pbf")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "extracts").iterdir()) == []


def test_without_internet_it_says_what_to_do(tmp_path: Path) -> None:
    """Where to put the file instead, and that a generated town does."""
    path = tmp_path / "x.osm.pbf"
    with pytest.raises(RoadsError, match=f"put it at {path}.* generated town") as caught:
        fetch("http://127.0.0.1:1/x.osm.pbf", path)
    assert caught.value.exit_code != 0


def test_a_region_without_a_public_extract_says_so(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The field to set is named."""
    monkeypatch.setattr("cli.roads.load_region", lambda _: _region_with(None))
    result: Result = run("fetch", "bielefeld")
    assert isinstance(result.exception, RoadsError)
    assert "roads.download" in str(result.exception)


def test_bielefeld_knows_its_public_extract() -> None:
    """The address is a fact of the region, not of the program."""
    download = load_region("bielefeld").roads.download
    assert download is not None
    assert download.startswith("https://download.geofabrik.de/")
