"""What a request works with: the parts the app was made of, and a connection of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import psycopg
from fastapi import Depends, Request
from psycopg_pool import ConnectionPool

from api.auth import Principal, authorize
from api.live import LiveHub
from config.clock import Clock
from config.region import Region
from config.settings import Settings
from storage.console import limit_statements
from storage.database import Database

WAIT_S = 2.0


@dataclass(frozen=True, eq=False)
class Context:
    """The parts of one running API."""

    settings: Settings
    clock: Clock
    database: Database
    pool: ConnectionPool
    region: Region
    hub: LiveHub

    def today(self) -> date:
        """Return the clock's date in the region's zone."""
        return self.clock.now().astimezone(self.region.time_zone).date()


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


def _connection(context: Annotated[Context, Depends(_context)]) -> Iterator[psycopg.Connection]:
    with context.pool.connection(timeout=WAIT_S) as connection:
        limit_statements(connection)
        yield connection


Parts = Annotated[Context, Depends(_context)]
Asker = Annotated[Principal, Depends(authorize)]
# Its transaction ends before the answer is sent: what a client was told is stored.
Connection = Annotated[psycopg.Connection, Depends(_connection, scope="function")]
