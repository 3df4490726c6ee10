"""What a plan was decided on, kept so that it can be judged again or changed with open eyes."""

import json
import zlib
from typing import Any, NamedTuple

import psycopg

from storage.sql import queries

_SQL = queries("basis")


class Basis(NamedTuple):
    """The routing problem of a plan and its solution, as documents of `optimizer.formats`."""

    problem: dict[str, Any]
    solution: dict[str, Any]


def keep(
    connection: psycopg.Connection,
    plan: str,
    basis: Basis,
    explanation: dict[str, Any] | None = None,
) -> None:
    """Keep a plan's basis; to be called in the transaction that saves the plan.

    Args:
        connection: in that transaction.
        plan: its id.
        basis: what it was decided on.
        explanation: the same for people, as a document of `optimizer.daily.document`.
    """
    told = None if explanation is None else _pack(explanation)
    connection.execute(_SQL["keep"], [plan, _pack(basis.problem), _pack(basis.solution), told])


def load(connection: psycopg.Connection, plan: str) -> Basis | None:
    """Return a plan's basis, or None if it was planned elsewhere."""
    row = connection.execute(_SQL["load"], [plan]).fetchone()
    return Basis(_unpack(row[0]), _unpack(row[1])) if row else None


def explanation(connection: psycopg.Connection, plan: str) -> dict[str, Any] | None:
    """Return a plan's explanation, or None if it has none."""
    row = connection.execute(_SQL["explanation"], [plan]).fetchone()
    return _unpack(row[0]) if row else None


def _pack(document: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(document).encode())


def _unpack(packed: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(zlib.decompress(packed))
    return document
