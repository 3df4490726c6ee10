"""A backup is restored into a fresh cluster and holds the same, row for row."""

import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.db import app
from config.clock import SharedClock
from config.errors import DatabaseError
from config.settings import load_settings
from storage import audit, backup, checksums, migrate, programs, queue, timeseries
from storage.database import Database, open_database
from storage.rows import Batch, DeadLetterRow, PositionRow
from tests.fixtures.api import MORNING, PlannedDay
from tests.fixtures.database import DatabaseServer
from tests.integration.test_storage_upgrade import series_at

pytestmark = pytest.mark.db
DAY = timedelta(days=1)


@pytest.fixture
def lived(planned_day: PlannedDay) -> PlannedDay:
    """A database with something in most tables, in several parts of its time series."""
    now = MORNING
    with planned_day.database.connect(autocommit=True) as connection:
        verbs = timeseries.detect(connection)
        verbs.ensure_chunks(connection, now - DAY * 3, now + DAY)
        audit.record(connection, "somebody", "looks", "at it", at=now, detail={"ü": 1.5})
    device = planned_day.device(vehicle=planned_day.vehicle)
    rows = [
        PositionRow(now - DAY * 5 + timedelta(minutes=n), device, n, planned_day.vehicle,
                    8.5 + n / 7e6, 52.0, None, 1.1, None, 0, now, clock_suspect=False)
        for n in range(5000)
    ]  # fmt: skip
    strange = DeadLetterRow(now, "a/b\\\n", bytes(range(256)), "e\u0301 \N{PILE OF POO}\t")
    planned_day.store(Batch(positions=rows, dead_letters=[strange]))
    planned_day.measure(0.7, 10)
    planned_day.publish()
    queue.defer(planned_day.database, "binround.nothing", day="2026-01-01")
    return planned_day


@pytest.fixture
def kept(lived: PlannedDay, tmp_path: Path) -> Path:
    """Its backup."""
    path = tmp_path / "town.backup"
    backup.back_up(lived.database, path, at=MORNING)
    return path


@pytest.fixture
def fresh_cluster(database_server: DatabaseServer, tmp_path: Path) -> Iterator[Database]:
    """An embedded server of its own, without anything in it.

    A backup of TimescaleDB goes into TimescaleDB only: then it is an empty database beside.
    """
    beside = database_server.create()
    timeseries.load_extension(beside)
    with beside.connect() as connection:
        timescale = timeseries.version(connection)
    if timescale:
        yield beside
    else:
        with open_database(load_settings(data_dir=tmp_path / "elsewhere")) as database:
            yield database
    database_server.drop(beside)


def contents(database: Database) -> dict[str, checksums.Content]:
    """Return what every table holds."""
    with database.connect() as connection:
        return checksums.contents(connection)


def test_a_fresh_cluster_holds_the_same_afterwards(
    lived: PlannedDay, kept: Path, fresh_cluster: Database
) -> None:
    """Every table has the checksum it had, and work goes on: numbers do not begin again."""
    before = contents(lived.database)
    assert before["position"].rows == 5000
    assert all(before[name].rows for name in ("outbox", "dead_letter", "procrastinate_jobs"))
    assert backup.restore(fresh_cluster, kept).contents == before
    assert contents(fresh_cluster) == before
    migrate.require_schema(fresh_cluster)
    with lived.database.connect() as old, fresh_cluster.connect() as new:
        ask = (
            "INSERT INTO outbox (at, kind, key, payload) VALUES (now(), '', '', '{}') RETURNING id"
        )
        assert old.execute(ask).fetchone() == new.execute(ask).fetchone()


