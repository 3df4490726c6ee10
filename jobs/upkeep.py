"""The daily work on what is stored: lessons, parts ahead, roll-up, retention, backups."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from config.errors import DatabaseError
from config.region import Region
from jobs import learn
from storage import backup_files, retention
from storage.database import Database

log = logging.getLogger(__name__)


def run(
    database: Database, region: Region, now: datetime, backups: Path | None = None
) -> dict[str, int]:
    """Keep the house in order; returns what was removed, per table.

    Args:
        database: where the tables are.
        region: declares how long what is kept.
        now: the instant, by the caller's clock.
        backups: a folder of backups, which are removed in their time, too.
    """
    with database.connect(autocommit=True) as connection:
        learn.from_emptyings(connection, now)
        removed = retention.upkeep(connection, region.retention, region.time_zone, now)
    if backups is None:
        return removed
    try:
        old = backup_files.prune(backups, now - timedelta(days=region.retention.backup_days))
    except DatabaseError as error:  # a folder that is away must not hold up the tables
        log.warning("old backups are not deleted: %s", error)
        return removed
    return {**removed, "backups": len(old)}
