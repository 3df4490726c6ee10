"""The embedded broker of a region: its rights follow the device registry while it runs."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from config.settings import Settings
from ingest.broker.access import Grant, device_grants, keeper_grant, server_grant
from ingest.broker.age import keep_age
from ingest.broker.embedded import EmbeddedBroker, embedded_address
from ingest.broker.secret import server_secret
from ingest.outage import DATABASE_AWAY
from storage import assets
from storage.assets import Device
from storage.database import Database

LOOK_S = 5.0  # how long a device that was struck off may still be heard, with a second to spare

log = logging.getLogger(__name__)


@contextmanager
def region_broker(settings: Settings, region: str, database: Database) -> Iterator[EmbeddedBroker]:
    """Run a region's broker; who is added gets in, who is struck off is cut, within seconds.

    Whoever starts the broker looks after its rights, the ingester or the demo, and nobody else.

    Args:
        settings: where it keeps everything.
        region: id of the region.
        database: where the registry is; when it is away, the rights stay as they are.

    Raises:
        BrokerError: it does not start.
    """
    keeper = _Keeper(settings, region, database)
    folder = settings.data_dir / "broker"
    with (
        EmbeddedBroker(folder, keeper.grants(), settings.broker_port) as broker,
        keep_age(lambda: embedded_address(folder), server_secret(settings), database),
    ):
        stop = threading.Event()
        thread = threading.Thread(target=keeper.follow, args=(broker, stop), name="broker-rights")
        thread.start()
        try:
            yield broker
        finally:
            stop.set()
            thread.join()


class _Keeper:
    """Knows the registry as it was last read."""

    def __init__(self, settings: Settings, region: str, database: Database) -> None:
        self._region, self._database = region, database
        # Once only: another salt would make us another user, and the broker would cut us off.
        secret = server_secret(settings)
        self._server = (server_grant(settings.broker_user, secret), keeper_grant(secret))
        self._devices = self._read()

    def grants(self) -> list[Grant]:
        return [*self._server, *device_grants(self._region, self._devices.values())]

    def follow(self, broker: EmbeddedBroker, stop: threading.Event) -> None:
        while not stop.wait(LOOK_S):
            try:
                devices = self._read()
            except DATABASE_AWAY:
                continue
            if devices != self._devices:
                self._devices = devices
                broker.reload(self.grants())
                log.info("broker has the rights of %d devices", len(devices))

    def _read(self) -> Mapping[str, Device]:
        with self._database.connect(hurried=True) as connection:
            return assets.devices(connection)
