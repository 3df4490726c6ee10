"""The schema: numbered SQL files, each applied once in a transaction of its own.

A checksum of every applied file is kept: a file that changed after it was applied is refused,
because two databases would then differ under the same number.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import LiteralString

import psycopg
from procrastinate.schema import SchemaManager

from config.errors import DatabaseError
from storage import timeseries
from storage.database import Database, require_version
from storage.newest import keep_newest
from storage.sql import queries

_LOCK = 0x62696E72  # "binr"; one process migrates at a time
_QUEUE = "procrastinate"
EMPTY = "empty"  # the version of a database without a schema
_SQL = queries("migrate")


@dataclass(frozen=True)
class Migration:
    """One step of the schema.

    Attributes:
        name: number and title, e.g. `0001_registry`; its order is its place.
        checksum: SHA-256 of the statements.
    """

    name: str
    statements: LiteralString
    checksum: str


@dataclass(frozen=True)
class SchemaStatus:
    """What a database is and how far its schema has come.

    Attributes:
        server: version of PostgreSQL.
        timescale: version and edition of TimescaleDB, or that there is none.
        applied: names of the migrations it has.
        pending: names of those it lacks.
        sizes: bytes per table, parts of time series included.
    """

    server: str
    timescale: str
    applied: tuple[str, ...]
    pending: tuple[str, ...]
    sizes: dict[str, int]

    @property
    def version(self) -> str:
        """The newest migration that is applied."""
        return self.applied[-1] if self.applied else EMPTY


def migrations() -> list[Migration]:
    """Return our own steps in order."""
    return _read("storage", "migrations")


def queue_migrations() -> list[Migration]:
    """Return the job queue's own steps; a new database gets their sum, its whole schema."""
    return _read("procrastinate.sql", "migrations", prefix=f"{_QUEUE}-")


def _read(package: str, folder: str, prefix: str = "") -> list[Migration]:
    entries = (resources.files(package) / folder).iterdir()
    texts = {
        prefix + entry.name.removesuffix(".sql"): entry.read_text("utf-8")
        for entry in entries
        if entry.name.endswith(".sql")
    }
    return [
        Migration(name, text, hashlib.sha256(text.encode()).hexdigest())
        for name, text in sorted(texts.items())
    ]


def migrate(database: Database) -> list[str]:
    """Bring the schema up to date.

    Returns:
        Names of the migrations that were applied now.

    Raises:
        DatabaseError: the database is newer than this program, or a file was changed.
    """
    timeseries.load_extension(database)
    with database.connect(autocommit=True) as connection:
        require_version(connection.info.server_version)
        connection.execute(_SQL["lock"], [_LOCK])
        try:
            connection.execute(_SQL["make_ledger"])
            done = _apply_queue(connection)
            for migration in _pending(connection, migrations()):
                _apply(connection, migration)
                done.append(migration.name)
            with connection.transaction():
                timeseries.detect(connection).make_all(connection)
                keep_newest(connection)
        except psycopg.Error as error:
            raise DatabaseError(f"the schema cannot be applied: {_line(error)}") from error
        finally:
            connection.execute(_SQL["unlock"], [_LOCK])
    return done


def status(database: Database) -> SchemaStatus:
    """Say what the database is and how far its schema has come."""
    with database.connect(autocommit=True) as connection:
        own = migrations()
        pending = _pending_of_queue(connection) + _pending(connection, own)
        applied = _applied(connection)
        return SchemaStatus(
            server=connection.info.parameter_status("server_version") or "",
            timescale=timeseries.edition(connection),
            applied=tuple(step.name for step in own if step.name in applied),
            pending=tuple(step.name for step in pending),
            sizes=_sizes(connection),
        )


def require_schema(database: Database) -> None:
    """Make sure that nothing is pending.

    Raises:
        DatabaseError: the schema is not up to date.
    """
    with database.connect(autocommit=True) as connection:
        pending = _pending_of_queue(connection) + _pending(connection, migrations())
    if pending:
        raise DatabaseError(
            f"the database lacks {len(pending)} migrations; run `binround db migrate`"
        )


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.statements, prepare=False)
        connection.execute(_SQL["record"], [migration.name, migration.checksum])


def _apply_queue(connection: psycopg.Connection) -> list[str]:
    """Bring the job queue's schema up to date; returns the names of the steps done."""
    pending = _pending_of_queue(connection)
    if [step.name for step in pending] == [_QUEUE]:
        with connection.transaction():
            connection.execute(pending[0].statements, prepare=False)
            for step in queue_migrations():  # the whole schema holds them all
                connection.execute(_SQL["record"], [step.name, step.checksum])
    else:
        for step in pending:
            _apply(connection, step)
    return [step.name for step in pending]


def _pending_of_queue(connection: psycopg.Connection) -> list[Migration]:
    steps = queue_migrations()
    applied = _applied(connection)
    if not any(step.name in applied for step in steps):
        return [Migration(_QUEUE, SchemaManager.get_schema(), "")]
    return [step for step in steps if step.name not in applied]


def _pending(connection: psycopg.Connection, steps: list[Migration]) -> list[Migration]:
    applied = {
        name: checksum
        for name, checksum in _applied(connection).items()
        if not name.startswith(_QUEUE)
    }
    unknown = sorted(set(applied) - {step.name for step in steps})
    if unknown:
        raise DatabaseError(
            f"the database has migration {unknown[-1]}, which this version does not know; "
            "use the newer version of binround"
        )
    for step in steps:
        if applied.get(step.name, step.checksum) != step.checksum:
            raise DatabaseError(
                f"migration {step.name} was changed after it had been applied; "
                "restore the file, or put the change into a new one"
            )
    return [step for step in steps if step.name not in applied]


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    found = connection.execute(_SQL["has_ledger"]).fetchone()
    if not found or found[0] is None:
        return {}
    return dict(connection.execute(_SQL["applied"]).fetchall())


def _sizes(connection: psycopg.Connection) -> dict[str, int]:
    sizes = dict(connection.execute(_SQL["sizes"]).fetchall()) | timeseries.sizes(connection)
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
