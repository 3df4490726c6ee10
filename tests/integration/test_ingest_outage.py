"""A database that is there and of no use: it is waited for, and nothing becomes a dead letter."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from ingest.messages import Kind, up_topic
from simulator.unit import Resend, Unit
from storage.database import Database, HurriedConnection
from tests.fixtures.served import NOON, Served
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.db
RECORDS = 50


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """Let a database refuse every change, as a standby does, or a provider when a disk fills."""
    name = str(psycopg.conninfo.conninfo_to_dict(database.dsn)["dbname"])
    other = psycopg.conninfo.make_conninfo(database.dsn, dbname="postgres")
    switch = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(other, autocommit=True) as admin:
        for value in ("on", "off"):
            admin.execute(switch.format(sql.Identifier(name), sql.SQL(value)))
            admin.execute(end, [name])
            if value == "on":
                yield


def test_a_database_that_may_only_be_read_is_waited_for(served: Served) -> None:
    """Not one record is put aside as if it were at fault; all are stored in the end."""
    login, resend = served.login("truck-1"), Resend(first_s=0.5, cap_s=2.0)
    with (
        served.ingester() as counters,
        Unit(
            "truck-1", served.region.id, served.town.url, login, served.clock, resend=resend
        ) as truck,
    ):
        with read_only(served.database):
            for second in range(RECORDS):
                truck.record(Kind.STATUS, NOON + timedelta(seconds=second))
            eventually(lambda: counters.database_retries >= 3)
            assert truck.counts.pending == RECORDS
        assert truck.wait_stored(30)
        assert counters.dead_letters == 0
    with served.database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM status").fetchone() == (RECORDS,)


def test_where_no_dead_letter_can_be_kept_it_is_not_the_message(served: Served) -> None:
    """A schema that is half there stops the ingester from storing, not from running."""
    truck = served.town.client("truck-1")
    with served.ingester() as counters:
        with served.database.connect(autocommit=True) as connection:
            connection.execute("ALTER TABLE dead_letter RENAME TO elsewhere")
            truck.publish(up_topic(served.region.id, "truck-1", Kind.STATUS), "no json")
            eventually(lambda: counters.database_retries >= 2)
            assert counters.dead_letters == 0
            connection.execute("ALTER TABLE elsewhere RENAME TO dead_letter")
        eventually(lambda: counters.dead_letters == 1)


def test_a_server_that_says_nothing_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a transaction, too, and without waiting for the rollback."""
    monkeypatch.setattr(HurriedConnection, "patience_s", 0.3)
    with (
        pytest.raises(psycopg.OperationalError, match="says nothing"),
        database.connect(hurried=True) as connection,
        connection.transaction(),
        connection.transaction(),
    ):
        connection.execute("SELECT pg_sleep(30)")
    assert connection.closed
    with database.connect(hurried=True) as connection:
        assert list(connection.notifies(timeout=0.6)) == []  # waiting for news is no silence
        assert connection.execute("SELECT 1").fetchone() == (1,)