def test_the_commands_work_on_the_embedded_database_and_on_an_address(
    lived: PlannedDay, empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Address to embedded, embedded to address; what outlived its retention is removed."""
    clock = tmp_path / "clock"
    SharedClock(clock).set(MORNING, 0.0)
    monkeypatch.setenv("BINROUND_CLOCK", str(clock))

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    with lived.database.connect() as connection:
        if timeseries.version(connection):
            pytest.skip("a backup of TimescaleDB does not go into the embedded database")
        connection.execute("UPDATE dead_letter SET received_at = received_at - interval '15 d'")
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setenv("BINROUND_DATABASE_URL", lived.database.dsn)
    assert " tables, 5," in run("backup", str(first)).output
    assert first.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("BINROUND_DATABASE_URL", "")
    monkeypatch.setenv("BINROUND_DATA_DIR", str(tmp_path / "embedded"))
    told = run("restore", str(first)).output
    assert "each with the checksum that it had" in told
    assert "retention applied: 1 rows" in told
    run("backup", str(second))
    monkeypatch.setenv("BINROUND_DATABASE_URL", empty_database.dsn)
    assert "retention applied: 0 rows" in run("restore", str(second)).output
    assert contents(empty_database)["dead_letter"].rows == 0
    assert contents(empty_database)["position"] == contents(lived.database)["position"]


def test_what_was_committed_during_a_backup_is_not_in_it(
    lived: PlannedDay, tmp_path: Path, fresh_cluster: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dump and checksums see one instant, so a backup of a busy database proves equal, too."""
    path = tmp_path / "busy"
    find = programs.find

    def meanwhile(name: str, server: int) -> Path:
        if name == "pg_dump":
            lived.measure(0.9, 99)
        return find(name, server)

    monkeypatch.setattr(programs, "find", meanwhile)
    backup.back_up(lived.database, path, at=MORNING)
    restored = backup.restore(fresh_cluster, path)
    assert contents(lived.database)["level"].rows == restored.contents["level"].rows + 1


def test_a_backup_may_be_taken_before_an_upgrade(
    empty_database: Database,
    fresh_cluster: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program is newer than the schema: what is restored is the old one, then it is migrated.

    A database without a schema is nothing to back up.
    """
    path, steps = tmp_path / "old", migrate.migrations()
    with pytest.raises(DatabaseError, match=r"^the database is empty; run `binround db migrate`"):
        backup.back_up(empty_database, path, at=MORNING)
    with monkeypatch.context() as older:
        older.setattr(migrate, "migrations", lambda: steps[:3])
        older.setattr(timeseries, "SERIES", series_at(3))
        migrate.migrate(empty_database)
    assert backup.back_up(empty_database, path, at=MORNING).schema == steps[2].name
    assert backup.restore(fresh_cluster, path).schema == steps[2].name
    assert migrate.migrate(fresh_cluster) == [step.name for step in steps[3:]]


def test_a_database_in_use_is_never_overwritten(lived: PlannedDay, kept: Path) -> None:
    """Restoring goes into an empty database only, and a backup never overwrites a file."""
    before = contents(lived.database)
    with pytest.raises(DatabaseError, match=r"^the database is not empty .* BINROUND_DATA_DIR"):
        backup.restore(lived.database, kept)
    assert contents(lived.database) == before
    with pytest.raises(DatabaseError, match="is there already"):
        backup.back_up(lived.database, kept, at=MORNING)


def test_a_backup_of_timescaledb_says_where_it_goes(kept: Path, tmp_path: Path) -> None:
    """Restored into a server without TimescaleDB it is refused before anything is written."""
    moved = tmp_path / "moved"
    with zipfile.ZipFile(kept) as old, zipfile.ZipFile(moved, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == backup.MANIFEST:
                data = json.dumps({**json.loads(data), "timescale": "2.28.4"}).encode()
            new.writestr(name, data)
    with open_database(load_settings(data_dir=tmp_path / "elsewhere")) as database:
        with pytest.raises(DatabaseError, match=r"TimescaleDB 2\.28\.4.*BINROUND_DATABASE_URL$"):
            backup.restore(database, moved)
        assert contents(database) == {}


@pytest.mark.parametrize("harm", ["cut", "flipped", "other"])
def test_a_damaged_file_is_refused_before_anything_is_written(
    kept: Path, empty_database: Database, harm: str
) -> None:
    """Cut short, a bit flipped, or no backup at all: one line, and an empty database."""
    data = bytearray(kept.read_bytes())
    if harm == "cut":
        del data[-200:]
    elif harm == "flipped":
        data[len(data) // 2] ^= 1
    kept.write_bytes(b"nothing of ours" if harm == "other" else data)
    with pytest.raises(DatabaseError, match=r"is damaged or no backup of ours[^\n]*$"):
        backup.restore(empty_database, kept)
    assert contents(empty_database) == {}


def test_a_forged_manifest_is_noticed(kept: Path, empty_database: Database) -> None:
    """A table that holds something else than the backup says is named."""
    with zipfile.ZipFile(kept) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["manifest.json"] = parts["manifest.json"].replace(b"5000,", b"5001,")
    with zipfile.ZipFile(kept, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(DatabaseError, match="differs from the backup in position"):
        backup.restore(empty_database, kept)


def test_what_cannot_be_had_is_told_in_one_line(database: Database, tmp_path: Path) -> None:
    """No folder, no file, no program: each message says what to do, and leaves no half file."""
    with pytest.raises(DatabaseError, match=r"cannot write the backup .*No such file"):
        backup.back_up(database, tmp_path / "missing" / "file", at=MORNING)
    with pytest.raises(DatabaseError, match=r"cannot read the backup .*No such file"):
        backup.restore(database, tmp_path / "missing")
    with pytest.raises(DatabaseError, match="no pg_dump of PostgreSQL 99 or newer"):
        programs.find("pg_dump", 99)
    assert list(tmp_path.iterdir()) == []
