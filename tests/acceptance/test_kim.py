"""The instances of Kim, Kim and Sahoo, solved and judged by the commands a user types."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.main import main

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; return its exit code and what it printed."""

    def command(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["binround", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        streams = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), streams.out + streams.err

    return command


@pytest.fixture(scope="module")
def instances(outside_data: Path) -> Path:
    """Return the folder of instances."""
    folder = outside_data / "benchmarks" / "wcvrptw_kim"
    if not folder.is_dir():
        pytest.skip(f"the instances of Kim et al. are not at {folder}")
    return folder


@pytest.fixture(scope="module")
def plans(instances: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Plans for 102 and 277, each solved once by the command line."""
    import cli.solve as command

    folder = tmp_path_factory.mktemp("kim")
    made = {}
    for name, budget in (("102", 6.0), ("277", 15.0)):
        made[name] = folder / f"{name}.json"
        command.command(
            instances / f"{name}_stop.txt",
            made[name],
            command.FileFormat.WCVRPTW,
            budget=budget,
            seed=1,
            vehicles=None,
        )
    return made


def judge(run: Run, instances: Path, name: str, plan: Path) -> tuple[int, dict[str, Any]]:
    """Judge a plan by the command; return its exit code and what it found."""
    code, printed = run(
        "check", instances / f"{name}_stop.txt", plan, "--format", "wcvrptw", "--json"
    )
    return code, json.loads(printed)


def changed(plan: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write a copy of a plan with a change."""
    document = json.loads(plan.read_text())
    change(document)
    copy = plan.with_name(f"changed-{plan.name}")
    copy.write_text(json.dumps(document))
    return copy


@pytest.mark.parametrize(("name", "vehicles"), [("102", 3), ("277", 4)])
def test_plan_is_legal_and_small(
    run: Run, instances: Path, plans: dict[str, Path], name: str, vehicles: int
) -> None:
    """All stops are served by few vehicles, and the judge agrees."""
    code, report = judge(run, instances, name, plans[name])
    assert (code, report["violations"], report["unserved"]) == (0, [], [])
    assert report["vehicles"] <= vehicles
    assert report["unit"] == "miles"


def test_stop_moved_past_its_window(run: Run, instances: Path, plans: dict[str, Path]) -> None:
    """A stop that closes at seven and is served last is named, and nothing else is."""
    late_tour: dict[str, Any] = {}
    closing = {
        row[0]
        for line in (instances / "102_stop.txt").read_text().splitlines()[6:]
        if len(row := line.split()) == 8 and row[4] == "0700" and row[7] == "1"
    }

    def move(plan: dict[str, Any]) -> None:
        tour = max(
            (t for t in plan["tours"] if closing & set(t["visits"])), key=lambda t: t["end_s"]
        )
        stop = next(visit for visit in tour["visits"] if visit in closing)
        tour["visits"].remove(stop)
        tour["visits"] += [stop, tour["visits"][-1]]  # and to the landfill once more
        late_tour.update(vehicle=tour["vehicle"], stop=stop)

    code, report = judge(run, instances, "102", changed(plans["102"], move))
    assert code == 1
    (violation,) = report["violations"]
    assert (violation["rule"], violation["tour"], violation["visit"], violation["limit"]) == (
        "time window", late_tour["vehicle"], late_tour["stop"], 7 * 3600,
    )  # fmt: skip
    assert violation["value"] > 7 * 3600


def test_landfill_visit_removed(run: Run, instances: Path, plans: dict[str, Path]) -> None:
    """Without its last landfill a tour ends with a load on board."""
    expected: list[tuple[str, str, str]] = []

    def drop(plan: dict[str, Any]) -> None:
        tour = plan["tours"][0]
        del tour["visits"][-1]
        expected.append(("ends empty", tour["vehicle"], tour["visits"][-1]))

    path = changed(plans["102"], drop)
    code, report = judge(run, instances, "102", path)
    assert code == 1
    assert [(v["rule"], v["tour"], v["visit"]) for v in report["violations"]] == expected
    code, printed = run("check", instances / "102_stop.txt", path, "--format", "wcvrptw")
    assert code == 1
    assert printed.startswith("ends empty: tour vehicle-")


def test_tour_stretched_until_no_lunch_fits(
    run: Run, instances: Path, plans: dict[str, Path]
) -> None:
    """A tour that becomes longer and longer loses its lunch before anything else."""
    document = json.loads(plans["277"].read_text())
    tour = document["tours"][0]
    landfill = tour["visits"][-1]
    report: dict[str, Any] = {"violations": []}
    code = 0
    for _ in range(60):
        tour["visits"].append(landfill)
        tour["start_s"] += 900
        stretched = plans["277"].with_name("stretched.json")
        stretched.write_text(json.dumps(document))
        code, report = judge(run, instances, "277", stretched)
        if code:
            break
    assert code == 1
    assert [(v["rule"], v["tour"]) for v in report["violations"]] == [("lunch", tour["vehicle"])]


def test_mistake_in_a_file_names_its_line(run: Run, instances: Path, tmp_path: Path) -> None:
    """A wrong field is told in one line with file and line; nothing is written."""
    lines = (instances / "102_stop.txt").read_text().splitlines()
    lines[10] = lines[10].replace("0700", "7 o'clock", 1)
    lines[12] = "6 1 2"
    broken = tmp_path / "broken.txt"
    broken.write_text("\n".join(lines))
    out = tmp_path / "plan.json"
    code, printed = run("solve", broken, "--format", "wcvrptw", "--budget", 1, "--out", out)
    assert code == 2
    assert printed.count("\n") == 1
    assert f"{broken}:11: " in printed or f"{broken}:13: " in printed
    assert not out.exists()
