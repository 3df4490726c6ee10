"""What a haul leaves in the database: telemetry, dead letters and answers to tours, or nothing."""

import psycopg

from ingest.rows import Haul
from storage import plans, telemetry
from storage.telemetry import Stored


def keep(connection: psycopg.Connection, haul: Haul) -> Stored:
    """Store a haul in one transaction (a savepoint where the caller has one open)."""
    with connection.transaction():
        stored = telemetry.store(connection, haul.batch())
        for answer in haul.answers:
            plans.acknowledge(
                connection,
                answer.tour,
                answer.revision,
                accepted=answer.accepted,
                reason=answer.reason,
                at=answer.at,
                vehicle=answer.vehicle,
            )
    return stored
