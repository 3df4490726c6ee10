"""Keeps the stored beliefs near to what sensors and trucks tell during the day."""

from datetime import date, datetime, timedelta

import psycopg

from config.region import Depot, Region, Service
from jobs.record import belief_rows
from jobs.snapshot import coming_day, take_snapshot
from optimizer.daily import assess
from optimizer.fill.belief import Belief
from storage import beliefs

LATE = timedelta(hours=1)  # evidence that comes later than this waits for the next full look


class Believer:
    """Remembers what it believed, so that only news has to be read.

    Once a day it starts afresh from history; so what came late counts, too.
    """

    def __init__(self, region: Region) -> None:
        self._region = region
        self._known: dict[tuple[str, str], tuple[Belief, datetime]] = {}
        self._fresh: dict[tuple[str, str], date] = {}

    def run(self, connection: psycopg.Connection, now: datetime) -> int:
        """Store what is believed of all containers now; returns their number."""
        count = 0
        for service in self._region.services:
            homes = {one.depot for one in self._region.vehicles if service.id in one.services}
            for depot in self._region.depots:
                if depot.id in homes:
                    count += self._refresh(connection, service, depot, now)
        return count

    def _refresh(
        self, connection: psycopg.Connection, service: Service, depot: Depot, now: datetime
    ) -> int:
        key, day = (service.id, depot.id), coming_day(self._region, service, now)
        known = self._known.get(key) if self._fresh.get(key) == day else None
        snapshot = take_snapshot(connection, self._region, service, depot, day, now, known)
        if not snapshot.containers:
            return 0
        belief, decision = assess(snapshot)
        beliefs.save(connection, belief_rows(snapshot, belief, decision))
        self._known[key], self._fresh[key] = (belief, now - LATE), day
        return len(snapshot.containers)
