"""What a broker without a memory did not deliver, fetched from its network server's storage.

The Things Stack speaks MQTT at QoS 0 only: what it says while our line is down is said to nobody.
Its Storage Integration keeps uplinks and hands them out over HTTP.
"""

from ingest.backfill.coverage import Coverage, Covered
from ingest.backfill.filler import MARGIN, Backfill, Fetched, fetch
from ingest.backfill.things_stack import ThingsStackStorage

__all__ = [
    "MARGIN",
    "Backfill",
    "Coverage",
    "Covered",
    "Fetched",
    "ThingsStackStorage",
    "fetch",
]
