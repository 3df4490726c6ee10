"""The devices we know, read once and again when a stranger speaks up."""

import time
from collections.abc import Mapping

import psycopg

from storage import assets
from storage.assets import Device

STALE_S = 20.0
STRANGER_S = 1.0  # asked at most this often because of strangers


class Registry:
    """All devices with credentials, in memory; no message costs a query."""

    def __init__(self) -> None:
        """Prepare an empty registry."""
        self.devices: Mapping[str, Device] = {}
        self._read_at = float("-inf")

    def refresh(self, connection: psycopg.Connection, *, stranger: bool = False) -> bool:
        """Read the devices if what we know is old; whether they were read.

        Args:
            connection: where they are.
            stranger: somebody unknown spoke, so what we know may be old already.
        """
        age_s = time.monotonic() - self._read_at
        if age_s < (STRANGER_S if stranger else STALE_S):
            return False
        with connection.transaction():
            self.devices = assets.devices(connection)
        self._read_at = time.monotonic()
        return True
