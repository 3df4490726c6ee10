"""Abuse: whatever a problem or a solver does, the caller lives and gets a clear answer."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.cores import cores
from config.errors import FileFormatError, ProblemError, SolverError
from optimizer.check import check
from optimizer.formats.problem_json import parse_problem, problem_document
from optimizer.model import (
    BreakRule,
    Compartment,
    Energy,
    Facility,
    Problem,
    QueueSpan,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Visit,
    empty_problem,
)
from optimizer.solve.isolation import Pool, Task, Worker, solve_isolated
from tests.fixtures.problems import city_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

H = 3600


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One child for all well-formed problems."""
    with Worker() as child:
        yield child


def with_first_visit(**changes: Any) -> Problem:
    """Return a day whose first visit is changed."""
    day = city_day(8)
    return day.replace(visits=(dataclasses.replace(day.visits[0], **changes), *day.visits[1:]))


def with_trucks(**changes: Any) -> Problem:
    """Return a day whose trucks are all changed."""
    day = city_day(8)
    return day.replace(trucks=tuple(dataclasses.replace(t, **changes) for t in day.trucks))


def matrix(change: Callable[[np.ndarray], Any]) -> Callable[[], Problem]:
    """Return a builder of a day with a changed travel matrix."""

    def build() -> Problem:
        day = city_day(8)
        return day.replace(duration_s=change(day.duration_s.copy()))

    return build


def filled(value: float, dtype: Any = np.int64) -> Callable[[np.ndarray], Any]:
    """Return a change that writes one value everywhere."""
    return lambda seconds: np.full(seconds.shape, value, dtype=dtype)


