"""What emptyings teach about sensors: where the floor of a container really is."""

import logging
from datetime import datetime

import psycopg

from ingest.codecs.calibration import Calibration, corrected
from storage import calibrations

EMPTYINGS = 20  # the newest; what an older one showed may have been mended since
NOTICEABLE_MM = 20  # below the resolution of what sensors tell, or of waste lying on the floor
NOTICEABLE_SHARE = 0.02

log = logging.getLogger(__name__)


def from_emptyings(connection: psycopg.Connection, now: datetime) -> int:
    """Correct calibrations by the first distances after emptyings; returns how many.

    A correction by hand wins: only emptyings after it count, and learning goes on from it.
    """
    learned = 0
    for device_id, known, distances_mm in calibrations.lessons(connection, now, EMPTYINGS):
        better = corrected(known, distances_mm)
        if _noticeable(known, better):
            calibrations.learn(connection, device_id, better, since=now)
            learned += 1
    if learned:
        log.info("calibrations corrected after emptyings count=%d", learned)
    return learned


def _noticeable(known: Calibration, better: Calibration) -> bool:
    least_mm = max(NOTICEABLE_MM, NOTICEABLE_SHARE * (known.empty_mm - known.full_mm))
    return abs(better.empty_mm - known.empty_mm) >= least_mm
