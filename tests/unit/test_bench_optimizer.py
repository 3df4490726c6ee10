"""The benchmark of the optimiser: runs are remembered, failures are results, gaps are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.optimizer import runs as module
from benchmarks.optimizer.__main__ import main
from benchmarks.optimizer.instances import Instance, instances
from benchmarks.optimizer.page import Cell, page, section
from benchmarks.optimizer.runs import Book, Result, Run, make, wanted
from optimizer.model import empty_problem

VRP = """NAME : X-n5-k2
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 5
NODE_COORD_SECTION
1 0 0
2 10 10
3 20 20
4 -30 0
5 -31 3
DEMAND_SECTION
1 0
2 2
3 3
4 2
5 2
DEPOT_SECTION
1
-1
EOF
"""
SOL = "Route #1: 1 2\nRoute #2: 3 4\nCost 120\n"


def instance(name: str = "one", **changes: Any) -> Instance:
    """Return an instance with a published cost of 100."""
    given = {"group": "x", "name": name, "load": empty_problem, "budget_s": 30.0}
    return Instance(**{**given, "best_known": lambda: 100.0, **changes})


def result(value: float = 0.0, none: str = "", solver: str = "binround", seed: int = 1) -> Result:
    """Return what came out of a run."""
    run = Run("x", "one", solver, seed, 30.0, "v1")
    return Result(run, none, 0 if none else 4, value, wall_s=30.0, cpu_s=45.0)


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A data folder with one small instance."""
    folder = tmp_path / "data" / "benchmarks" / "cvrp_x"
    folder.mkdir(parents=True)
    (folder / "X-n5-k2.vrp").write_text(VRP)
    (folder / "X-n5-k2.sol").write_text(SOL)
    return tmp_path / "data"


def test_ours_has_several_seeds_and_peers_one() -> None:
    """Each solver that takes part gets the instance's budget; ours the shorter ones, too."""
    chosen = [instance(more_budgets_s=(3.0,))]
    names = ("binround", "binround-ortools", "pyvrp")
    found = [(r.solver, r.seed, r.budget_s) for r in wanted(chosen, 3, None, names)]
    assert found == [
        ("binround", 1, 30.0), ("binround", 2, 30.0), ("binround", 3, 30.0), ("binround", 1, 3.0),
        ("binround-ortools", 1, 30.0), ("binround-ortools", 2, 30.0),
        ("binround-ortools", 3, 30.0), ("pyvrp", 1, 30.0),
    ]  # fmt: skip
    cut = [(r.seed, r.budget_s) for r in wanted(chosen, 1, 2.0, ("binround",))]
    assert cut == [(1, 2.0)]


def test_results_are_remembered_up_to_the_line_that_was_cut_off(tmp_path: Path) -> None:
    """A benchmark that was killed while it wrote goes on with all results before."""
    path = tmp_path / "results.jsonl"
    book = Book(path)
    book.add(result(101.0))
    book.add(result(103.0, seed=2))
    path.write_text(path.read_text()[:-20])
    again = Book(path)
    assert result(101.0).run in again
    assert again[result(101.0).run] == result(101.0)
    assert result(103.0, seed=2).run not in again


def test_median_counts_a_run_without_plan_as_worst() -> None:
    """One lost seed of three moves the median up; two leave none."""
    good = [result(101.0), result(105.0, seed=2)]
    lost = result(none="found no plan", seed=3)
    assert Cell([*good, result(110.0, seed=3)]).value == 105.0
    assert Cell([*good, lost]).value == 105.0
    assert Cell([good[0], lost, lost]).value is None


def test_page_shows_gaps_and_what_is_missing() -> None:
    """Gaps to the published cost; no plan is none with its reason; unknown rules are n/a."""
    cells = {
        ("x", "one", "binround", 30.0): Cell([result(101.0), result(102.0), result(103.0)]),
        ("x", "one", "pyvrp", 30.0): Cell([result(none="died with -11: ", solver="pyvrp")]),
        ("x", "one", "vroom", 30.0): Cell([result(none="cannot express prizes", solver="vroom")]),
    }
    text = section("x", [instance()], cells, "make bench-optimizer SET=x", "optimizer-x.png")
    (row,) = [line for line in text.splitlines() if line.startswith("| one |")]
    columns = [part.strip() for part in row.strip("|").split("|")]
    assert columns[1:4] == ["30 s", "100.0", "102.0 (+2.00 %; +1.00 to +3.00, 3 of 3 seeds)"]
    assert columns[4:] == ["", "", "none", "n/a"]
    assert "| x one | pyvrp | died with -11:  |" in text
    assert "binround 1.50 CPU seconds a second" in text


