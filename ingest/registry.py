"""The devices we know, read once and again when a stranger speaks up."""

import time
from collections.abc import Mapping

import psycopg

from ingest.codecs.calibration import History
from storage import assets, calibrations
from storage.assets import Device

STALE_S = 20.0
STRANGER_S = 1.0  # asked at most this often because of strangers


class Registry:
    """All devices, and how their distances are read, in memory; no message costs a query.

    Attributes:
        calibrations: by the number of the device.
    """

    def __init__(self) -> None:
        """Prepare an empty registry."""
        self.calibrations: Mapping[int, History] = {}
        self._devices: Mapping[str, Mapping[str, Device]] = {}
        self._read_at = float("-inf")

    def devices_at(self, source: str) -> Mapping[str, Device]:
        """Return the devices that speak through a source, by what they are called there.

        Args:
            source: its name in the region; empty for our own broker, where devices have theirs.
        """
        return self._devices.get(source, {})

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
            self._devices = assets.by_source(assets.devices(connection).values())
            self.calibrations = calibrations.histories(connection)
        self._read_at = time.monotonic()
        return True
