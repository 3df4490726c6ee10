"""What was, in short: a container's levels over years, and the last that each device said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage import columns, rollups
from storage.rollups import RollUp
from storage.sql import queries

_SQL = queries("history")


class Every(StrEnum):
    """How finely fill levels are summed up."""

    HOUR = "hour"
    DAY = "day"

    @property
    def roll_up(self) -> RollUp:
        """The roll-up with this step."""
        return next(one for one in rollups.of("level") if one.start == self)


@dataclass(frozen=True, eq=False)
class LevelHistory:
    """A container's readings in short, hour by hour or day by day (in UTC), in the order of time.

    Attributes:
        start: (n,) begin of each step with readings, `datetime64[us]` in UTC.
        readings: (n,) their number.
        fill_min: (n,) shares of the container's volume.
        fill_avg: (n,) shares of the container's volume.
        fill_max: (n,) shares of the container's volume.
    """

    start: NDArray[np.datetime64]
    readings: NDArray[np.int64]
    fill_min: NDArray[np.float64]
    fill_avg: NDArray[np.float64]
    fill_max: NDArray[np.float64]


class DeviceState(NamedTuple):
    """The last that a device said; None where it never did.

    Attributes:
        name: the device's.
        kind: sensor, unit or gateway.
        container: what it measures.
        vehicle: what it drives on.
        heard_at: when its newest record came in.
        time: the newest instant that its records tell of, by its own clock.
        battery_v: the newest voltage it stated.
        online: what the broker said of its connection.
        firmware: the version it stated.
    """

    name: str
    kind: str
    container: str | None
    vehicle: str | None
    heard_at: datetime | None
    time: datetime | None
    battery_v: float | None
    online: bool | None
    firmware: str | None


def levels(
    connection: psycopg.Connection,
    container: str,
    since: datetime,
    until: datetime,
    every: Every = Every.DAY,
) -> LevelHistory:
    """Return a container's fill levels, hour by hour or day by day.

    What came late, for a time of which the roll-up was made already, is in it after the next one.

    Args:
        connection: only read from.
        container: which one.
        since: begin of the span; the hour or day that holds it is the first.
        until: its end; the hour or day that holds the instant before it is the last.
        every: the step.
    """
    roll_up = every.roll_up
    first = rollups.floor(since, roll_up.step)
    last = rollups.floor(until - timedelta(microseconds=1), roll_up.step) + roll_up.step
    rolled_until = rollups.floor(rollups.came_until(connection, "level"), rollups.DAY)
    statement = sql.SQL(_SQL["levels"]).format(
        start=sql.Identifier(roll_up.start),
        table=sql.Identifier(roll_up.table),
        step=sql.Literal(roll_up.step),
    )
    asked = {
        "container": container,
        "since": first,
        "until": last,
        "rolled_until": min(max(first, rolled_until), last),
    }
    with connection.cursor(binary=True) as cursor:
        start, readings, *fill = cursor.execute(statement, asked).fetchone() or [None] * 5
    return LevelHistory(
        columns.instants(start),
        columns.numbers(readings).astype(np.int64),
        *map(columns.numbers, fill),
    )


def device_states(connection: psycopg.Connection, region: str) -> list[DeviceState]:
    """Return the last known state of a region's devices, by name."""
    with connection.cursor(binary=True) as cursor:  # instants are read faster so
        rows = cursor.execute(_SQL["device_states"], [region]).fetchall()
    return [DeviceState._make(row) for row in rows]
