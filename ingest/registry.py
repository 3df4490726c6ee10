"""The devices we know, read once and again when a stranger speaks up."""

import time
from collections.abc import Callable, Mapping

import psycopg

from storage import assets
from storage.assets import Device

STALE_S = 60.0
STRANGER_S = 1.0  # asked at most this often because of strangers


class Registry:
    """All devices with credentials, in memory; no message costs a query."""

    def __init__(self, on_change: Callable[[Mapping[str, Device]], None] = lambda _: None) -> None:
        """Prepare an empty registry.

        Args:
            on_change: called with all devices when they are not what they were.
        """
        self.devices: Mapping[str, Device] = {}
        self._on_change = on_change
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
            devices = assets.devices(connection)
        self._read_at = time.monotonic()
        if devices != self.devices:
            self.devices = devices
            self._on_change(devices)
        return True
