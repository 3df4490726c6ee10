"""What the planner believes about each container: the newest computation only."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import psycopg

from storage.sql import queries

_SQL = queries("beliefs")


class BeliefRow(NamedTuple):
    """The belief about one container.

    `fill` and `fill_sd` are shares of its volume, `overflow_risk` the chance that it overflows
    before the next possible visit, `prize_eur` what emptying it is worth.
    """

    container: str
    fill: float
    fill_sd: float
    rate_per_day: float
    overflow_risk: float
    prize_eur: float
    computed_at: datetime


def save(connection: psycopg.Connection, beliefs: Iterable[BeliefRow]) -> None:
    """Store beliefs in one transaction; an older computation never replaces a newer one."""
    rows = sorted(beliefs)
    if rows:
        with connection.transaction():
            columns = [list(column) for column in zip(*rows, strict=True)]
            connection.execute(_SQL["save"], columns)


def load(connection: psycopg.Connection) -> dict[str, BeliefRow]:
    """Return the belief about each container."""
    rows = connection.execute(_SQL["load"]).fetchall()
    return {belief.container: belief for belief in map(BeliefRow._make, rows)}
