"""kill -9 of the broker under load: units and ingester come back, and nothing is lost."""

import os
import signal
import time
from datetime import timedelta

import pytest

from ingest.messages import Kind
from simulator.unit import Resend, Unit
from tests.fixtures.served import NOON, Served

pytestmark = [pytest.mark.db, pytest.mark.slow]

KILLS = 2
RECORDS = 400


def test_killing_the_broker_loses_nothing(served: Served) -> None:
    """What was on its way is sent again by its unit; every record is stored once."""
    broker = served.town.broker
    login, resend = served.login("truck-1"), Resend(first_s=1.0, cap_s=4.0)
    with (
        served.ingester() as counters,
        Unit("truck-1", served.region.id, broker.url, login, served.clock, resend=resend) as truck,
    ):
        kill_at = {RECORDS * (n + 1) // (KILLS + 1) for n in range(KILLS)}
        for number in range(RECORDS):
            truck.record(Kind.POSITION, NOON + timedelta(seconds=number), lon=8.5, lat=52.0)
            time.sleep(0.005)
            if number in kill_at:
                assert broker.pid
                os.kill(broker.pid, signal.SIGKILL)
                broker.stop()
                broker.__enter__()
        assert truck.wait_stored(40)
        resent = truck.counts.resent
    with served.database.connect() as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT seq) FROM position").fetchone()
    print(
        f"\nbroker killed {KILLS} times: published {RECORDS}, stored {found}, sent again {resent}, "
        f"repeats refused {counters.duplicates}"
    )
    assert found == (RECORDS, RECORDS)