# The inputs that were measured to kill OR-Tools, or to make it answer "optimal, cost 0".
MALFORMED: dict[str, tuple[Callable[[], Problem], str]] = {
    "depot out of range": (lambda: with_trucks(start=99), "trucks[0].start"),
    "no compartment": (lambda: with_trucks(compartments=()), "trucks[0].compartments"),
    "zero nodes": (
        lambda: city_day(8).replace(duration_s=np.zeros((0, 0), int), distance_m=np.zeros((0, 0))),
        "visits[0].location",
    ),
    "NaN matrix": (matrix(filled(np.nan, float)), "duration_s"),
    "float matrix": (matrix(filled(1.5, float)), "duration_s"),
    "None matrix": (matrix(lambda seconds: None), "duration_s"),
    "objects in matrix": (matrix(lambda s: np.full(s.shape, None)), "duration_s"),
    "more than 64 bits": (matrix(lambda s: np.full(s.shape, 2**70, object)), "duration_s"),
    "matrix too short": (matrix(lambda seconds: seconds[:-1]), "duration_s"),
    "matrices of two sizes": (matrix(lambda seconds: seconds[:-1, :-1]), "distance_m"),
    "saturated": (matrix(filled(5 * 10**18)), "duration_s"),
    "negative travel": (matrix(filled(-7)), "duration_s"),
    "reversed window": (
        lambda: with_first_visit(windows=(TimeWindow(9 * H, 8 * H),)),
        "visits[0].windows",
    ),
    "short demand": (lambda: with_first_visit(kg=(1.0,)), "visits[0].kg"),
    "negative demand": (lambda: with_first_visit(kg=(-1.0, 0.0, 0.0)), "visits[0].kg"),
    "infinite demand": (lambda: with_first_visit(litres=(np.inf, 0.0, 0.0)), "visits[0].litres"),
    "service is no number": (lambda: with_first_visit(service_s="soon"), "visits[0].service_s"),
    "unknown truck": (lambda: with_first_visit(trucks=frozenset({9})), "visits[0].trucks"),
    "negative cost": (lambda: with_trucks(eur_per_km=-1.0), "trucks[0].eur_per_km"),
    "one id twice": (lambda: with_first_visit(id="site-1"), "visits"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_problem_is_refused_with_its_field(case: str) -> None:
    """Nothing malformed reaches a solver: building the problem names the field."""
    build, field = MALFORMED[case]
    with pytest.raises(ProblemError) as refused:
        build()
    assert refused.value.field == field
    assert "\n" not in str(refused.value)


HARD: dict[str, Callable[[], Problem]] = {
    "nothing at all": empty_problem,
    "no vehicles": lambda: city_day(8).replace(
        trucks=(), visits=tuple(dataclasses.replace(v, trucks=None) for v in city_day(8).visits)
    ),
    "no visits": lambda: city_day(8).replace(visits=()),
    "no facilities": lambda: city_day(8).replace(facilities=()),
    "too heavy for any truck": lambda: with_first_visit(kg=(9e6, 0.0, 0.0), prize_eur=None),
    "window before the shift": lambda: with_first_visit(windows=(TimeWindow(0, 60),)),
    "no road anywhere": matrix(filled(-1)),
    "all in one place": matrix(filled(0)),
    "as far as can be": matrix(filled(10**12)),
    "dear beyond measure": lambda: with_trucks(eur_per_km=1e12, eur_per_h=1e12, fixed_eur=1e12),
    "prize beyond measure": lambda: with_first_visit(prize_eur=1e12),
    "shift of no length": lambda: with_trucks(shift=TimeWindow(7 * H, 7 * H)),
    "no capacity": lambda: with_trucks(payload_kg=0.0),
    "break longer than the shift": lambda: with_trucks(
        breaks=(BreakRule("ArbZG §4", 20 * H, 0, 20 * H),)
    ),
    "no stop allowed": lambda: with_trucks(max_stops=0, max_driving_s=0),
}


@pytest.mark.parametrize("case", HARD)
def test_hard_problem_gets_a_legal_plan(worker: Worker, case: str) -> None:
    """Whatever cannot be served is in the list of the unserved; the rest is planned."""
    day = HARD[case]()
    solution = worker.solve(Task(day, budget_s=1.0, effort=0.05))
    report = check(day, solution)
    assert report.legal
    served = {node for tour in solution.tours for node in tour.nodes if day.is_visit(node)}
    assert served | {entry.visit for entry in solution.unserved} == set(range(len(day.visits)))


@st.composite
def wild_problems(draw: st.DrawFn) -> Problem:
    """Well-formed problems with hostile numbers."""
    size = draw(st.integers(1, 6))
    places = st.integers(0, size - 1)
    seconds = st.one_of(st.integers(0, 4000), st.just(-1), st.just(10**12), st.just(0))
    amounts = st.one_of(st.floats(0, 1000), st.just(0.0), st.just(1e12))
    euros = st.one_of(st.floats(0, 100), st.just(0.0), st.just(1e12))

    def windows(most: int) -> tuple[TimeWindow, ...]:
        found = []
        for _ in range(draw(st.integers(0, most))):
            opens = draw(st.integers(0, 50_000))
            found.append(TimeWindow(opens, opens + draw(st.integers(0, 40_000))))
        return tuple(found)

    def breaks(most: int) -> tuple[BreakRule, ...]:
        return tuple(
            BreakRule("b", draw(st.integers(0, 5000)), at := draw(st.integers(0, 40_000)),
                      at + draw(st.integers(0, 20_000)), draw(st.integers(0, 30_000)),
                      draw(st.booleans()))
            for _ in range(draw(st.integers(0, most)))
        )  # fmt: skip

    def queue() -> tuple[QueueSpan, ...]:
        steps = draw(st.dictionaries(st.integers(0, 60_000), st.integers(0, 9000), max_size=2))
        return tuple(QueueSpan(at, wait) for at, wait in sorted(steps.items()))

    fractions = draw(st.integers(1, 3))
    some = st.frozensets(st.integers(0, fractions - 1))
    count = draw(st.integers(0, 3))
    trucks = tuple(
        Truck(
            id=f"t{n}",
            start=draw(places),
            end=draw(places),
            shift=TimeWindow(opens := draw(st.integers(0, 40_000)),
                             opens + draw(st.integers(0, 40_000))),
            compartments=(Compartment(draw(some), draw(amounts), draw(amounts)),),
            payload_kg=draw(amounts),
            breaks=breaks(2),
            break_options=tuple(breaks(2) for _ in range(draw(st.integers(0, 1)))),
            latest_start_s=draw(st.one_of(st.none(), st.integers(opens, opens + 40_000))),
            max_tour_s=draw(st.one_of(st.none(), st.integers(0, 40_000))),
            overtime_after_s=draw(st.one_of(st.none(), st.integers(0, 30_000))),
            overtime_eur_per_h=draw(euros),
            overnight_load_allowed=draw(st.booleans()),
            energy=draw(
                st.one_of(st.none(), st.builds(Energy, amounts, amounts, amounts, amounts))
            ),
            max_stops=draw(st.one_of(st.none(), st.integers(0, 4))),
            max_driving_s=draw(st.one_of(st.none(), st.integers(0, 20_000))),
            max_driving_between_breaks_s=draw(st.one_of(st.none(), st.integers(0, 9000))),
            fixed_eur=draw(euros),
            eur_per_km=draw(euros),
            eur_per_h=draw(euros),
        )
        for n in range(count)
    )  # fmt: skip
    visits = tuple(
        Visit(
            id=f"v{n}",
            location=draw(places),
            kg=tuple(draw(amounts) for _ in range(fractions)),
            litres=tuple(draw(amounts) for _ in range(fractions)),
            service_s=draw(st.integers(0, 2000)),
            windows=windows(2),
            prize_eur=draw(st.one_of(st.none(), euros)),
            trucks=draw(st.one_of(st.none(), st.frozensets(st.integers(0, count - 1))))
            if count
            else None,
        )
        for n in range(draw(st.integers(0, 6)))
    )
    facilities = tuple(
        Facility(f"f{n}", draw(places), draw(some), draw(st.integers(0, 2000)), windows(2), queue())
        for n in range(draw(st.integers(0, 2)))
    )
    matrix_s = np.array([[draw(seconds) for _ in range(size)] for _ in range(size)], np.int64)
    return Problem(
        tuple(f"fr{n}" for n in range(fractions)), visits, facilities, trucks, matrix_s,
        np.minimum(np.abs(matrix_s) * 8.0, 1e12), balance_eur_per_h=draw(euros),
    )  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(day=wild_problems())
def test_wild_problems_get_legal_plans(worker: Worker, day: Problem) -> None:
    """Hostile numbers, empty fleets, unreachable places, closed windows: always a legal plan."""
    solution = worker.solve(Task(day, budget_s=0.4, effort=0.05))
    assert check(day, solution).legal


HOSTILE: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, -1, 0, 1, 99, 2**70, -(2**70), 0.5, float("nan"), float("inf"), -1e400, 1e308,
        "", "site-0", "truck-0", "yard-0", "\x00", [], {}, [[]], [1], [0, 0], [9, 1], {"x": 1},
    ]
)  # fmt: skip


