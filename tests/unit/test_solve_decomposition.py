"""Large problems are divided: legal plans, the same for a seed, without arrays of all pairs.

The days here are small and divided by force, so the general search does the tasks' work; the
compiled one is run by the interpreter in one test.
"""

from __future__ import annotations

import dataclasses
import math
import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.check import check
from optimizer.model import (
    BreakRule,
    Compartment,
    Facility,
    Problem,
    Reason,
    Solution,
    TimeWindow,
    Tour,
    Truck,
    Underway,
    Visit,
)
from optimizer.solve import solve
from optimizer.solve.decomposition.division import Map, Size
from optimizer.solve.decomposition.embedding import coordinates
from optimizer.solve.decomposition.engine import Decomposition
from optimizer.solve.decomposition.subset import part_of
from optimizer.solve.decomposition.task import SubTask, work
from optimizer.solve.decomposition.zones import divided
from optimizer.travel import PlanarTravel

if TYPE_CHECKING:
    from optimizer.travel import Locations, Metres, Seconds

HOUR = 3600
BY_FORCE = Decomposition(workers=2, large=20, zone=Size(40, 2), near=Size(30, 3, most=60))
NO_LIMIT_S = 600.0


class SmallBlocks(PlanarTravel):
    """Straight lines that refuse to be asked for much at once."""

    MOST = 150 * 150

    def block(self, rows: Locations, columns: Locations) -> tuple[Seconds, Metres]:
        """Return a block of at most MOST pairs."""
        assert len(rows) * len(columns) <= self.MOST, "asked for too many pairs at once"
        return super().block(rows, columns)


def town(visits: int, seed: int = 0, trucks: int = 8, kinds: int = 1) -> Problem:
    """Return a day of several trips per truck, two facilities and a break, known by blocks."""
    random = np.random.default_rng(seed)
    places = random.uniform(0, 9000, (visits, 2))
    travel = SmallBlocks(
        np.vstack([[[4000, 3000], [9500, 8000], [500, 9000]], places]), seconds_per_unit=0.15
    )
    day = TimeWindow(6 * HOUR, 14 * HOUR)
    body = Compartment(frozenset({0}), 2500.0, 20_000.0)
    lunch = BreakRule("lunch", 1800, 9 * HOUR, 12 * HOUR, 0)
    return Problem(
        ("residual",),
        tuple(
            Visit(f"v{n}", 3 + n, (float(random.integers(60, 300)),), (500.0,), 120,
                  prize_eur=None if n % 5 else 40.0)
            for n in range(visits)
        ),
        tuple(Facility(f"yard-{n}", 1 + n, frozenset({0}), 600) for n in range(2)),
        tuple(
            Truck(f"t{n}", 0, 0, day, (body,), 2500.0, (lunch,), fixed_eur=30.0 + n % kinds,
                  eur_per_km=1.0, eur_per_h=20.0)
            for n in range(trucks)
        ),
        blocks=travel,
    )  # fmt: skip


def planned(day: Problem, effort: float = 0.01, start: Solution | None = None) -> Solution:
    """Return the day's plan by decomposition."""
    return solve(day, NO_LIMIT_S, seed=3, warm_start=start, effort=effort, division=BY_FORCE)


def test_a_divided_day_is_planned_legally_without_all_pairs() -> None:
    """The judge finds nothing; each visit is served or explained; no large block is asked for."""
    day = town(200, trucks=12)
    plan = planned(day, 0.004)
    report = check(day, plan)
    assert report.violations == ()
    assert plan.engine == "decomposition"
    served = {node for tour in plan.tours for node in tour.nodes if day.is_visit(node)}
    left_out = {entry.visit for entry in plan.unserved}
    assert served | left_out == set(range(200))
    assert not served & left_out
    assert sum(day.visits[visit].mandatory for visit in left_out) == 0


def test_same_seed_same_plan() -> None:
    """Steps end the search, not the clock: threads or not, the seed alone decides."""
    day = town(60)
    assert planned(day) == planned(day)


