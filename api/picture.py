"""The present picture of the day, and what changed in it since it was looked at last."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg
from pydantic import BaseModel

from api import geojson, schemas, views
from config.clock import Clock, SharedClock
from config.region import Region
from storage import console


class Event(NamedTuple):
    """Something to tell everybody who looks: a name and JSON data."""

    name: str
    data: Any


def clock_state(clock: Clock) -> schemas.Clock:
    """Say what time it is, and how fast it passes."""
    simulated = isinstance(clock, SharedClock)
    speed = clock.speed if isinstance(clock, SharedClock) else 1.0
    return schemas.Clock(now=clock.now(), speed=speed, simulated=simulated)


class Picture:
    """Compares the stored state with what was told before.

    State is compared, not messages: many fixes between two looks become one event, and nothing
    can be missed that a later look would not find.
    """

    def __init__(self, region: Region, clock: Clock) -> None:
        self._region = region
        self._clock = clock
        self._containers: dict[str, BaseModel] = {}
        self._tours: dict[str, BaseModel] = {}
        self._positions: dict[str, Any] = {}

    def today(self) -> date:
        """Return the clock's date in the region's zone."""
        return self._clock.now().astimezone(self._region.time_zone).date()

    def clock(self) -> Event:
        """Return the time."""
        return Event("clock", clock_state(self._clock).model_dump(mode="json"))

    def all_positions(self, connection: psycopg.Connection) -> Event:
        """Return where every vehicle is."""
        found = console.vehicles(connection, self._region.id, self.today())
        return Event("positions", geojson.positions(map(views.vehicle, found)))

    def all_tours(self, connection: psycopg.Connection) -> Iterator[Event]:
        """Return every tour of the day."""
        for state in console.tours_of_day(connection, self.today()):
            yield Event("tour", views.tour_summary(state).model_dump(mode="json"))

    def containers_since(self, connection: psycopg.Connection, since: datetime) -> Iterator[Event]:
        """Return the containers of which something new is known since an instant."""
        found = console.containers(connection, self._region.id, since=since)
        if found:
            yield _containers(map(views.container, found))

    def changes(self, connection: psycopg.Connection, *, fixes_only: bool) -> Iterator[Event]:
        """Return what differs from the last look; `fixes_only` looks at positions alone."""
        positions = self.all_positions(connection)
        if positions.data != self._positions:
            self._positions = positions.data
            yield positions
        if fixes_only:
            return
        found = console.containers(connection, self._region.id)
        if changed := _changed(self._containers, map(views.container, found), _id):
            yield _containers(changed)
        tours = map(views.tour_summary, console.tours_of_day(connection, self.today()))
        for tour in _changed(self._tours, tours, _id):
            yield Event("tour", tour.model_dump(mode="json"))


def _containers(found: Any) -> Event:
    return Event("containers", {"items": [item.model_dump(mode="json") for item in found]})


def _id(item: Any) -> str:
    return str(item.id)


def _changed(
    known: dict[str, BaseModel], present: Any, key: Callable[[Any], str]
) -> list[BaseModel]:
    """Return the items that are not as they are known, and know them from now on."""
    changed = [item for item in present if known.get(key(item)) != item]
    known.update((key(item), item) for item in changed)
    return changed
