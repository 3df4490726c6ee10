"""The formats of the literature's sets: costs are those that are published, mistakes are named."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from config.errors import FileFormatError
from optimizer.check import check
from optimizer.formats import FORMATS
from optimizer.formats.sol import read_sol, sol_text
from optimizer.formats.solomon import read_solomon
from optimizer.formats.vrplib import read_vrplib
from optimizer.model import Solution, Tour
from optimizer.solve import solve

if TYPE_CHECKING:
    from pathlib import Path

CVRP = """NAME : 	tiny
COMMENT : "three customers: of one's own"
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 5
NODE_COORD_SECTION
1 0 0
2 1 1
3 2 2
4 -3 0
DEMAND_SECTION
1 0
2 2
3 3
4 4
DEPOT_SECTION
 1
 -1
EOF
"""
PRIZES = """NAME : tiny
TYPE : PCVRPTW
DIMENSION : 4
VEHICLES : 2
CAPACITY : 5
SERVICE_TIME : 10
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 1 1
3 2 2
4 -30 0
DEMAND_SECTION
1 0
2 2
3 3
4 4
TIME_WINDOW_SECTION
1 0 100
2 0 90
3 50 80
4 0 90
PRIZE_SECTION
1 0
2 25
3 30
4 17
DEPOT_SECTION
1
-1
EOF
"""
SOLOMON = """tiny

VEHICLE
NUMBER     CAPACITY
  2          5

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME

    0      0          0          0          0        100          0
    1      1          1          2          0         90         10
    2      2          2          3         50         80         10
    3    -30          0          4          0         90         10
"""


def trips(kind: str = "MTVRPTW", extra: str = "") -> str:
    """Return the instance with prizes as one with several trips."""
    head, _, rest = PRIZES.partition("PRIZE_SECTION")
    rows = "VEHICLES_RELOAD_DEPOT_SECTION\n1 1\n2 1\n"
    return (
        head.replace("PCVRPTW", kind) + extra + rows + "DEPOT_SECTION" + rest[rest.rindex("\n1") :]
    )


def written(folder: Path, text: str, name: str = "tiny.vrp") -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text)
    return path


def test_cvrp_rounds_ways_to_whole_numbers(tmp_path: Path) -> None:
    """1.41 is 1, 2.83 is 3; the cost of a route is the sum of what is rounded."""
    problem = read_vrplib(written(tmp_path, CVRP))
    published = read_sol(written(tmp_path, "Route #1: 1 2\nRoute #2: 3\nCost 11", "tiny.sol"),
                         problem)  # fmt: skip
    report = check(problem, published.solution)
    assert report.legal
    assert report.cost_eur == published.cost == 11  # 1 + 1 + 3, and 3 + 3


def test_ways_with_times_are_truncated_to_one_decimal(tmp_path: Path) -> None:
    """1.41 is 1.4, 2.83 is 2.8; cost is in tenths, and a customer left out costs its prize."""
    problem = read_vrplib(written(tmp_path, PRIZES))
    sol = written(tmp_path, "Route #1: 1 2\nCost: 226", "tiny.sol")
    published = read_sol(sol, problem)
    report = check(problem, published.solution)
    assert report.legal
    assert report.cost_eur == pytest.approx(14 + 14 + 28)
    assert FORMATS["vrplib"].cost(report) == pytest.approx(14 + 14 + 28 + 170) == published.cost
    second = report.tours[0].nodes[1]
    assert (second.arrival_s, second.start_s) == (14 + 100 + 14, 500)


def test_solomon_costs_have_one_decimal(tmp_path: Path) -> None:
    """The same places in the other format: a tenth of the number, every customer is served."""
    problem = read_solomon(written(tmp_path, SOLOMON, "tiny.txt"))
    published = read_sol(written(tmp_path, "Route 1: 1 2\nRoute 2: 3", "tiny.sol"), problem)
    report = check(problem, published.solution)
    assert report.legal
    assert report.cost_eur == pytest.approx(1.4 + 1.4 + 2.8 + 30 + 30)
    assert len(problem.trucks) == 2


def test_only_several_trips_may_pass_the_depot(tmp_path: Path) -> None:
    """A vehicle of a CVRP ends at the depot; where reloading is allowed it starts again."""
    text = "Route #1: 1 2 0 3\n"
    single = read_vrplib(written(tmp_path, CVRP))
    found = check(single, read_sol(written(tmp_path, text, "a.sol"), single).solution)
    assert {violation.rule for violation in found.violations} == {"max kg"}
    several = read_vrplib(written(tmp_path, trips().replace("3 50 80", "3 5 80"), "b.vrp"))
    found = check(several, read_sol(written(tmp_path, text, "b.sol"), several).solution)
    assert [v.rule for v in found.violations] == []
    assert found.cost_eur == pytest.approx(14 + 14 + 28 + 300 + 300)


def test_released_goods_cannot_arrive_before_they_are_driven_there(tmp_path: Path) -> None:
    """A customer is not served before its goods' release and the way from the depot."""
    released = "RELEASE_TIME_SECTION\n1 0\n2 20\n3 0\n4 60\n"
    problem = read_vrplib(written(tmp_path, trips("MTVRPTWR", released)))
    opens = [visit.windows[0].earliest_s for visit in problem.visits]
    assert opens == [200 + 14, 500, 600 + 300]


