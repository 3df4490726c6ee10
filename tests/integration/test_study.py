"""A small study, from its file to its report, with real roads and several processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psutil
import pytest

from config.settings import load_settings
from jobs.study import Study, run_study

pytestmark = pytest.mark.roads

TINY = """
title = "Two calendars and a price"
question = "Is <this> escaped?"
region = "example"
start = 2026-03-02
weeks = 1
warm_up_weeks = 0
seeds = 2
[[policies]]
kind = "calendar"
[[policies]]
kind = "calendar"
name = "same"
[[policies]]
kind = "risk-priced"
"""


def study(folder: Path, data_dir: Path, name: str = "one", workers: int = 2) -> Study:
    """Return the tiny study, with a folder of its own for the report."""
    file = folder / "tiny.toml"
    file.write_text(TINY)
    settings = load_settings(data_dir=data_dir)
    return Study.of(str(file), settings, folder / name, workers=workers)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, roads_cache: Path) -> Path:
    """The folder of the tiny study's report."""
    return run_study(study(tmp_path_factory.mktemp("study"), roads_cache)).parent


def results(folder: Path) -> dict[str, Any]:
    """Return a study's figures without how long it took."""
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    del found["timings"]
    return found


def test_the_same_seeds_give_the_same_figures(
    done: Path, tmp_path: Path, roads_cache: Path
) -> None:
    """Bit for bit, whatever the number of processes; and the same report."""
    again = run_study(study(tmp_path, roads_cache, workers=1)).parent
    assert results(again) == results(done)
    assert (again / "report.html").read_text() == (done / "report.html").read_text()


def test_policies_that_decide_alike_do_not_differ(done: Path) -> None:
    """Common random numbers: the same policy twice meets the same worlds."""
    found = results(done)
    assert found["differences"]["same"]
    for difference in found["differences"]["same"].values():
        assert (difference["mean"], difference["low"], difference["high"]) == (0, 0, 0)


def test_figures_hang_together(done: Path) -> None:
    """What is driven is paid; what is emptied weighs; policies and worlds are all there."""
    found = results(done)
    played = {(one["policy"], one["seed"]) for one in found["replications"]}
    assert played == {(p, s) for p in ("calendar", "same", "risk-priced") for s in (1, 2)}
    for one in found["replications"]:
        figures = one["figures"]
        assert sum(one["weekly_km"]) == pytest.approx(figures["km"])
        assert sum(one["fill_counts"]) == figures["lifts"]
        assert figures["visits"] <= figures["lifts"]
        assert (figures["km"] > 0) == (figures["collection_eur"] > 0) == (figures["lifts"] > 0)
        both = figures["collection_eur"] + figures["overflow_eur"]
        assert figures["total_eur"] == pytest.approx(both)
    assert found["provider"]["name"] == "osrm"
    assert not found["provider"]["estimate"]


class Links(HTMLParser):
    """Collects everything that a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, and attributes that point somewhere."""
        if tag in ("script", "link", "iframe", "object", "embed"):
            self.loaded.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "href", "xlink:href", "data", "poster", "action"):
                if value and not value.startswith("#"):
                    self.loaded.append(value)
            elif value and re.search(r"url\((?!['\"]?#)", value):
                self.loaded.append(value)


def test_the_report_opens_without_a_network(done: Path) -> None:
    """One file: no script, style sheet, picture or font from elsewhere."""
    page = (done / "report.html").read_text()
    links = Links()
    links.feed(page)
    assert links.loaded == []
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", page)


def test_the_report_says_what_was_played_and_what_came_out(done: Path) -> None:
    """Scenario, seeds, provider and all policies with intervals are in it; text is escaped."""
    page = (done / "report.html").read_text()
    for words in ("Two calendars and a price", "seeds 1, 2", "osrm", "risk-priced", "95&nbsp;%"):
        assert words in page
    assert "Is &lt;this&gt; escaped?" in page
    assert page.count("<svg") == 4


@pytest.mark.slow
def test_ctrl_c_ends_every_process(tmp_path: Path, roads_cache: Path) -> None:
    """Breaking off leaves no process behind, and no half report."""
    (tmp_path / "long.toml").write_text(TINY.replace("weeks = 1", "weeks = 50"))
    command = [sys.executable, "-m", "cli.main", "study", "run", str(tmp_path / "long.toml")]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--workers", "2"],
        env=os.environ | {"BINROUND_DATA_DIR": str(roads_cache)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        workers = _workers(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "broken off" in said
    assert "Traceback" not in said
    psutil.wait_procs(workers, timeout=5)
    assert not [worker for worker in workers if worker.is_running()]
    assert not list((tmp_path / "out").iterdir())


def _workers(pid: int) -> list[psutil.Process]:
    """Wait until a study has processes that compute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children(recursive=True)
        if sum(child.cpu_times().user > 1 for child in children) >= 2:
            return children
        time.sleep(0.1)
    pytest.fail("the study has no busy processes")
