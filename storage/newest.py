"""The newest record of each device, kept by the database itself with whatever is inserted.

A trigger sees all rows of a COPY or INSERT at once and takes each device's newest one over into
`last_level`, `last_position`, `last_event` or `last_status`; one with a suspect clock never. Doing
it there costs a tenth of sending the rows a second time, and nobody who inserts can forget it.
"""

import psycopg
from psycopg import sql

from storage.sql import queries

_SQL = queries("newest")
SERIES = ("level", "position", "event", "status")


def keep_newest(connection: psycopg.Connection) -> None:
    """Have the database keep the newest records from now on; again changes nothing.

    On TimescaleDB this needs 2.18, the first version whose hypertables show a trigger all rows.
    """
    for table in SERIES:
        found = connection.execute(_SQL["columns"], [f"last_{table}"])
        columns = [sql.Identifier(name) for (name,) in found]
        if columns:
            changes = [sql.SQL("{0} = excluded.{0}").format(column) for column in columns]
            statement = sql.SQL(_SQL["keep"]).format(
                function=sql.Identifier(f"keep_newest_{table}"),
                table=sql.Identifier(table),
                last=sql.Identifier(f"last_{table}"),
                columns=sql.SQL(", ").join(columns),
                changes=sql.SQL(", ").join(changes),
            )
            connection.execute(statement)
