"""Plan again during the day: storage to pure core to a proposal in storage."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from config.errors import SolverError
from config.region import Region
from jobs.published_day import read
from jobs.replan_record import replan_record
from jobs.running_day import running_day
from optimizer.formats.event_json import EventPart
from optimizer.replan import Polish, Proposal, Ways, replan, ruin_and_recreate
from optimizer.road_times import Places, TravelTimes
from storage import replans
from storage.queue import Fence

BUDGET_S = 1.2  # of searching; a dispatcher waits


@dataclass(frozen=True)
class ReplanOrder:
    """What happened to which plan."""

    plan: str
    events: tuple[EventPart, ...]


def run(
    connection: psycopg.Connection,
    region: Region,
    travel: TravelTimes,
    order: ReplanOrder,
    now: datetime,
    *,
    budget_s: float = BUDGET_S,
    polish: Polish | None = ruin_and_recreate,
    fence: Fence | None = None,
) -> tuple[str, Proposal]:
    """Answer events with a proposal and store it; no tour changes before it is accepted.

    Args:
        connection: idle.
        region: the facts.
        travel: see `jobs.plan_day.open_travel`.
        order: what happened.
        now: the instant, by the caller's clock.
        budget_s: seconds to search.
        polish: an engine that may improve the rest of the day.
        fence: the job this is done for.

    Raises:
        PlanError: the plan does not run, or an event names what is not there.
        SolverError: the answer breaks a rule.
        StaleResultError: the job was taken over by another worker meanwhile.

    Returns:
        The proposal's id, and the proposal.
    """
    events = tuple(_from_now(one, now) for one in order.events)
    with connection.transaction():
        known = read(connection, order.plan)
    day, happened, standing, places = running_day(known, region, travel, events, now)
    proposal = replan(
        day,
        happened,
        budget_s=budget_s,
        polish=polish,
        ways=ways_of(travel, places),
        standing=standing,
    )
    if proposal.report.violations:
        raise SolverError(
            f"the answer for {order.plan} is refused, it breaks a rule: "
            f"{proposal.report.violations[0].message}"
        )
    name = f"{order.plan}-r-{secrets.token_hex(3)}"
    record = replan_record(name, known, day, proposal, events, region, travel, now)
    replans.save(connection, record, fence)
    return name, proposal


def _from_now(one: EventPart, now: datetime) -> EventPart:
    """Return an event with its beginning written down, since it may hold for longer."""
    if getattr(one, "begin", now) is None:
        return one.model_copy(update={"begin": now})
    return one


def ways_of(travel: TravelTimes, places: Places) -> Ways:
    """Return what tells the geometry of legs between a day's locations."""

    def ways(stations: Sequence[int]) -> Sequence[NDArray[Any]]:
        return travel.route(places.take(np.asarray(stations))).legs

    return ways