def test_fleet_is_as_named_or_without_limit(tmp_path: Path) -> None:
    """VEHICLES is a limit; without it there are enough; the argument overrides both."""
    free, named = written(tmp_path, CVRP), written(tmp_path, PRIZES, "named.vrp")
    assert len(read_vrplib(free).trucks) == 3
    assert len(read_vrplib(named).trucks) == 2
    assert len(read_vrplib(named, vehicles=1).trucks) == 1


def test_solution_survives_its_file(tmp_path: Path) -> None:
    """Written as .sol and read again, a plan has the same tours and cost."""
    problem = read_vrplib(written(tmp_path, trips()))
    solution = solve(problem, 5.0, effort=0.1)
    report = check(problem, solution)
    text = sol_text(problem, solution, report.score[1])
    again = read_sol(written(tmp_path, text, "again.sol"), problem)
    assert [tour.nodes for tour in again.solution.tours] == [t.nodes for t in solution.tours]
    assert again.cost == pytest.approx(report.score[1])
    empty = sol_text(problem, Solution((Tour(0, 0, (3,)),)), 1234567.0)
    assert empty == "Cost 1234567\n"


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (CVRP, "TYPE : CVRP", "TYPE : TSP", ":3: TYPE TSP is not known"),
        (CVRP, "TYPE : CVRP\n", "", ": has no TYPE"),
        (CVRP, "EUC_2D", "GEO", ":5: EDGE_WEIGHT_TYPE GEO is not known; EUC_2D is"),
        (CVRP, "CAPACITY : 5", "CAPACITY : 0", ":6: CAPACITY '0' is no whole number"),
        (CVRP, "CAPACITY : 5", "DISTANCE : 5", ":6: DISTANCE is not known, and may limit plans"),
        (
            CVRP,
            "DEMAND_SECTION",
            "BACKHAUL_SECTION",
            ":12: BACKHAUL_SECTION is not known; a line is KEYWORD : VALUE, a",
        ),
        (CVRP, "3 2 2", "3 2 two", ":10: y 'two' is no usable number"),
        (CVRP, "3 2 2", "3 2", ":10: has 2 fields, 3 are needed in NODE_COORD_SECTION"),
        (CVRP, "3 2 2", "2 2 2", ":10: node 2 stands on line 9 too"),
        (CVRP, "3 2 2", "9 2 2", ":10: node 9 of 4 (DIMENSION)"),
        (CVRP, "3 2 2\n", "", ":7: NODE_COORD_SECTION has no node 3"),
        (CVRP, "3 3\n", "3 -3\n", ":15: demand -3 is negative"),
        (CVRP, " 1\n -1", " 1\n 2\n -1", ": has 2 depots, one is needed"),
        (CVRP, " 1\n -1", " 7\n -1", ":18: depot 7 of 4 nodes"),
        (CVRP, "NODE_COORD_SECTION\n", "", ":7: a row that is in no section"),
        (CVRP, "DEPOT_SECTION", "TIME_WINDOW_SECTION\nDEPOT_SECTION", ":17: a CVRP has no times"),
        (PRIZES, "3 50 80", "3 80 50", ":21: latest 50 is before earliest 80"),
        (PRIZES, "VEHICLES : 2\n", "", ": has no VEHICLES"),
        (PRIZES, "PRIZE_SECTION", "SERVICE_TIME_SECTION", ": has no PRIZE_SECTION"),
        (trips("MTVRPTWR", "RELEASE_TIME_SECTION\n1 0\n2 0\n3 0\n4 0\n"), "4 0\nV", "4 80\nV",
         ": visits[2].windows: ends at 900 before 1100"),
        (trips(), "\n2 1\nDEPOT", "\n2 3\nDEPOT", ": a vehicle that does not reload at the"),
    ],
)  # fmt: skip
def test_mistake_in_a_vrplib_file_names_its_line(
    tmp_path: Path, text: str, old: str, new: str, said: str
) -> None:
    """What is wrong, or not understood, is told with its line and never overlooked."""
    assert old in text
    path = written(tmp_path, text.replace(old, new, 1))
    with pytest.raises(FileFormatError) as error:
        read_vrplib(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("NUMBER     CAPACITY", "NUMBER", ": has no line NUMBER CAPACITY"),
        ("  2          5", "  2", ":5: number and capacity of vehicles are needed"),
        ("  2          5", "  2.5          5", ":5: number of vehicles '2.5' is no whole number"),
        ("CUSTOMER\n", "", ": has no customers"),
        ("    2      2", "    1      2", ":12: customer 1 stands there twice"),
        ("         50         80", "         80         50", ":12: due date 50 is before"),
        ("         80         10", "         80", ":12: has 6 fields, 7 are needed"),
    ],
)
def test_mistake_in_a_solomon_file_names_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """The line of the mistake is the one an editor shows."""
    assert old in SOLOMON
    path = written(tmp_path, SOLOMON.replace(old, new, 1))
    with pytest.raises(FileFormatError) as error:
        read_solomon(path)
    assert str(error.value).startswith(f"{path}{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Route #1: 1 x\n", ":1: 'x' is none of the 3 customers"),
        ("Route #1: 1\nRoute #2: 4\n", ":2: '4' is none of the 3 customers"),
        ("Route #1: 1\nCost a lot\n", ":2: cost 'a lot' is no usable number"),
        ("Route #1: 1\n" * 4, ":4: route 4, the problem has 3 vehicles"),
        ("{}", ": has no line `Route #1: ...`"),
    ],
)
def test_mistake_in_a_sol_file_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    """A foreign solution that cannot be read says where."""
    problem = read_vrplib(written(tmp_path, CVRP))
    path = written(tmp_path, text, "tiny.sol")
    with pytest.raises(FileFormatError) as error:
        read_sol(path, problem)
    assert str(error.value).startswith(f"{path}{said}")


