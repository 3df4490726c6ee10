"""What it looks like when the database is away, full or restarting: wait and try again."""

import psycopg

from config.errors import DatabaseError

DATABASE_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, DatabaseError)
