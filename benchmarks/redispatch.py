"""Planning again during a 300-stop day: how long a dispatcher waits, and what else changes.

Random single events at random times of a day that has gone as planned until then. Streets of a
city where an extract is given, else straight lines in a plane.
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import load_average, processor, versions
from benchmarks.optimizer.streets import street_day
from config.errors import PlanError
from optimizer.check import check
from optimizer.model import (
    BreakRule,
    Compartment,
    Facility,
    Problem,
    Solution,
    TimeWindow,
    Truck,
    Visit,
)
from optimizer.replan import (
    Breakdown,
    CancelStop,
    DriverSwap,
    Event,
    FacilityClosed,
    Proposal,
    RunningDay,
    StopState,
    TruckFull,
    UrgentStop,
    replan,
    ruin_and_recreate,
)
from optimizer.replan.progress import as_planned
from optimizer.solve import solve

HOUR = 3600
LOCKED = 0.05  # share of the stops that are locked


@dataclass(frozen=True)
class Outcome:
    """One event and its answer."""

    kind: str
    wall_s: float
    cpu_s: float
    legal: bool
    locked_moved: int
    others_share: float  # moved, dropped or re-ordered among all pending stops of other tours
    undone: int


def planar_day(size: int, seed: int) -> Problem:
    """Return a day in a plane: clusters of stops, two facilities, one break, 10 t trucks."""
    random = np.random.default_rng(seed)
    centres = random.uniform(-8000, 8000, (max(4, size // 40), 2))
    stops = centres[random.integers(len(centres), size=size)] + random.normal(0, 900, (size, 2))
    xy = np.vstack([[[0, 0], [7000, 6000], [-8000, 1000]], stops])
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * 1.35
    seconds = np.rint(metres / (32 / 3.6)).astype(np.int64)
    kg = random.integers(60, 400, size)
    service_s = random.integers(120, 300, size)
    fleet = int(np.ceil((kg.sum() / 10_000 * 2400 + service_s.sum() + size * 75) / (8 * HOUR))) + 1
    shift, rest = TimeWindow(6 * HOUR, 14 * HOUR + 1800), (8 * HOUR, 12 * HOUR, 6 * HOUR)
    return Problem(
        ("residual",),
        tuple(
            Visit(f"stop-{n}", 3 + n, (float(kg[n]),), (0.0,), int(service_s[n]))
            for n in range(size)
        ),
        tuple(
            Facility(f"facility-{n}", 1 + n, frozenset({0}), 900,
                     (TimeWindow(7 * HOUR, 16 * HOUR),))
            for n in range(2)
        ),
        tuple(
            Truck(f"truck-{n}", 0, 0, shift, (Compartment(frozenset({0}), 10_000.0, 1e9),),
                  10_000.0, (BreakRule("ArbZG §4", 1800, *rest),), fixed_eur=150.0,
                  eur_per_km=0.9, eur_per_h=60.0)
            for n in range(fleet)
        ),
        seconds,
        metres,
        f"plane {size}",
    )  # fmt: skip


def some_event(day: RunningDay, random: np.random.Generator) -> Event:
    """Return a random event that can happen now."""
    problem = day.problem
    driving = [tour for tour in day.tours if tour.left and tour.pending]
    tour = driving[random.integers(len(driving))]
    truck = problem.trucks[tour.truck]
    free = [
        stop.node
        for one in day.tours
        for stop in one.pending
        if problem.is_visit(stop.node) and stop.state is StopState.PENDING
    ]
    match int(random.integers(6)):
        case 0:
            return Breakdown(truck.id)
        case 1:
            return TruckFull(truck.id)
        case 2:
            return FacilityClosed(f"facility-{random.integers(2)}", day.now_s, day.now_s + 2 * HOUR)
        case 3:
            near = problem.visits[free[random.integers(len(free))]].location
            return UrgentStop(Visit("urgent", near, (200.0,), (0.0,), 240))
        case 4:
            back_s = max(day.now_s + 2 * HOUR, truck.shift.latest_s - HOUR)
            return DriverSwap(truck.id, TimeWindow(day.now_s, back_s), (), None)
        case _:
            return CancelStop(problem.node_id(free[random.integers(len(free))]))


def measure(day: RunningDay, event: Event, budget_s: float) -> Outcome:
    """Answer one event."""
    began, began_cpu = time.perf_counter(), time.process_time()
    proposal = replan(day, [event], budget_s=budget_s, polish=ruin_and_recreate)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    return Outcome(
        type(event).__name__,
        wall_s,
        cpu_s,
        proposal.report.legal,
        locked_moved(day, proposal),
        changed_share(day, event, proposal),
        len(proposal.undone),
    )


def locked_moved(day: RunningDay, proposal: Proposal) -> int:
    """Count locked stops that another truck would serve."""
    locked = {
        day.problem.node_id(stop.node)
        for tour in day.tours
        for stop in tour.pending
        if stop.state is StopState.LOCKED
    }
    return sum(one.visit in locked for one in proposal.moved)


def changed_share(day: RunningDay, event: Event, proposal: Proposal) -> float:
    """Return the share of the other tours' pending stops that changed truck or order."""
    own = getattr(event, "truck", None)
    pending = {
        day.problem.node_id(stop.node): day.problem.trucks[tour.truck].id
        for tour in day.tours
        for stop in tour.pending
        if day.problem.is_visit(stop.node) and day.problem.trucks[tour.truck].id != own
    }
    changed = {one.visit for one in proposal.moved} | {visit for visit, _ in proposal.reordered}
    changed |= {one.visit for one in proposal.undone}
    return len(changed & pending.keys()) / max(1, len(pending))


