"""Plan a day: storage to pure core to storage."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import psycopg

from config.errors import PlanError
from config.region import Region
from config.settings import Settings
from jobs.record import basis_of, belief_rows, new_plan_id, plan_record
from jobs.snapshot import depot_of, service_of, take_snapshot
from optimizer.daily import DayPlan, SlicedTravel, explanation_document, plan_day
from optimizer.road_times import Places, TravelTimes
from optimizer.roads import open_roads
from optimizer.selection import Policy
from optimizer.solve.isolation import solve_isolated
from storage import basis, beliefs, plans
from storage.queue import Fence

MATRIX_PLACES = 2_000  # beyond this a matrix of all places is larger than what a day asks for


@dataclass(frozen=True)
class PlanOrder:
    """What to plan.

    Attributes:
        service: its id; None for the region's only one. Likewise `depot`.
        publish: whether the plan goes to the trucks at once.
        policy: what is worth a visit; None prices risk.
    """

    day: date
    service: str | None = None
    depot: str | None = None
    publish: bool = False
    policy: Policy | None = None
    seed: int = 0


def open_travel(settings: Settings, region: Region) -> TravelTimes:
    """Open a region's roads; a region of usual size gets one matrix of all its places.

    Raises:
        RoadsError: there are none.
    """
    travel = open_roads(region, settings.data_dir, osrm_url=settings.osrm_url)
    fixed = [(depot.lon, depot.lat) for depot in region.depots]
    fixed += [(facility.lon, facility.lat) for facility in region.facilities]
    points = [*fixed, *((site.lon, site.lat) for site in region.sites)]
    curb = [False] * len(fixed) + [site.curb for site in region.sites]
    return SlicedTravel(travel, Places.of(points, curb)) if len(points) <= MATRIX_PLACES else travel


def run(
    connection: psycopg.Connection,
    settings: Settings,
    region: Region,
    travel: TravelTimes,
    order: PlanOrder,
    now: datetime,
    *,
    budget_s: float | None = None,
    fence: Fence | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[str, DayPlan]:
    """Plan a day and store the plan, what was believed, and the news of it, all or nothing.

    Args:
        connection: idle; nothing is open on it while the solver runs.
        settings: budget and memory of the solver.
        region: the facts.
        travel: see `open_travel`.
        order: what to plan.
        now: the instant, by the caller's clock.
        budget_s: seconds the solver may search; the settings' when None.
        fence: the job this is done for.
        cancelled: asked while the solver runs.

    Raises:
        PlanError: the day cannot be planned as asked.
        SolverError: the solver failed, or broke a rule.
        StaleResultError: the job was taken over by another worker meanwhile.

    Returns:
        The plan's id, and the plan.
    """
    service = service_of(region, order.service)
    depot = depot_of(region, service, order.depot)
    with connection.transaction():
        snapshot = take_snapshot(connection, region, service, depot, order.day, now)
    if order.publish and snapshot.decided_at < now:
        raise PlanError(f"{order.day} is over; plan it without --publish, or a day to come")
    solve = partial(
        solve_isolated,
        budget_s=budget_s or settings.plan_budget_s,
        seed=order.seed,
        memory_mb=settings.solver_memory_mb,
        engines=settings.engine_names,
        cancelled=cancelled,
    )
    plan = plan_day(snapshot, travel, solve, order.policy)
    name = new_plan_id(plan)
    with connection.transaction():
        plans.save(connection, plan_record(plan, name, now), fence)
        basis.keep(connection, name, basis_of(plan), explanation_document(plan))
        if snapshot.decided_at == now:
            beliefs.save(connection, belief_rows(snapshot, plan.belief, plan.decision))
        if order.publish:
            plans.publish(connection, name, at=now)
    return name, plan