def _spots(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to every value in a JSON document, but for most of the matrices."""
    keys = part if isinstance(part, dict) else range(min(len(part), 4))
    for key in keys:
        yield (*path, key)
        if isinstance(part[key], dict | list):
            yield from _spots(part[key], (*path, key))


@settings(deadline=None, max_examples=500)
@given(data=st.data())
def test_hostile_documents_are_refused_or_planned(worker: Worker, data: st.DataObject) -> None:
    """A problem file with hostile values: one line that names the field, or a legal plan."""
    document = problem_document(city_day(4, trucks=2))
    spots = list(_spots(document))
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(spots))
        part = document
        with suppress(TypeError, KeyError, IndexError):  # an earlier change took the place away
            for key in path:
                part = part[key]
            part[last] = data.draw(HOSTILE)
    try:
        day = parse_problem(document, "day.json")
    except FileFormatError as refused:
        said = str(refused)
        assert said.startswith("day.json: ")
        assert "\n" not in said
    else:
        assert check(day, worker.solve(Task(day, budget_s=0.4, effort=0.05))).legal


def _abort(pipe: Connection, memory_mb: int) -> None:
    pipe.recv()
    os.kill(os.getpid(), signal.SIGABRT)


def _exit(pipe: Connection, memory_mb: int) -> None:
    pipe.recv()
    os._exit(3)


def _hang(pipe: Connection, memory_mb: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe.recv()
    time.sleep(600)


def _swell(pipe: Connection, memory_mb: int) -> None:
    pipe.recv()
    kept = []
    while True:
        kept.append(b"x" * 10_000_000)
        time.sleep(0.01)


def _lie(pipe: Connection, memory_mb: int) -> None:
    pipe.recv()
    pipe.send(Solution((Tour(0, 0, (0, 0, 0)),)))
    time.sleep(5)


def _rave(pipe: Connection, memory_mb: int) -> None:
    pipe.recv()
    pipe.send("nonsense")
    time.sleep(5)


@pytest.mark.parametrize(
    ("child", "memory_mb", "said"),
    [
        (_abort, 2048, "by SIGABRT"),
        (_exit, 2048, "with code 3"),
        (_swell, 200, "more than 200 MB"),
        (_lie, 2048, "illegal plan"),
        (_rave, 2048, "ended"),
    ],
)
def test_wild_child_ends_in_a_clear_error(
    child: Callable[[Connection, int], None], memory_mb: int, said: str
) -> None:
    """A child that dies, swells, lies or raves is ended, and one line says what happened."""
    with Worker(memory_mb, child) as wild, pytest.raises(SolverError) as error:
        wild.solve(Task(city_day(8), budget_s=5.0))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_child_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ignores its budget and SIGTERM is gone soon after its time."""
    monkeypatch.setattr("optimizer.solve.isolation.GRACE_S", 0.5)
    with Worker(target=_hang) as wild:
        began = time.monotonic()
        with pytest.raises(SolverError, match="did not stop in time"):
            wild.solve(Task(city_day(8), budget_s=0.1))
    assert time.monotonic() - began < 6.0


def test_solving_is_cancelled_at_once() -> None:
    """A cancelled solve ends within two seconds and leaves no child behind."""
    asked = threading.Event()
    threading.Timer(1.5, asked.set).start()
    with pytest.raises(SolverError, match="cancelled"):
        solve_isolated(city_day(60), 60.0, effort=50.0, cancelled=asked.is_set)
    since = time.monotonic()
    assert not [p for p in psutil.Process().children(recursive=True) if p.cpu_percent(0.2) > 20]
    assert time.monotonic() - since < 2.0


def test_worker_lives_on_after_a_dead_child() -> None:
    """The task after a failed one gets a new child."""
    with Worker() as child:
        child.solve(Task(city_day(5), 1.0, effort=0.05))
        [process] = [p for p in psutil.Process().children(recursive=True)
                     if p.pid == child.process_id]  # fmt: skip
        process.kill()
        process.wait()
        with pytest.raises(SolverError, match="SIGKILL"):
            child.solve(Task(city_day(5), 1.0, effort=0.05))
        assert check(city_day(5), child.solve(Task(city_day(5), 1.0, effort=0.05))).legal


def test_pool_keeps_the_order_of_its_tasks() -> None:
    """Many small solves side by side give the same plans as one after the other."""
    tasks = [Task(city_day(6, seed), 20.0, seed, effort=0.05) for seed in range(6)]
    with Pool(2) as pool:
        together = pool.map(tasks)
        assert together == pool.map(tasks)
    assert together[3] == solve_isolated(city_day(6, 3), 20.0, 3, effort=0.05)


@pytest.mark.parametrize(("day", "engines"), [("city_day", ()), ("single_trip_day", ("ortools",))])
def test_search_dies_with_its_caller(day: str, engines: tuple[str, ...]) -> None:
    """Kill -9 of the caller amid a search leaves no solver behind, nor a process of its crew."""
    code = (
        "import time\n"
        "from optimizer.solve.isolation import Worker, Task\n"
        f"from tests.fixtures.problems import {day}\n"
        f"w = Worker(); w.give(Task({day}(150, 1), 120.0, effort=100.0, engines={engines}))\n"
        "print(w.process_id, flush=True); time.sleep(120)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        crew = cores() if engines and cores() > 1 else 0
        until = time.monotonic() + 60
        while (_burnt_s(child) < 5.0 or len(child.children()) < crew) and time.monotonic() < until:
            time.sleep(0.1)
        solvers = [child, *child.children()]
        assert len(solvers) == 1 + crew
        assert all(_runs(solver) for solver in solvers)
        parent.kill()
        parent.wait()
    until = time.monotonic() + 5
    while any(_runs(solver) for solver in solvers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [solver for solver in solvers if _runs(solver)]


def _burnt_s(process: psutil.Process) -> float:
    """Return the CPU time of a process and its children; start-up takes about 2 s of it."""
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children()])


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
