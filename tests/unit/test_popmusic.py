"""OR-Tools alone: parts of a day, side by side in processes of their own."""

import dataclasses
import subprocess
from collections.abc import Iterable
from random import Random
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.check import check
from optimizer.model import Problem
from optimizer.solve import solve
from optimizer.solve.facts import Facts
from optimizer.solve.popmusic import crew as crews
from optimizer.solve.popmusic.cooling import Cooling, cooling
from optimizer.solve.popmusic.crew import crew
from optimizer.solve.popmusic.engine import Popmusic
from optimizer.solve.popmusic.first import first_day
from optimizer.solve.popmusic.neighbours import TOURS, VISITS, chosen_part
from optimizer.solve.popmusic.part import PartTask, solve_part
from optimizer.solve.route import Builder
from optimizer.solve.search import Day, Search
from tests.fixtures.problems import single_trip_day


def constructed(visits: int, seed: int) -> tuple[Search, Builder, Day]:
    """Return a day of single trips as the construction leaves it, and what made it."""
    builder = Builder(Facts(single_trip_day(visits, seed)))
    search = Search(builder, seed)
    return search, builder, search.construct()


def whole(visits: int, seed: int) -> tuple[Problem, PartTask]:
    """Return a small day, and all of it as one part."""
    _, builder, day = constructed(visits, seed)
    tours = tuple(route.visits if route else () for route in day.routes)
    trucks = tuple(range(len(day.routes)))
    return builder.facts.problem, PartTask(tuple(range(visits)), trucks, tours, 0.2, None)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Note the processes that crews start."""
    noted: list[subprocess.Popen[bytes]] = []
    start = crews._started

    def noting() -> subprocess.Popen[bytes]:
        noted.append(start())
        return noted[-1]

    monkeypatch.setattr(crews, "_started", noting)
    return noted


def test_parts_are_solved_by_processes_that_end_with_the_search(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    """Each part comes back with tours of its own, no visit twice; nobody is left behind."""
    day, task = whole(20, 1)
    tours = [tour for tour in enumerate(task.tours) if tour[1]]
    parts = [dataclasses.replace(task, visits=tour, trucks=(truck,), tours=(tour,))
             for truck, tour in tours]  # fmt: skip
    with crew(day, 2, 60.0) as solve_aside:
        answers = [future.result(60) for future in [solve_aside(part) for part in parts]]
    for part, answer in zip(parts, answers, strict=True):
        assert answer is not None
        assert [truck for truck, _ in answer] == [*part.trucks]
        assert sorted(visit for _, tour in answer for visit in tour) == sorted(part.visits)
    assert len(processes) == 2
    assert all(process.poll() is not None for process in processes)


def test_a_process_that_ends_takes_only_its_part_with_it(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    """A part whose process is killed has no result; another takes its place."""
    day, task = whole(20, 1)
    with crew(day, 2, 60.0) as solve_aside:
        processes[0].kill()
        processes[0].wait(10)
        answers = [solve_aside(task).result(60) for _ in range(6)]
    assert len(processes) == 3
    assert sum(answer is None for answer in answers) == 1


def test_little_time_starts_no_processes(processes: list[subprocess.Popen[bytes]]) -> None:
    """A search of a second solves its parts itself."""
    day, task = whole(12, 3)
    with crew(day, 2, 1.0) as solve_aside:
        answer = solve_aside(task).result()
    assert answer is not None
    assert not processes


def test_a_day_made_of_parts_is_legal_and_cheaper(
    processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes work on a day at once without getting in each other's way."""
    monkeypatch.setattr(crews, "WORTH_S", 1.0)
    day = single_trip_day(90, 4)
    start = check(day, solve(day, 0.0))
    found = check(day, solve(day, 6.0, 1, engines=(Popmusic(workers=2),)))
    assert len(processes) == 2
    assert found.legal
    assert found.score < start.score


def test_the_first_day_is_no_worse_than_its_start() -> None:
    """OR-Tools' construction is taken only where it is cheaper."""
    search, builder, start = constructed(60, 2)
    first = first_day(builder, search, start, monotonic() + 10.0, hours=False)
    assert first.cost <= start.cost
    assert first_day(builder, search, start, monotonic() - 1.0, hours=False) is start


def test_the_first_day_leaves_out_what_no_truck_may_serve() -> None:
    """A visit closed to all trucks keeps nobody from planning the others."""
    day = single_trip_day(30, 2)
    visits = (dataclasses.replace(day.visits[0], trucks=frozenset()), *day.visits[1:])
    builder = Builder(Facts(day.replace(visits=visits)))
    search = Search(builder, 2)
    first = first_day(builder, search, search.construct(), monotonic() + 5.0, hours=False)
    assert 0 in first.absent
    assert first.used


def test_a_part_keeps_off_trucks_that_are_busy() -> None:
    """Parts solved at the same time share no truck and no visit, and are not too large."""
    _, builder, day = constructed(90, 5)
    used = [truck for truck, route in enumerate(day.routes) if route]
    for seed in range(20):
        busy = set(used[:4])
        found = chosen_part(builder.facts, day, busy, frozenset(), Random(seed), annealed=True)
        assert found is not None
        visits, trucks = found
        assert not busy & {*trucks}
        theirs = {v for truck in busy if (route := day.routes[truck]) for v in route.visits}
        assert not theirs & {*visits}
        assert len(trucks) <= TOURS + 1  # one of them idle
        largest = max(len(route.visits) for route in day.routes if route)
        assert len(visits) < VISITS + largest
    assert chosen_part(builder.facts, day, {*used}, frozenset(), Random(0), annealed=True) is None


