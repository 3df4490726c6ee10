"""Files: what the documentation shows is true, and mistakes are named."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.main import main
from cli.solve import FileFormat
from config.errors import FileFormatError
from optimizer.check import check
from optimizer.formats import FORMATS
from optimizer.formats.plan_json import PlanFile, TourPart, read_plan, write_plan
from optimizer.formats.problem_json import (
    BreakPart,
    EnergyPart,
    FacilityPart,
    ProblemFile,
    QueuePart,
    TruckPart,
    UnderwayPart,
    VisitPart,
    read_problem_json,
    write_problem_json,
)
from optimizer.formats.wcvrptw import MILE_M, read_wcvrptw
from optimizer.model import Problem, Reason
from optimizer.solve import solve
from optimizer.solve.demands import Demand, demands
from tests.fixtures.problems import city_day, ruled_day

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "docs" / "plan-json.md"

KIM = """280.0 \t// vehicle capacity
400.0\t// a day
2\t// stops a day
3600\t// lunch
40\t// speed

Stop_ID\tX\tY\tEarly\tLate\tService\tLoad\tType
0   0.0   0.0  0400 1500 0  9999.00 0
1   5280.0   0  0000 2400 1600  9999.00 2
2   5280.0   10560.0  0700 1675 180    12.00 1  \r
3   0   5280  0000 0730 30     4.5 1.
"""


def example(name: str) -> str:
    """Return an example of the documentation."""
    found = re.search(rf"```json {name}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found, f"{PAGE} has no example {name}"
    return found[1]


@pytest.fixture
def documented(tmp_path: Path) -> tuple[Path, Path]:
    """The documented problem and plan, as files."""
    problem, plan = tmp_path / "problem.json", tmp_path / "plan.json"
    problem.write_text(example("problem"))
    plan.write_text(example("plan"))
    return problem, plan


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["binround", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    streams = capsys.readouterr()
    return int(ended.value.code or 0), streams.out, streams.err


def same(one: Problem, other: Problem) -> bool:
    """Whether two problems are equal, arrays included."""
    parts = ("fractions", "visits", "facilities", "trucks", "name", "balance_eur_per_h")
    return all(getattr(one, part) == getattr(other, part) for part in parts) and all(
        np.array_equal(getattr(one, part), getattr(other, part))
        for part in ("duration_s", "distance_m")
    )


def test_documented_plan_is_legal_for_the_documented_problem(
    documented: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The examples of the page are read by the command, and the keys it prints are as shown."""
    code, out, _ = run(monkeypatch, capsys, "check", *documented, "--json")
    assert code == 0
    printed, shown = json.loads(out), json.loads(example("check"))
    assert printed["violations"] == []
    assert set(printed) == set(shown)
    plan = json.loads(documented[1].read_text())
    plan["tours"][0]["start_s"] = 47_400
    documented[1].write_text(json.dumps(plan))
    code, out, _ = run(monkeypatch, capsys, "check", *documented, "--json")
    assert code == 1
    (violation, *_) = json.loads(out)["violations"]
    assert set(violation) == set(shown["violations"][0])


@pytest.mark.parametrize("part", [VisitPart, FacilityPart, QueuePart, TruckPart, BreakPart,
                                  EnergyPart, UnderwayPart, ProblemFile, TourPart,
                                  PlanFile])  # fmt: skip
def test_every_field_is_documented(part: type[Any]) -> None:
    """The page names each field that a file may have."""
    page = PAGE.read_text()
    for name in part.model_fields:
        assert f"`{name}`" in page or f'"{name}"' in page or f".{name}`" in page, name


def test_every_reason_is_documented() -> None:
    """The page names each reason for leaving a visit out."""
    assert all(f"`{reason.value}`" in PAGE.read_text() for reason in Reason)


