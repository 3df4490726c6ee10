import json
from pathlib import Path

import pytest

from api.describe import describe

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def described() -> dict[str, object]:
    """What the app says about itself; it needs no database for that."""
    return describe()


def test_the_committed_description_is_the_apps(described: dict[str, object]) -> None:
    """Clients are generated from the file."""
    anew = "write it anew: make docs"
    assert json.loads(COMMITTED.read_text("utf-8")) == described, anew


def test_every_operation_declares_its_problems(described: dict[str, object]) -> None:
    """All of them are problem documents, and nothing else is said about errors."""
    paths: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]] = described["paths"]  # type: ignore[assignment]
    for path, operations in paths.items():
        for operation in operations.values():
            errors = {s: r for s, r in operation["responses"].items() if s >= "400"}
            assert {"405", "500", "503"} <= set(errors), path
            for answer in errors.values():
                assert list(answer["content"]) == ["application/problem+json"]  # type: ignore[call-overload]