def test_section_that_was_not_measured_stays() -> None:
    """A run of one set renews its section; those of other sets stay, in the page's order."""
    cells = {("x", "one", "binround", 30.0): Cell([result(101.0)])}
    first = page({"x": section("x", [instance()], cells, "make bench-optimizer SET=x", "")})
    both = page({"prize": "## Prize-collecting VRPTW, 1,000 customers\n\nfound\n"}, first)
    assert both.startswith(first)
    assert both.endswith("found\n")
    cells = {("x", "one", "binround", 30.0): Cell([result(102.0)])}
    again = page({"x": section("x", [instance()], cells, "make bench-optimizer SET=x", "")}, both)
    assert "102.0 (+2.00 %)" in again
    assert "101.0" not in again
    assert again.endswith("found\n")


@pytest.mark.slow
def test_solver_that_is_not_there_is_a_result(sets: Path, tmp_path: Path) -> None:
    """A run whose process dies has no plan, and says how it died."""
    run = Run("x", "X-n5-k2", "nobody", 1, 1.0, "")
    found = make(run, sets, tmp_path, [0])
    assert found.none.startswith("died with 1: KeyError")


@pytest.mark.slow
def test_run_that_takes_too_long_is_ended(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not stop by itself is killed, and has no plan."""
    monkeypatch.setattr(module, "GRACE_S", -1.0)
    found = make(Run("x", "X-n5-k2", "ortools-default", 1, 0.5, ""), sets, tmp_path, [0])
    assert found.none == "took too long"


@pytest.mark.slow
def test_benchmark_runs_resumes_and_writes_its_page(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """End to end on a tiny instance: judged results, a page, and nothing to do the second time."""
    given: dict[str, Any] = {
        "sets": "x", "names": "", "solvers": "binround-ortools,ortools-default", "seeds": 1,
        "budget": 1.0, "quick": False, "again": False, "dry_run": False, "data": sets,
        "cache": tmp_path / "cache", "out": tmp_path / "docs" / "page.md",
    }  # fmt: skip
    main(**given)
    assert "2 runs, 2 of them to make" in capsys.readouterr().out
    text = given["out"].read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| X-n5-k2 |")]
    assert row.count("120.0 (+0.00 %)") == 2
    main(**given)
    assert "2 runs, 0 of them to make" in capsys.readouterr().out
    main(**given | {"solvers": "", "kept": True})
    assert "0 of them to make" in capsys.readouterr().out
    assert row.count("120.0 (+0.00 %)") == given["out"].read_text().count("120.0 (+0.00 %)")


def test_page_is_not_lost_where_no_run_is_kept(sets: Path, tmp_path: Path) -> None:
    """A page about kept runs is not written where there are none; the one that is there stays."""
    page = tmp_path / "page.md"
    page.write_text("measured")
    with pytest.raises(SystemExit, match="no such run is kept"):
        main(kept=True, data=sets, cache=tmp_path / "cache", out=page)
    assert page.read_text() == "measured"


def test_sets_of_the_data_folder_are_found(outside_data: Path, tmp_path: Path) -> None:
    """Every published set that lies there takes part; Kim's files that read differently twice."""
    known = instances(outside_data, tmp_path)
    names = {(one.group, one.name) for one in known}
    if not (outside_data / "benchmarks" / "wcvrptw_kim").is_dir():
        pytest.skip("the sets are not there")
    assert len(names) == len(known)
    assert {name for group, name in names if group == "kim" and "decimal" in name} == {
        "804 decimal", "1599 decimal",
    }  # fmt: skip
    assert {group for group, _ in names} == {
        "kim", "multitrip", "street-day", "x", "xxl", "gh400", "vrptw", "prize", "reload",
    }  # fmt: skip
