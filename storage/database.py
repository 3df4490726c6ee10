"""The one way to a database: our own embedded server, or an address."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, override

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from config.errors import DatabaseError
from config.settings import Settings
from storage.embedded import EmbeddedServer

OLDEST_VERSION = 15
CONNECTION: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "binround",
    # A server that vanishes without a word is noticed within seconds, not hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}
# The same seen from the server, which would wait for two hours: the transaction of a client that
# vanished holds the rows that its successor wants to write.
SESSION = {
    "timezone": "UTC",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "8000",
    "client_connection_check_interval": "5000",
}


class HurriedConnection(psycopg.Connection):
    """A connection that is given up when the server says nothing for a while.

    Keepalives ask the next machine only. A proxy that hangs, or a server that is frozen, goes on
    answering them and would keep a statement waiting for ever.
    """

    patience_s = 20.0  # longer than any statement of a batch takes, waits for locks included

    @override
    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience_s)
        except psycopg.OperationalError as error:
            if error.sqlstate or self.closed:  # the server has said what is wrong, or hung up
                raise
            self.close()  # what is left of a transaction would be waited for again
            raise psycopg.OperationalError(
                f"the server says nothing for {self.patience_s:.0f} s ({error})"
            ) from error


@dataclass(frozen=True)
class Database:
    """A database that answered when it was opened.

    Attributes:
        dsn: its address for libpq; may hold a password, so it is never shown.
        embedded: whether it is our own server.
    """

    dsn: str = field(repr=False)
    embedded: bool = False

    def connect(self, *, autocommit: bool = False, hurried: bool = False) -> psycopg.Connection:
        """Open a connection; times come back in UTC.

        Args:
            autocommit: whether each statement is a transaction of its own.
            hurried: whether to give the connection up when a statement is not answered; for
                those who would rather begin again than wait, and have short statements only.

        Raises:
            DatabaseError: it does not answer; one line that says what to do.
        """
        kind = HurriedConnection if hurried else psycopg.Connection
        try:
            return kind.connect(self.dsn, autocommit=autocommit, **_parameters(self.dsn))
        except psycopg.Error as error:
            raise DatabaseError(self._what_to_do(error)) from None

    def pool(self, max_size: int = 4) -> ConnectionPool:
        """Return an open pool of connections; close it, or use it in a `with` statement."""
        return ConnectionPool(
            self.dsn,
            kwargs=_parameters(self.dsn),
            min_size=1,
            max_size=max_size,
            check=ConnectionPool.check_connection,
            open=True,
        )

    def _what_to_do(self, error: psycopg.Error) -> str:
        said = " ".join(str(error).split()) or type(error).__name__
        if self.embedded:
            return f"the embedded database has stopped ({said}); start binround again"
        if isinstance(error, psycopg.ProgrammingError) or _is_ambiguous(self.dsn):
            # What libpq says of an address that it cannot take apart repeats the password.
            return (
                "the database's address cannot be read; write BINROUND_DATABASE_URL as "
                "postgresql://user:password@host:port/name, with %40 for @ in the password"
            )
        return f"the database does not answer: {said}; check BINROUND_DATABASE_URL"


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Give the database of the settings; an embedded one ends with the process that started it.

    Raises:
        DatabaseError: it cannot be had; one line that says what to do.
    """
    if not settings.embedded_database:
        database = Database(settings.database_url.get_secret_value())
        check_server(database)
        yield database
        return
    server = EmbeddedServer(settings.data_dir / "postgres")
    try:
        server.start()
        yield Database(server.dsn, embedded=True)
    finally:
        server.stop()


def check_server(database: Database) -> None:
    """Make sure that the server answers and is new enough.

    Raises:
        DatabaseError: it is not.
    """
    with database.connect() as connection:
        require_version(connection.info.server_version)


def require_version(version: int) -> None:
    """Refuse a server that is too old, by its number as libpq gives it, e.g. 140011.

    Raises:
        DatabaseError: it is older than PostgreSQL 15.
    """
    if version < OLDEST_VERSION * 10_000:
        raise DatabaseError(
            f"the database runs PostgreSQL {version // 10_000}.{version % 10_000}; "
            f"binround needs {OLDEST_VERSION} or newer: upgrade it, or unset "
            "BINROUND_DATABASE_URL to use the embedded one"
        )


def _parameters(dsn: str) -> dict[str, Any]:
    """Return how we connect, on top of what the address says."""
    given = conninfo_to_dict(dsn).get("options") or ""
    ours = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    return {**CONNECTION, "options": f"{given} {ours}".strip()}


def _is_ambiguous(dsn: str) -> bool:
    """Whether a part of the password would be taken for the host."""
    return "://" in dsn and dsn.count("@") > 1
