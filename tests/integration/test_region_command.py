"""`binround region` on the command line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.region_folder import find_folder
from optimizer.roads.town import write_town


def binround(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "region", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "BINROUND_DATA_DIR": str(cwd / "data")},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the example region."""
    return Path(shutil.copytree(find_folder("example"), tmp_path / "mine"))


def test_validate_tells_what_is_there(folder: Path) -> None:
    """A good folder is summed up in a few lines, and the exit code is 0."""
    done = binround("validate", "mine", cwd=folder.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Example is fine.",
        "Glass: 30 containers (17 glass-white, 13 glass-mixed) at 12 sites, 2 vehicles",
        "In all 12 sites and 30 containers (30 synthetic), 1 depot, 1 facility, 44 holidays",
    ]


def test_validate_prints_every_mistake(folder: Path) -> None:
    """Each mistake is a line of its own, the exit code is 2."""
    (folder / "depots.toml").write_text('[[depots]]\nid = "Depot"\nlon = 8.52\nlat = 95\n')
    done = binround("validate", "mine", cwd=folder.parent)
    assert done.returncode == 2
    assert done.stderr == "binround: 3 mistakes in mine\n"
    assert done.stdout.splitlines() == [
        "depots.toml:1: name: is missing",
        "depots.toml:2: id: 'Depot': use a-z, 0-9 and -, at most 32 characters",
        "depots.toml:4: lat: 95: input should be less than or equal to 90",
    ]


def test_build_from_the_command_line(tmp_path: Path) -> None:
    """A region is built, credited and ready for the demo; a wrong option is one line."""
    write_town(tmp_path / "town.osm.pbf", 3, 1000.0, 8.53, 52.02, blocks=100)
    start = ("build", "--osm", "town.osm.pbf", "--name", "Town", "--out", "out")
    wrong = binround(*start, "--containers", "20", "--depot", "8.53;52.02", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr == (
        "binround: region --depot: '8.53;52.02' is no LON,LAT such as 8.53,52.02\n"
    )
    assert not (tmp_path / "out").exists()
    done = binround(*start, "--containers", "20", "--depot", "8.53,52.02", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "20 containers" in done.stdout
    assert "© OpenStreetMap contributors" in done.stdout
    assert (tmp_path / "out" / "town.osm.pbf").is_file()
