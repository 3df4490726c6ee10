"""Which engines plan: all together, by name, and without the compiler."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from config.errors import SolverError
from optimizer.check import check
from optimizer.model import Problem, Solution
from optimizer.solve import solve
from optimizer.solve.engines import ENGINES, RuinAndRecreate, engines_named
from optimizer.solve.ortools_engine import OrTools
from optimizer.solve.popmusic.engine import NAME, Popmusic
from optimizer.solve.route import Builder
from optimizer.solve.sisr.engine import CompiledSearch, steps
from optimizer.solve.sisr.plan import Plan
from optimizer.solve.sisr.schedule import UNCOUNTED, Schedule
from optimizer.solve.sisr.warm import warm_up, warm_up_aside
from tests.fixtures.problems import city_day, single_trip_day

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_that_nobody_has() -> None:
    """A wrong name is told with those that there are."""
    with pytest.raises(SolverError, match=r"no engine 'gurobi'; BINROUND_ENGINES takes search"):
        engines_named(("gurobi",))
    assert engines_named(()) == ENGINES


@dataclasses.dataclass(frozen=True)
class Patient:
    """An engine that notes how long it may take."""

    noted_s: list[float]
    share: float = 0.5

    def supports(self, problem: Problem) -> bool:
        """It takes every problem."""
        return True

    def builds(self, problem: Problem) -> bool:
        """It begins with what it is given."""
        return False

    def improve(
        self, problem: Problem, builder: Builder, start: Solution, until: float, seed: int,
        effort: float,
    ) -> None:  # fmt: skip
        """Find nothing."""
        self.noted_s.append(until - monotonic())


def test_an_engine_that_cannot_help_costs_no_time() -> None:
    """What OR-Tools would take for a day too large for it goes to the others."""
    day, noted = city_day(20, 1), list[float]()
    solve(day, 10.0, engines=(Patient(noted), OrTools(share=0.5, largest=10)))
    solve(day, 10.0, engines=(Patient(noted), Patient(noted)))
    assert noted[0] > 9.0
    assert noted[1] < 5.0


def test_or_tools_alone_shortens_days_of_single_trips() -> None:
    """Part by part, OR-Tools makes a plan cheaper by itself."""
    day = single_trip_day(60, 2)
    start = check(day, solve(day, 0.0))
    found = solve(day, 4.0, 1, engines=(Popmusic(),))
    report = check(day, found)
    assert report.legal
    assert found.engine == NAME
    assert report.score < start.score
    assert all(len(tour.trips) == 1 for tour in report.tours)


def test_or_tools_alone_plans_days_of_several_trips_legally() -> None:
    """Where trips outnumber trucks OR-Tools polishes what the construction builds."""
    day = city_day(30, 5, trucks=2, mandatory_share=1.0, tight=0.35)
    report = check(day, solve(day, 3.0, engines=engines_named(("ortools",))))
    assert report.legal
    assert max(len(tour.trips) for tour in report.tours) >= 3


@pytest.mark.usefixtures("compiled_search")
def test_the_compiled_search_is_no_worse_than_the_plain_one() -> None:
    """With a fraction of the work the compiled search finds as cheap a day, of prizes too."""
    for day in (city_day(50, 6, tight=0.5), city_day(30, 9, mandatory_share=1.0)):
        plain = check(day, solve(day, 60.0, 1, effort=0.5, engines=(RuinAndRecreate(),)))
        found = solve(day, 60.0, 1, effort=0.2, engines=(CompiledSearch(),))
        assert found.engine == "compiled-ruin-and-recreate"
        assert check(day, found).legal
        assert check(day, found).score <= plain.score


@pytest.mark.usefixtures("compiled_search")
def test_threads_that_share_a_plan_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day divided between two threads, again and again, comes out whole, legal and cheaper."""
    from optimizer.solve.sisr import campaign

    monkeypatch.setattr(campaign, "DIVIDED_VISITS", 40)
    day = single_trip_day(60, 2)
    start = check(day, solve(day, 0.0))
    report = check(day, solve(day, 3.0, 1, engines=(CompiledSearch(),)))
    assert report.legal
    assert len(report.tours) >= campaign.DIVIDED
    assert report.score < start.score


@pytest.mark.usefixtures("compiled_search")
def test_a_small_day_is_begun_anew_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beginnings that follow each other, and what is crossed of them, lose nothing of the best."""
    from optimizer.solve.sisr import campaign

    monkeypatch.setattr(campaign, "ROUND_S", 0.005)
    costs: list[float] = []
    each = campaign.Campaign._each

    def noted(self: campaign.Campaign, plan: Plan, schedule: Schedule, threads: int) -> list[Plan]:
        found = each(self, plan, schedule, threads)
        if schedule.hot == campaign.HOT * self.scale(plan):
            costs.extend(one.eur for one in found)
        return found

    monkeypatch.setattr(campaign.Campaign, "_each", noted)
    day = city_day(70, 3, trucks=3, mandatory_share=1.0, tight=0.4)
    report = check(day, solve(day, 3.0, 1, engines=(CompiledSearch(),)))
    assert report.legal
    assert len(costs) >= 3
    assert report.score[1] <= min(costs) + 0.01


@pytest.mark.usefixtures("compiled_search")
def test_nothing_is_compiled_twice() -> None:
    """Where all is compiled, nobody starts a compiler."""
    assert warm_up()
    assert warm_up_aside() is None


def test_without_numba_plans_come_from_the_plain_search() -> None:
    """Numba missing is told in a warning, and days are planned all the same."""
    script = (
        "import sys, logging; sys.modules['numba'] = None; logging.basicConfig()\n"
        "from optimizer.solve import solve\n"
        "from optimizer.solve.sisr.warm import warm_up\n"
        "from tests.fixtures.problems import city_day\n"
        "assert not warm_up()\n"
        "print(solve(city_day(12, 1), 5.0, effort=0.05).engine)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "numba is missing: plans come from the slower search" in done.stderr
    assert done.stdout.startswith("ruin-and-recreate")


def test_small_days_and_small_efforts_are_counted() -> None:
    """A plan can be had again where steps are counted; a large day uses all of its time."""
    assert steps(50, 1.0) < UNCOUNTED
    assert steps(5000, 0.5) < UNCOUNTED
    assert steps(300, 1.0) == UNCOUNTED
    assert np.isclose(steps(100, 0.1), 0.1 * 120_000)
