"""What a haul leaves in the database: telemetry, dead letters and answers to tours, or nothing."""

from collections.abc import Mapping

import psycopg

from ingest.rows import Haul
from storage import plans, telemetry
from storage.telemetry import Stored


def keep(
    connection: psycopg.Connection,
    haul: Haul,
    unsaid: Mapping[str, int] | None = telemetry.NOTHING,
) -> Stored:
    """Store a haul in one transaction (a savepoint where the caller has one open).

    Args:
        connection: where it goes.
        haul: what came.
        unsaid: earlier news to be told with this; None: somebody tells all of it later.
    """
    with connection.transaction():
        stored = telemetry.store(connection, haul.batch(), unsaid=unsaid)
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
