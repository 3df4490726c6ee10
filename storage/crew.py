"""Who sat in which vehicle on which day: apart from everything else, and not for long.

No other part of the product reads it, and no query joins it with positions, events or tours.
Names go into this table alone: neither into a log nor into the audit, which notes how many were
written and who looked.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import psycopg

from config.errors import CrewError
from config.region import Retention
from storage import audit
from storage.sql import queries

_SQL = queries("crew")
LONGEST_NAME = 80


class Assignment(NamedTuple):
    """One person in a vehicle on a day."""

    vehicle: str
    day: date
    name: str


def assign(
    connection: psycopg.Connection,
    vehicle: str,
    day: date,
    names: Sequence[str],
    retention: Retention,
    *,
    who: str,
    at: datetime,
) -> int:
    """Write down a vehicle's crew of a day, in place of the one that was written before.

    Args:
        connection: the change and its entry in the audit are one transaction on it.
        vehicle: which one.
        day: in the region's zone.
        names: as the operator knows people; a number does as well.
        retention: what the region declares.
        who: writes it.
        at: the instant, by the caller's clock.

    Returns:
        The number of people.

    Raises:
        CrewError: no such vehicle, no usable name, or a day whose crew would be deleted at once.
    """
    people = sorted({_usable(name) for name in names})
    if not people:
        raise CrewError("name at least one person, or use `binround crew clear`")
    if datetime.combine(day, time(), UTC) < at - timedelta(days=retention.crew_days):
        raise CrewError(
            f"who drove on {day} is not kept any more: the region declares "
            f"crew_days = {retention.crew_days}"
        )
    _require_vehicle(connection, vehicle)
    connection.execute(_SQL["clear"], {"vehicle": vehicle, "day": day})
    connection.execute(_SQL["assign"], [vehicle, day, people])
    audit.record(
        connection, who, "assign-crew", _about(vehicle, day), at=at, detail={"people": len(people)}
    )
    return len(people)


def show(
    connection: psycopg.Connection, vehicle: str | None, day: date | None, *, who: str, at: datetime
) -> list[Assignment]:
    """Return who sat where, of all vehicles or days where none is named; that is audited.

    Raises:
        CrewError: there is no such vehicle.
    """
    _require_vehicle(connection, vehicle)
    audit.record(connection, who, "look-at-crew", _about(vehicle, day), at=at)
    rows = connection.execute(_SQL["show"], {"vehicle": vehicle, "day": day})
    return [Assignment._make(row) for row in rows]


def clear(
    connection: psycopg.Connection, vehicle: str | None, day: date | None, *, who: str, at: datetime
) -> int:
    """Delete assignments, of all vehicles or days where none is named; returns how many.

    Raises:
        CrewError: there is no such vehicle.
    """
    _require_vehicle(connection, vehicle)
    gone = connection.execute(_SQL["clear"], {"vehicle": vehicle, "day": day}).rowcount
    detail = {"people": gone}
    audit.record(connection, who, "clear-crew", _about(vehicle, day), at=at, detail=detail)
    return gone


def _require_vehicle(connection: psycopg.Connection, vehicle: str | None) -> None:
    """Make sure that a vehicle is or was in the region, if one is named."""
    if vehicle is not None:
        known = connection.execute(_SQL["knows_vehicle"], [vehicle]).fetchone()
        if not known or not known[0]:
            raise CrewError(f"there is no vehicle {vehicle!r}; see the region's vehicles")


def _about(vehicle: str | None, day: date | None) -> str:
    return f"crew/{vehicle or 'all'}/{day or 'all'}"


def _usable(name: str) -> str:
    """Return a name without outer blanks; what cannot be one is refused without repeating it."""
    text = name.strip()
    if not text or not text.isprintable() or len(text) > LONGEST_NAME:
        raise CrewError(f"a name has 1 to {LONGEST_NAME} characters that can be printed")
    return text
