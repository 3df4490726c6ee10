"""A copy of the whole database in one file, and back, proven equal table by table.

The file is a zip with the archive that `pg_dump` writes and a manifest: when it was taken, with
which schema, and what every table held in the same snapshot.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.errors import DatabaseError
from storage import checksums, migrate, programs, timeseries
from storage.checksums import Content
from storage.database import Database
from storage.sql import queries

_SQL = queries("backup")
MANIFEST = "manifest.json"
DRAFT = ".unfinished"  # ends the name of one that is being written
_DUMP = "database.dump"
_FORMAT = 1
_NOT_KEPT = ("--exclude-table-data=crew.*",)  # a file never holds both tracks and who drove


@dataclass(frozen=True)
class Backup:
    """What a backup says about itself.

    Attributes:
        taken_at: the instant, by the caller's clock.
        schema: the newest migration.
        contents: what every table held.
        timescale: the TimescaleDB whose hypertables it holds; empty for native partitions.
    """

    taken_at: datetime
    schema: str
    contents: Mapping[str, Content]
    timescale: str = ""


def back_up(database: Database, path: Path, *, at: datetime) -> Backup:
    """Write a backup; only its owner may read it. Work goes on meanwhile.

    Raises:
        DatabaseError: the file cannot be written or is there already, or there is nothing of
            ours in the database.
    """
    if path.exists():
        raise DatabaseError(f"{path} is there already; name another file")
    schema = migrate.status(database).version  # an older one is welcome: before its upgrade
    if schema == migrate.EMPTY:
        raise DatabaseError(
            "the database is empty; run `binround db migrate`, or see which one "
            "BINROUND_DATABASE_URL or BINROUND_DATA_DIR name"
        )
    draft = path.with_name(f"{path.name}{DRAFT}")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            backup = _write(database, zipfile.ZipFile(file, "w"), schema, at)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        raise DatabaseError(
            f"cannot write the backup {path} ({error.strerror}); name a file in a folder that "
            "can be written and has room"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return backup


def _write(database: Database, archive: zipfile.ZipFile, schema: str, at: datetime) -> Backup:
    """Dump and checksums see the same instant: the dump joins our snapshot."""
    with archive, database.connect() as connection:
        connection.execute(_SQL["hold_still"])
        (snapshot,) = connection.execute(_SQL["snapshot"]).fetchone() or ("",)
        program = programs.find("pg_dump", connection.info.server_version // 10_000)
        options = (
            *("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"),
            *_NOT_KEPT,
        )
        with (
            archive.open(_DUMP, "w", force_zip64=True) as dump,
            programs.running(program, database.dsn, *options) as output,
        ):
            shutil.copyfileobj(output, dump, 1 << 20)
        version = timeseries.version(connection)
        backup = Backup(at, schema, checksums.contents(connection), version)
        manifest = {
            "format": _FORMAT,
            "taken_at": backup.taken_at.isoformat(),
            "schema": backup.schema,
            "tables": backup.contents,
            "timescale": backup.timescale,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return backup


def restore(database: Database, path: Path) -> Backup:
    """Bring a backup into an empty database and prove that every table holds what it held.

    The schema is the backup's; the caller migrates it and applies the retention again.

    Raises:
        DatabaseError: the file is damaged, the database is not empty or does not take it, or
            what it holds afterwards differs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _require_sound(archive)
            backup = _read_manifest(archive, path)
            _refill(database, archive, path, backup)
    except OSError as error:
        raise DatabaseError(f"cannot read the backup {path} ({error.strerror})") from None
    except (zipfile.BadZipFile, EOFError):
        raise DatabaseError(f"{path} is damaged or no backup of ours; take another one") from None
    _compare(database, backup)
    return backup


def _require_sound(archive: zipfile.ZipFile) -> None:
    """Read the file through before the database is touched."""
    if archive.testzip():
        raise zipfile.BadZipFile


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> Backup:
    try:
        manifest = json.loads(archive.read(MANIFEST))
        known = manifest["format"] == _FORMAT
        contents = {name: Content(*held) for name, held in manifest["tables"].items()}
        taken_at = datetime.fromisoformat(manifest["taken_at"])
        timescale = str(manifest.get("timescale", ""))
        backup = Backup(taken_at, manifest["schema"], contents, timescale)
    except (KeyError, TypeError, ValueError):
        raise zipfile.BadZipFile from None
    if not known or backup.schema not in {step.name for step in migrate.migrations()}:
        raise DatabaseError(
            f"{path} was written by a newer binround (schema {backup.schema}); use that version"
        )
    return backup


def _refill(database: Database, archive: zipfile.ZipFile, path: Path, backup: Backup) -> None:
    with database.connect(autocommit=True) as connection:
        if held := checksums.tables(connection):
            raise DatabaseError(
                f"the database is not empty (it has the table {held[0]}); restore {path.name} into "
                "a fresh one: set BINROUND_DATA_DIR to a new folder, or BINROUND_DATABASE_URL"
            )
        program = programs.find("pg_restore", connection.info.server_version // 10_000)
        timeseries.load_extension(database)
        timescale = timeseries.version(connection)
        if backup.timescale and not timescale:
            raise DatabaseError(
                f"{path.name} comes from TimescaleDB {backup.timescale}, which this server does "
                "not have; name a server that has it in BINROUND_DATABASE_URL"
            )
        if timescale:
            connection.execute(_SQL["timescale_before"])
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        try:
            with (
                archive.open(_DUMP) as dump,
                programs.running(program, database.dsn, *options, takes=True) as pipe,
            ):
                shutil.copyfileobj(dump, pipe, 1 << 20)
        finally:
            if timescale:
                connection.execute(_SQL["timescale_after"])


def _compare(database: Database, backup: Backup) -> None:
    with database.connect() as connection:
        found = checksums.contents(connection)
    wrong = [
        name
        for name in sorted(found.keys() | backup.contents.keys())
        if found.get(name) != backup.contents.get(name)
    ]
    if wrong:
        raise DatabaseError(
            f"the restored database differs from the backup in {', '.join(wrong)}; "
            "do not use it, and restore another backup into a fresh database"
        )