@given(st.integers(0, 8), st.integers(0, 100))
def test_problem_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, visits: int, seed: int
) -> None:
    """Written and read again a problem is the same."""
    path = tmp_path_factory.mktemp("problem") / "p.json"
    day = city_day(visits, seed)
    write_problem_json(path, day)
    assert same(read_problem_json(path), day)


def test_every_rule_survives_its_file(tmp_path: Path) -> None:
    """A problem that asks for every rule is read as it was written, and says so to the engines."""
    path = tmp_path / "ruled.json"
    day = ruled_day(5)
    write_problem_json(path, day)
    again = read_problem_json(path)
    assert same(again, day)
    assert demands(again) == frozenset(Demand)
    assert not demands(city_day(5))


def test_plan_survives_its_file(tmp_path: Path) -> None:
    """Tours, starts, unserved visits with reasons, seed and engine come back as they were."""
    day = city_day(12, 3)
    solution = solve(day, 10.0, seed=5, effort=0.05)
    write_plan(tmp_path / "plan.json", day, solution, check(day, solution))
    again = read_plan(tmp_path / "plan.json", day)
    assert again.unknown == ()
    assert again.solution.tours == solution.tours
    assert [(u.visit, u.reason) for u in again.solution.unserved] == [
        (u.visit, u.reason) for u in solution.unserved
    ]
    assert (again.solution.seed, again.solution.engine) == (5, solution.engine)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_ids_that_the_problem_does_not_know(tmp_path: Path) -> None:
    """A foreign plan with unknown ids is judged: each of them is a violation."""
    plan = tmp_path / "plan.json"
    tours = [{"vehicle": "truck-0", "visits": ["site-0", "nowhere"]},
             {"vehicle": "ghost", "visits": []}]  # fmt: skip
    plan.write_text(json.dumps({"tours": tours, "unserved": ["lost"]}))
    unknown = read_plan(plan, city_day(2)).unknown
    assert [(v.rule, v.tour, v.visit) for v in unknown] == [
        ("unknown id", "truck-0", "nowhere"),
        ("unknown id", "ghost", None),
        ("unknown id", None, "lost"),
    ]