def test_an_annealed_part_seldom_puts_another_truck_into_use() -> None:
    """What is put into use while it is hot stays in use; but whatever is left out may need one."""
    search, builder, full = constructed(90, 5)
    day = search.day([None, *full.routes[1:]])

    def offered(absent: frozenset[int], annealed: bool) -> int:
        parts = (
            chosen_part(builder.facts, day, (), absent, Random(seed), annealed)
            for seed in range(100)
        )
        return sum(day.routes[trucks[-1]] is None for _, trucks in filter(None, parts))

    assert 0 < offered(frozenset(), annealed=True) < 30
    assert offered(frozenset({0}), annealed=True) == 100
    assert offered(frozenset(), annealed=False) == 100


def test_a_part_of_what_no_truck_can_drive_has_no_result() -> None:
    """Tours that are no tours are told by None, not by an exception in another process."""
    day, task = whole(20, 6)
    overfull = dataclasses.replace(task, trucks=(0,), tours=(task.visits * 40,))
    for temperature_eur in (None, 1.0):
        assert (
            solve_part(day, dataclasses.replace(overfull, temperature_eur=temperature_eur)) is None
        )


def cost(problem: Problem, tours: Iterable[tuple[int, tuple[int, ...]]]) -> float:
    """Return what tours cost, fixed costs of trucks left aside."""
    builder = Builder(Facts(problem))
    routes = [builder.from_visits(truck, tour) for truck, tour in tours if tour]
    return sum(route.cost for route in routes if route)


def test_a_part_is_annealed_from_the_tours_it_has() -> None:
    """Without warmth a part only gets cheaper, with much of it dearer again; all are served."""
    day, task = whole(54, 2)
    tours, costs = task.tours, [cost(day, enumerate(task.tours))]
    for temperature_eur in (0.0, 1000.0):
        found = solve_part(
            day,
            dataclasses.replace(task, tours=tours, seconds=0.3, temperature_eur=temperature_eur),
        )
        assert found is not None
        assert {v for _, tour in found for v in tour} == {v for tour in task.tours for v in tour}
        tours = tuple(tour for _, tour in sorted(found))
        costs.append(cost(day, found))
    begun, cold, hot = costs
    assert cold < begun
    assert cold < hot


def test_an_annealed_part_leaves_out_what_is_not_worth_its_way() -> None:
    """An optional visit without a prize leaves its tour; a mandatory one left out finds a place."""
    day, task = whole(54, 2)
    task = dataclasses.replace(task, seconds=0.3, temperature_eur=0.0)
    worthless = dataclasses.replace(day.visits[0], prize_eur=0.0)
    found = solve_part(day.replace(visits=(worthless, *day.visits[1:])), task)
    assert found is not None
    served = {visit for _, tour in found for visit in tour}
    assert served == {*range(1, 54)}
    without = tuple(tuple(visit for visit in tour if visit) for tour in task.tours)
    found = solve_part(day, dataclasses.replace(task, tours=without))
    assert found is not None
    assert {visit for _, tour in found for visit in tour} == {*range(54)}


def tight_day() -> Problem:
    """Return a day of single trips whose waste fills ten trucks to 98.5 %."""
    day = single_trip_day(90, 0)
    full_l = sum(sum(visit.litres) for visit in day.visits) / 10 / 0.985
    trucks = tuple(
        dataclasses.replace(
            truck,
            max_litres=full_l,
            compartments=(dataclasses.replace(truck.compartments[0], capacity_l=full_l),),
        )
        for truck in day.trucks
    )
    return day.replace(trucks=trucks)


def test_the_first_day_has_as_few_full_tours_as_savings_find() -> None:
    """Where loads are tight, savings side by side leave tours half empty; a tour less is tried."""
    builder = Builder(Facts(tight_day()))
    search = Search(builder, 1)
    start = search.construct()
    first = first_day(builder, search, start, monotonic() + 20.0, hours=False)
    assert start.used == 11
    assert not first.absent
    assert first.used == 10


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(0.0, 1.5), st.floats(0.0, 1.5))
def test_it_only_gets_colder(one: float, other: float, early: float, late: float) -> None:
    """Temperatures fall from the hottest to the coldest, and stay there."""
    cool = Cooling(max(one, other), min(one, other))
    assert cool.at(0.0) == pytest.approx(cool.hot_eur)
    assert cool.at(1.0) == cool.at(2.0) == pytest.approx(cool.cold_eur)
    assert cool.at(max(early, late)) <= cool.at(min(early, late)) * (1 + 1e-9)


def test_little_time_begins_cold() -> None:
    """A start is not heated where there is no time to cool it again."""
    _, _, day = constructed(90, 4)
    hottest = [cooling(day, seconds).hot_eur for seconds in (0.0, 1.0, 5.0, 60.0)]
    assert hottest == sorted(hottest)
    assert hottest[0] == pytest.approx(cooling(day, 0.0).cold_eur)