def test_nothing_worse_than_the_start_comes_back() -> None:
    """A plan that was given is improved, or returned."""
    day = town(60)
    start = planned(day)
    again = planned(day, 0.01, start)
    assert check(day, again).score <= check(day, start).score
    short = solve(day, 0.0, warm_start=start, division=BY_FORCE)
    assert check(day, short).score <= check(day, start).score


def test_without_time_there_is_a_first_plan() -> None:
    """However short the time, what the zones hold comes back, as from small problems."""
    day = town(60)
    plan = solve(day, 0.0, division=BY_FORCE)
    assert check(day, plan).legal
    assert len(plan.unserved) < 10


def test_more_work_makes_better_plans() -> None:
    """Rounds of neighbourhoods improve on what the zones hold."""
    day = town(60)
    assert check(day, planned(day, 0.03)).score < check(day, planned(day, 0.0)).score


def test_who_cannot_be_served_is_told_why() -> None:
    """Too heavy, wrong truck, not worth it: reasons come with large plans, too."""
    day = town(60)
    odd: dict[int, dict[str, Any]] = {
        0: {"prize_eur": 0.0},
        1: {"kg": (3000.0,)},
        2: {"trucks": frozenset[int]()},
    }
    visits = tuple(
        dataclasses.replace(visit, **odd.get(n, {})) for n, visit in enumerate(day.visits)
    )
    reasons = {entry.visit: entry.reason for entry in planned(day.replace(visits=visits)).unserved}
    assert reasons == {0: Reason.NOT_WORTH_IT, 1: Reason.CAPACITY, 2: Reason.NO_TRUCK}


def test_a_visit_gets_the_one_truck_that_may_serve_it() -> None:
    """Wherever the truck was dealt to, it reaches the neighbourhood of a visit that needs it."""
    day = town(60, kinds=8)
    visits = tuple(
        dataclasses.replace(visit, trucks=frozenset({7})) if n in {4, 33, 51} else visit
        for n, visit in enumerate(day.visits)
    )
    plan = planned(day.replace(visits=visits))
    truck_of = {node: tour.truck for tour in plan.tours for node in tour.nodes}
    assert {truck_of.get(visit) for visit in (4, 33, 51)} == {7}


def test_a_loaded_truck_on_its_way_unloads() -> None:
    """A truck that is underway ends empty, whether it gets something more to do or not."""
    day = town(40)
    aboard = Underway((2400.0,), (5000.0,), 5 * HOUR)
    fleet = tuple(
        dataclasses.replace(truck, underway=aboard, start=3 + n) if n in {2, 5} else truck
        for n, truck in enumerate(day.trucks)
    )
    day = day.replace(trucks=fleet)
    plan = planned(day)
    assert check(day, plan).violations == ()
    assert {2, 5} <= {tour.truck for tour in plan.tours}


def test_a_fleet_of_none_serves_nobody() -> None:
    """A large day without trucks needs no search to be refused."""
    plan = planned(town(60, trucks=0))
    assert plan.tours == ()
    assert Counter(entry.reason for entry in plan.unserved) == {Reason.NO_TRUCK: 60}


def test_a_task_is_the_same_work_elsewhere() -> None:
    """A task can be sent as bytes and done again, with the same result."""
    part = part_of(town(60), range(25), range(3))
    task = SubTask(part.problem, ((), (), ()), None, 5, 400, NO_LIMIT_S, 0.3, 0.01)
    done = work(task)
    assert work(pickle.loads(pickle.dumps(task))) == done  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(done)) == done  # noqa: S301
    assert sum(map(bool, done.best)) > 0