def broken(change: Callable[[dict[str, Any]], Any]) -> str:
    """Return the documented problem with a mistake."""
    document = json.loads(example("problem"))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n  'a'", ":2: is no JSON"),
        ("[]", "the file: "),
        (broken(lambda d: d.pop("trucks")), ": trucks: "),
        (broken(lambda d: d["visits"][0].update(service_s="long")), ": visits[0].service_s: "),
        (broken(lambda d: d["visits"][0].update(colour="red")), ": visits[0].colour: "),
        (broken(lambda d: d["visits"][1].update(kg={"blue": 1})), ": visits[1].kg: 'blue'"),
        (broken(lambda d: d["visits"][1].update(trucks=["x"])), ": visits[1].trucks: 'x'"),
        (broken(lambda d: d["visits"][0].update(location=9)), ": visits[0].location: "),
        (broken(lambda d: d["visits"][0].update(windows=[[9, 8]])), ": visits[0].windows: "),
        (broken(lambda d: d["facilities"][0].update(id="site-1")), ": facilities: "),
        (broken(lambda d: d["duration_s"].pop()), ": duration_s: "),
        (broken(lambda d: d["distance_m"][0].pop()), ": distance_m: "),
    ],
)
def test_mistake_in_a_problem_is_named(tmp_path: Path, text: str, said: str) -> None:
    """A mistake is told in one line with the file and its line or field."""
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(FileFormatError) as error:
        read_problem_json(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_kim_file_is_read_with_all_its_rules(tmp_path: Path) -> None:
    """Volumes, limits, lunch, windows, Manhattan miles at 40 an hour, and impossible minutes."""
    path = tmp_path / "tiny.txt"
    path.write_text(KIM)
    day = read_wcvrptw(path, vehicles=2)
    assert [visit.id for visit in day.visits] == ["2", "3"]
    assert [facility.id for facility in day.facilities] == ["1"]
    visit, truck = day.visits[0], day.trucks[0]
    assert (visit.windows[0].earliest_s, visit.windows[0].latest_s) == (7 * 3600, 16.75 * 3600)
    assert day.visits[1].windows[0].latest_s == 7.5 * 3600
    assert day.distance_m[0, visit.location] == pytest.approx(3 * MILE_M)
    assert day.duration_s[0, visit.location] == 3 / 40 * 3600
    assert (truck.shift.earliest_s, truck.shift.latest_s) == (4 * 3600, 15 * 3600)
    assert truck.max_stops == 2
    assert truck.max_litres == pytest.approx(truck.compartments[0].capacity_l / 280 * 400)
    (lunch,) = truck.breaks
    assert (lunch.duration_s, lunch.earliest_start_s, lunch.latest_start_s) == (
        3600, 11 * 3600, 12 * 3600,
    )  # fmt: skip


def test_kim_file_read_as_decimal_hours(tmp_path: Path) -> None:
    """The other reading takes the last two digits as hundredths of an hour everywhere."""
    path = tmp_path / "tiny.txt"
    path.write_text(KIM.replace("0730", "0750"))
    closes = [
        [visit.windows[0].latest_s / 3600 for visit in read_wcvrptw(path, decimal=decimal).visits]
        for decimal in (False, True)
    ]
    assert closes == [[16.75, 7 + 50 / 60], [16.75, 7.5]]


def test_commands_know_every_format() -> None:
    """What the library reads, the command line offers."""
    assert {choice.value for choice in FileFormat} == set(FORMATS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("280.0", "lots", ":1: vehicle capacity in yards 'lots' is no usable number"),
        ("40\t//", "0\t//", ":5: miles per hour must not be 0"),
        ("0700 1675", "0700 2560", ":10: latest time '2560' is no time of day"),
        ("0700 1675", "0800 0700", ":10: latest time 0700 is before earliest time 0800"),
        ("    12.00 1", "    -12.00 1", ":10: load -12.00 is negative"),
        ("    12.00 1", "    12.00 7", ":10: type '7' is not 0, 1 or 2"),
        ("    12.00 1", "    12.00", ":10: has 7 fields, 8 are needed"),
        ("3   0   5280", "2   0   5280", ":11: id 2 stands on line 10 too"),
        ("9999.00 0\n", "9999.00 2\n", ": has 0 depots (type 0), one is needed"),
    ],
)
def test_mistake_in_a_kim_file_names_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """The line of the mistake is the one an editor shows."""
    assert old in KIM
    path = tmp_path / "tiny.txt"
    path.write_text(KIM.replace(old, new, 1))
    with pytest.raises(FileFormatError) as error:
        read_wcvrptw(path)
    assert str(error.value).startswith(f"{path}{said}")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00bad"), "is no"),
        (lambda path: path.write_text(""), "is no JSON"),
    ],
)
def test_unreadable_file_ends_with_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], object],
    said: str,
) -> None:
    """A file that cannot be read gives one line and exit code 2; no plan is written."""
    path = tmp_path / "p.json"
    make(path)
    code, _, err = run(monkeypatch, capsys, "solve", path, "--out", tmp_path / "plan.json")
    assert code == 2
    assert err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "plan.json").exists()


def test_solve_and_check_by_command(
    documented: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What `solve` writes, `check` finds legal; a folder that is not there is one clear line."""
    problem, plan = documented
    code, out, _ = run(
        monkeypatch, capsys, "solve", problem, "--budget", 1, "--seed", 3, "--out", plan
    )
    assert code == 0
    assert "1 vehicle," in out
    assert json.loads(plan.read_text())["seed"] == 3
    assert run(monkeypatch, capsys, "check", problem, plan)[0] == 0
    nowhere = plan.parent / "missing" / "plan.json"
    code, _, err = run(monkeypatch, capsys, "solve", problem, "--budget", 1, "--out", nowhere)
    assert code == 2
    assert "cannot be written" in err