def plan_of(problem: Problem, budget_s: float, kept: Path) -> Solution:
    """Return a plan of the day, computed once."""
    if kept.is_file():
        from optimizer.model import Tour

        tours = json.loads(kept.read_text())
        return Solution(tuple(Tour(t, s, tuple(nodes)) for t, s, nodes in tours))
    found = solve(problem, budget_s)
    assert check(problem, found).legal
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps([[t.truck, t.start_s, t.nodes] for t in found.tours]))
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extract", type=Path, help="a city's .osm.pbf; else a plane")
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--budget", type=float, default=1.2, help="seconds to search an answer")
    parser.add_argument("--plan-budget", type=float, default=20.0)
    parser.add_argument("--cache", type=Path, default=Path(".cache/redispatch"))
    chosen = parser.parse_args()
    if chosen.extract:
        problem = street_day(chosen.extract, chosen.size, chosen.cache)
    else:
        problem = planar_day(chosen.size, 1)
    kept = chosen.cache / f"{problem.name.replace(' ', '-')}-plan.json"
    solution = plan_of(problem, chosen.plan_budget, kept)
    random = np.random.default_rng(7)
    visits = [n for tour in solution.tours for n in tour.nodes if problem.is_visit(n)]
    outcomes, refused = [], Counter[str]()
    for _ in range(chosen.events):
        locked = frozenset(
            int(v) for v in random.choice(visits, round(LOCKED * len(visits)), replace=False)
        )
        now_s = int(random.integers(7 * HOUR, 12 * HOUR))
        day = as_planned(problem, solution, now_s, locked)
        event = some_event(day, random)
        try:
            outcomes.append(measure(day, event, chosen.budget))
        except PlanError as error:
            refused[f"{type(event).__name__}: {error}"] += 1
    show(problem, solution, outcomes, refused)


def show(
    problem: Problem, solution: Solution, outcomes: list[Outcome], refused: Counter[str]
) -> None:
    """Print what was found."""
    print(f"{problem.name}: {len(problem.visits)} stops, {len(solution.tours)} tours; "
          f"{processor()}, {versions('numpy')}, load {load_average():.1f}")  # fmt: skip
    print(f"{'event':16}{'n':>4}{'p50 s':>8}{'p95 s':>8}{'max s':>8}{'cpu p50':>9}{'cpu p95':>9}"
          f"{'legal':>7}{'locked':>8}{'others p95':>12}{'max':>7}{'undone':>8}")  # fmt: skip
    kinds = sorted({one.kind for one in outcomes})
    for kind in [*kinds, "all"]:
        some = [one for one in outcomes if kind in ("all", one.kind)]
        wall, cpu = (np.array([getattr(o, name) for o in some]) for name in ("wall_s", "cpu_s"))
        share = np.array([one.others_share for one in some])
        print(
            f"{kind:16}{len(some):4}{np.quantile(wall, 0.5):8.2f}{np.quantile(wall, 0.95):8.2f}"
            f"{wall.max():8.2f}{np.quantile(cpu, 0.5):9.2f}{np.quantile(cpu, 0.95):9.2f}"
            f"{sum(o.legal for o in some):7}{sum(o.locked_moved for o in some):8}"
            f"{np.quantile(share, 0.95):12.3f}{share.max():7.3f}{sum(o.undone for o in some):8}"
        )
    for said, count in refused.items():
        print(f"refused {count}: {said}")


if __name__ == "__main__":
    main()
