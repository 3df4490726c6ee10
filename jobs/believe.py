"""Keeps the stored beliefs near to what sensors and trucks tell during the day."""

from datetime import datetime

import psycopg

from config.region import Region
from jobs.record import belief_rows
from jobs.snapshot import coming_day, take_snapshot
from optimizer.daily import assess
from storage import beliefs


def believe(connection: psycopg.Connection, region: Region, now: datetime) -> int:
    """Store what is believed of all containers now; returns their number.

    Everything is learnt again from history, so that what came late counts as if it had come in
    time: a look at a city takes less than a second.
    """
    count = 0
    for service in region.services:
        homes = {one.depot for one in region.vehicles if service.id in one.services}
        day = coming_day(region, service, now)
        for depot in region.depots:
            if depot.id not in homes:
                continue
            snapshot = take_snapshot(connection, region, service, depot, day, now)
            if snapshot.containers:
                beliefs.save(connection, belief_rows(snapshot, *assess(snapshot)))
                count += len(snapshot.containers)
    return count
