"""What is stored of a published plan and of what its trucks reported, read at one instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from config.errors import PlanError
from optimizer.formats.event_json import EventPart, parse_event
from optimizer.formats.problem_json import parse_problem
from optimizer.model import Problem
from storage import basis, plans, replans, telemetry
from storage.plans import PlanRecord
from storage.replans import Report
from storage.rows import PositionRow


@dataclass(frozen=True, eq=False)
class Known:
    """What is read from storage in one transaction.

    Attributes:
        accepted: events of earlier proposals that were accepted.
        highest: stop number given so far, by tour.
    """

    plan: PlanRecord
    problem: Problem
    reports: Sequence[Report]
    positions: Mapping[str, PositionRow]
    accepted: Sequence[EventPart]
    highest: Mapping[str, int]


def read(connection: psycopg.Connection, plan: str) -> Known:
    """Return everything that is stored of a published plan's day.

    Raises:
        PlanError: there is no such plan, it does not count, or it was planned elsewhere.
    """
    record = plans.get(connection, plan)
    if record is None:
        raise PlanError(f"there is no plan {plan!r}")
    if record.state != "published":
        raise PlanError(f"plan {plan} is {record.state}; only a published plan can be re-planned")
    decided_on = basis.load(connection, plan)
    if decided_on is None:
        raise PlanError(f"plan {plan} was planned elsewhere; plan the day here to re-plan it")
    return Known(
        plan=record,
        problem=parse_problem(decided_on.problem, f"plan {plan}"),
        reports=replans.reports(connection, plan),
        positions=telemetry.latest_positions(connection),
        accepted=[parse_event(one) for one in replans.accepted_events(connection, plan)],
        highest=replans.highest_numbers(connection, plan),
    )