@pytest.mark.usefixtures("compiled_search")
def test_the_compiled_search_does_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is there, the tasks' work is the compiled search's; visits at one place are one."""
    monkeypatch.setattr("optimizer.solve.decomposition.engine.ROUNDS", 2)
    day = town(16, trucks=4)
    where = np.array(day.blocks.coordinates)  # type: ignore[union-attr]
    where[3 + 12] = where[3 + 11]
    day = day.replace(blocks=SmallBlocks(where, seconds_per_unit=0.15))
    plan = solve(day, NO_LIMIT_S, effort=0.002, division=dataclasses.replace(BY_FORCE, large=10))
    report = check(day, plan)
    assert report.violations == ()
    assert plan.unserved == ()
    following = [pair for t in plan.tours for pair in zip(t.nodes, t.nodes[1:], strict=False)]
    assert {(11, 12), (12, 11)} & set(following)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(*2 * [st.integers(-50, 50)]), min_size=1, max_size=60),
    st.integers(1, 9),
)
def test_points_are_divided_without_rest(points: list[tuple[int, int]], parts: int) -> None:
    """Every point is in exactly one part, and what lies in one place is in one part."""
    at = np.array(points, np.float64)
    found = divided(at, np.ones(len(at)), parts)
    assert 1 <= len(found) <= parts
    assert sorted(np.concatenate(found).tolist()) == list(range(len(at)))
    part_of_point = {n: index for index, part in enumerate(found) for n in part.tolist()}
    for n, point in enumerate(points):
        assert part_of_point[n] == part_of_point[points.index(point)]


def test_parts_are_balanced() -> None:
    """Parts of scattered points weigh about the same."""
    random = np.random.default_rng(0)
    weights = random.uniform(1, 3, 1000)
    sums = [weights[part].sum() for part in divided(random.normal(0, 1, (1000, 2)), weights, 7)]
    assert len(sums) == 7
    assert max(sums) < 1.1 * min(sums)


def test_places_are_found_from_travel_alone() -> None:
    """Straight lines give back the plane, but for turning it; no way out is just far away."""
    plane = np.random.default_rng(1).uniform(0, 1000, (40, 2))
    found = coordinates(PlanarTravel(plane), 0)
    for one, other in ((0, 5), (7, 30), (12, 39)):
        assert math.dist(found[one], found[other]) == pytest.approx(
            math.dist(plane[one], plane[other])
        )


class Island(PlanarTravel):
    """Straight lines, but nothing leads to or from location 3."""

    def block(self, rows: Locations, columns: Locations) -> tuple[Seconds, Metres]:
        """Return a block."""
        seconds, metres = super().block(rows, columns)
        away = (np.asarray(rows) == 3)[:, None] | (np.asarray(columns) == 3)[None, :]
        return np.where(away, -1, seconds), np.where(away, -1.0, metres)


def test_a_place_without_a_road_has_coordinates() -> None:
    """An unreachable place spoils no other."""
    plane = np.random.default_rng(1).uniform(0, 1000, (40, 2))
    assert np.isfinite(coordinates(Island(plane), 0)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(5, 40), st.integers(1, 4))
def test_neighbourhoods_hold_a_plan_once(seed: int, size: int, least: int) -> None:
    """Each tour and each visit left out is in one neighbourhood, by its own numbers."""
    day = town(60, trucks=9)
    tours = {t: (*range(8 * t, 8 * t + 8), 60 + t % 2) for t in range(6)}
    nears = list(Map(day).neighbourhoods(tours, Size(size, least), np.random.default_rng(seed)))
    assert sorted(v for near in nears for v in near.part.visits) == list(range(60))
    trucks = [truck for near in nears for truck in near.part.trucks]
    assert len(trucks) == len(set(trucks))
    assert set(trucks) >= set(tours)
    for near in nears:
        part = near.part
        for number, nodes in enumerate(near.tours):
            assert part.outer(nodes) == tours.get(part.trucks[number], ())
            names = [part.problem.node_id(node) for node in nodes]
            assert names == [day.node_id(node) for node in part.outer(nodes)]


def test_a_part_is_judged_like_the_whole() -> None:
    """A tour costs and takes the same in a part of the problem as in all of it."""
    day = town(30)
    tour = Tour(1, 6 * HOUR, (4, 9, 2, 31))
    part = part_of(day, [2, 4, 9, 20], [1, 5])
    mine = Tour(0, tour.start_s, part.inner(tour.nodes))
    whole, alone = (
        check(problem, Solution((one,))).tours[0]
        for problem, one in ((day, tour), (part.problem, mine))
    )
    assert (whole.km, whole.hours, whole.cost_eur) == (alone.km, alone.hours, alone.cost_eur)
