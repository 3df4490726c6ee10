"""The daily work on what is stored: parts ahead, roll-up, compression, retention, lessons."""

from datetime import datetime

from config.region import Region
from jobs import learn
from storage import retention
from storage.database import Database


def run(database: Database, region: Region, now: datetime) -> dict[str, int]:
    """Keep the house in order; returns what was removed, per table."""
    with database.connect(autocommit=True) as connection:
        learn.from_emptyings(connection, now)
        return retention.upkeep(connection, region.retention, now)
