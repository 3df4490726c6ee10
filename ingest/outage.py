"""What it looks like when the database is away, full, read-only or restarting: try again."""

import psycopg
from psycopg import errors

from config.errors import DatabaseError

DATABASE_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    # A standby that is not promoted yet, or a server that its provider has locked because its
    # disk is nearly full; and a session that the server ended while we were suspended.
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
    DatabaseError,
)
