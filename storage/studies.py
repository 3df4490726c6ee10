"""What-if studies: what was asked, how far it is, and the results."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from storage import queue
from storage.sql import queries

_SQL = queries("studies")
State = Literal["waiting", "running", "done", "failed"]


class StudyRecord(NamedTuple):
    """A study with its results, once it has any."""

    id: str
    region: str
    name: str
    scenario: Mapping[str, Any]
    state: State
    results: Mapping[str, Any] | None
    message: str
    created_at: datetime
    ended_at: datetime | None


def add(
    connection: psycopg.Connection,
    study_id: str,
    region: str,
    name: str,
    scenario: Mapping[str, Any],
    *,
    at: datetime,
) -> None:
    """Write a study down before it runs."""
    connection.execute(_SQL["add"], [study_id, region, name, Jsonb(dict(scenario)), at])


def start(connection: psycopg.Connection, study_id: str) -> None:
    """Note that a study runs."""
    connection.execute(_SQL["start"], [study_id])


def finish(
    connection: psycopg.Connection,
    study_id: str,
    results: Mapping[str, Any],
    *,
    at: datetime,
    fence: queue.Fence | None = None,
) -> None:
    """Store the results, if the job that made them still holds the study.

    Raises:
        StaleResultError: another worker has taken over.
    """
    with connection.transaction():
        if fence:
            queue.require_held(connection, fence)
        connection.execute(_SQL["finish"], [Jsonb(dict(results)), at, study_id])


def fail(connection: psycopg.Connection, study_id: str, message: str, *, at: datetime) -> None:
    """Note why a study could not be done."""
    connection.execute(_SQL["fail"], [message, at, study_id])


def get(connection: psycopg.Connection, study_id: str) -> StudyRecord | None:
    """Return a study, or None."""
    row = connection.execute(_SQL["get"], [study_id]).fetchone()
    return StudyRecord._make(row) if row else None


def list_studies(connection: psycopg.Connection, limit: int = 50) -> list[StudyRecord]:
    """Return studies, newest first."""
    return [StudyRecord._make(row) for row in connection.execute(_SQL["list"], [limit])]
