"""A minute without a database at ten times a city's load: it costs time, and no more."""

import time
from pathlib import Path

import pytest

from simulator.unit import Resend
from tests.fixtures.history import check, stored, trust
from tests.fixtures.ingest_process import IngestProcess
from tests.fixtures.load import Load
from tests.fixtures.proxy import over, proxy_to
from tests.fixtures.served import Served

pytestmark = [pytest.mark.db, pytest.mark.slow]

AWAY_S = 60.0
UNIT_RATE, SENSOR_RATE = 50.0, 400.0  # with two trucks 500 messages a second; a city sends 50
ENOUGH = 32_000  # more than the minute holds, so that the load stays as it is
MOST_GROWTH_BYTES = 100_000_000


def test_a_minute_without_a_database_loses_nothing(served: Served, tmp_path: Path) -> None:
    """Nothing is acknowledged meanwhile, memory stays bounded, and afterwards all is stored."""
    patient = Resend(window=10_000)  # units say everything, so that the broker has to hold it
    with (
        proxy_to(served.database) as link,
        IngestProcess(
            served, tmp_path, BINROUND_DATABASE_URL=over(link, served.database).dsn
        ) as ingest,
        Load(
            served,
            at_least=ENOUGH,
            unit_rate=UNIT_RATE,
            sensor_rate=SENSOR_RATE,
            resend=patient,
        ) as load,
    ):
        load.progress(500)
        before_bytes, peak_bytes = ingest.rss_bytes, 0
        link.become("broken")
        known, there = load.stored, stored(served.database)
        began, published = time.monotonic(), len(load.published)
        while time.monotonic() < began + AWAY_S:
            peak_bytes = max(peak_bytes, ingest.rss_bytes)
            time.sleep(0.5)
        rate = (len(load.published) - published) / (time.monotonic() - began)
        assert stored(served.database) == there
        told = trust(load, served.database)  # of what was committed when the link broke, no more
        assert link.refused > 3
        link.become("pass")
        load.progress(500)
        check(f"database away {AWAY_S:.0f} s at {rate:.0f} msg/s", load, served.database, ingest)
        peak_bytes = max(peak_bytes, ingest.rss_bytes)
        print(
            f"the ingester grew by {(peak_bytes - before_bytes) / 1e6:.0f} MB; "
            f"units were told of {told - known} records meanwhile, all of them stored"
        )
        assert peak_bytes - before_bytes < MOST_GROWTH_BYTES