def test_commands_print_the_published_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`solve` writes a .sol that `check` judges, with the prizes left out in the cost."""
    problem, plan = written(tmp_path, PRIZES), tmp_path / "out.sol"
    for arguments in (
        ["solve", problem, "--format", "vrplib", "--budget", 1, "--out", plan],
        ["check", problem, plan, "--format", "vrplib"],
    ):
        monkeypatch.setattr("sys.argv", ["binround", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        assert "1 vehicle, 5.6 units, cost 226.00, 1 unserved" in capsys.readouterr().out
    assert plan.read_text().endswith("Cost 226\n")


def published_sets() -> list[str]:
    """Return the instances whose best known solutions are published beside them."""
    return [
        *(f"cvrp_x/X-n{name}" for name in ("101-k25", "200-k36", "303-k21", "502-k39", "749-k98",
                                           "1001-k43")),
        "cvrp_xxl/Leuven1",
        "cvrp_xxl/Ghent1",
        *(f"mtvrptw/{name}" for name in ("RC203R0.5", "R2_2_05R0.5")),
        *(f"pcvrptw/{name}" for name in ("C1_10_4", "R1_10_1", "RC2_10_3")),
    ]  # fmt: skip


@pytest.mark.parametrize("name", published_sets())
def test_best_known_solutions_cost_what_is_published(outside_data: Path, name: str) -> None:
    """Read with their problems, the sets' own solutions are legal and cost what they say."""
    path = outside_data / "benchmarks" / f"{name}.vrp"
    if not path.is_file():
        pytest.skip(f"no instance at {path}")
    problem = read_vrplib(path)
    published = read_sol(path.with_suffix(".sol"), problem)
    report = check(problem, published.solution)
    assert report.violations == ()
    assert published.cost is not None
    assert math.isclose(report.score[1], published.cost, abs_tol=1e-6)
    assert report.mandatory_unserved == ()


@pytest.mark.parametrize(
    ("name", "customers", "vehicles"), [("R101", 100, 25), ("r1_4_5", 400, 100)]
)
def test_instances_of_solomon_and_homberger_are_read(
    outside_data: Path, name: str, customers: int, vehicles: int
) -> None:
    """Customers and fleet of the real files."""
    path = outside_data / "benchmarks" / "vrptw" / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"no instance at {path}")
    problem = read_solomon(path)
    assert (len(problem.visits), len(problem.trucks)) == (customers, vehicles)
