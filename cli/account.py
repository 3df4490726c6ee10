"""What a simulated day came to, with the same day under the fixed calendar beside it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from typing import Any

import psycopg

from config.errors import DatabaseError
from config.region import Region
from config.settings import Settings
from jobs.plan_day import open_travel
from jobs.record import plan_record
from jobs.snapshot import depot_of, service_of, take_snapshot
from optimizer.check import check
from optimizer.daily import plan_day
from optimizer.formats.plan_json import parse_plan
from optimizer.formats.problem_json import parse_problem
from optimizer.selection import FixedCalendar
from optimizer.solve.isolation import solve_isolated
from storage import basis, plans, telemetry
from storage.database import Database
from storage.plans import PlanRecord
from storage.telemetry import Totals


@dataclass(frozen=True)
class Figures:
    """What a day's tours are, however the containers were chosen.

    Attributes:
        tonnes: as planned.
        eur: vehicles and crews; overflowing containers are not priced in.
        overflowing_avoided: containers that would overflow before the next collection day, and
            are emptied.
    """

    containers: int = 0
    tours: int = 0
    stops: int = 0
    trips: int = 0
    km: float = 0.0
    hours: float = 0.0
    tonnes: float = 0.0
    eur: float = 0.0
    overflowing_avoided: int = 0


@dataclass(frozen=True)
class Account:
    """A day's account.

    Attributes:
        would_overflow: containers that overflow before the next collection day if none is emptied.
        violations: rules that the published plans break, by the independent checker.
        told: what the simulated city sent and did.
    """

    title: str
    day: str
    readings: int
    fixes: int
    events: int
    dead_letters: int
    tours_acknowledged: int
    violations: int
    would_overflow: int
    calendar_days: tuple[int, ...]
    risk_priced: Figures
    calendar: Figures
    told: dict[str, Any] = field(default_factory=dict)
    wall_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        return asdict(self)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """Yield the lines of the table: label, ours, the calendar's."""
        ours, theirs = self.risk_priced, self.calendar
        yield "readings stored", f"{self.readings:,}", ""
        yield "fixes stored", f"{self.fixes:,}", ""
        yield "dead letters", f"{self.dead_letters:,}", ""
        yield "tours acknowledged", f"{self.tours_acknowledged}", ""
        yield "rule violations", f"{self.violations}", ""
        yield "containers chosen", f"{ours.containers}", f"{theirs.containers}"
        yield "tours", f"{ours.tours}", f"{theirs.tours}"
        yield "stops", f"{ours.stops}", f"{theirs.stops}"
        yield "trips", f"{ours.trips}", f"{theirs.trips}"
        yield "km", f"{ours.km:.1f}", f"{theirs.km:.1f}"
        yield "hours", f"{ours.hours:.1f}", f"{theirs.hours:.1f}"
        yield "tonnes", f"{ours.tonnes:.1f}", f"{theirs.tonnes:.1f}"
        yield "cost, EUR", f"{ours.eur:.0f}", f"{theirs.eur:.0f}"
        yield (
            f"overflowing avoided, of {self.would_overflow}",
            f"{ours.overflowing_avoided}",
            f"{theirs.overflowing_avoided}",
        )
        yield "wall time, s", f"{self.wall_s:.0f}", ""


def take_account(
    database: Database,
    region: Region,
    settings: Settings,
    day: date,
    before: Totals,
    told: dict[str, Any],
) -> Account:
    """Give account of a day that was played.

    Args:
        database: where it was kept.
        region: what was played.
        settings: the solver's limits.
        day: the day.
        before: what was stored before it began.
        told: the city's own summary of the day.
    """
    with database.connect() as connection:
        totals = telemetry.totals(connection)
        published = published_on(connection, region, day)
        violations = sum(_violations(connection, plan) for plan in published)
    calendar = [_under_calendar(database, region, settings, plan) for plan in published]
    would_overflow = set(told.get("would_overflow", ()))
    return Account(
        title=f"{region.name}, {day:%A %d %B %Y}",
        day=day.isoformat(),
        readings=totals.level - before.level,
        fixes=totals.position - before.position,
        events=totals.event - before.event,
        dead_letters=totals.dead_letter - before.dead_letter,
        tours_acknowledged=sum(
            bool(tour.accepted) and tour.acknowledged_revision == tour.revision
            for plan in published
            for tour in plan.tours
        ),
        violations=violations,
        would_overflow=len(would_overflow),
        calendar_days=tuple(sorted({service.calendar_days for service in region.services})),
        risk_priced=_figures(published, would_overflow),
        calendar=_figures(calendar, would_overflow),
        told=told,
    )


def duties(region: Region, day: date) -> list[tuple[str, str]]:
    """Return service and depot of every plan that a day needs."""
    return sorted(
        {
            (service.id, vehicle.depot)
            for service in region.services
            if region.is_collection_day(service, day)
            for vehicle in region.vehicles
            if service.id in vehicle.services
        }
    )


def published_on(connection: psycopg.Connection, region: Region, day: date) -> list[PlanRecord]:
    """Return the plans that count on a day."""
    found = [plans.published(connection, day, *duty) for duty in duties(region, day)]
    return [plan for plan in found if plan]


def _violations(connection: psycopg.Connection, plan: PlanRecord) -> int:
    """Judge a stored plan again, from what was stored of it."""
    kept = basis.load(connection, plan.id)
    if kept is None:
        raise DatabaseError(f"plan {plan.id} has no basis to judge it by; plan the day again")
    problem = parse_problem(kept.problem, plan.id)
    read = parse_plan(kept.solution, plan.id, problem)
    return len(read.unknown) + len(check(problem, read.solution).violations)


def _under_calendar(
    database: Database, region: Region, settings: Settings, plan: PlanRecord
) -> PlanRecord:
    """Plan the same day, known as it was known then, by the fixed calendar."""
    service = service_of(region, plan.service)
    depot = depot_of(region, service, plan.depot)
    with database.connect() as connection:
        at = plan.created_at
        snapshot = take_snapshot(connection, region, service, depot, plan.day, at)
    solve = partial(
        solve_isolated,
        budget_s=settings.plan_budget_s,
        seed=plan.seed,
        memory_mb=settings.solver_memory_mb,
        engines=settings.engine_names,
    )
    travel = open_travel(settings, region)
    policy = FixedCalendar(service.calendar_days)
    planned = plan_day(snapshot, travel, solve, policy, geometry=False, explained=False)
    return plan_record(planned, f"{plan.id}-calendar", plan.created_at)


def _figures(planned: list[PlanRecord], would_overflow: set[str]) -> Figures:
    tours = [tour for plan in planned for tour in plan.tours if tour.stops]
    visits = [stop for tour in tours for stop in tour.stops if stop.kind == "visit"]
    emptied = {container for stop in visits for container in stop.containers}
    return Figures(
        containers=len(emptied),
        tours=len(tours),
        stops=len(visits),
        trips=sum(tour.trips for tour in tours),
        km=round(sum(tour.km for tour in tours), 1),
        hours=round(sum(tour.hours for tour in tours), 1),
        tonnes=round(sum(stop.kg for stop in visits) / 1000, 2),
        eur=round(sum(sum(plan.cost.values()) for plan in planned), 2),
        overflowing_avoided=len(emptied & would_overflow),
    )
