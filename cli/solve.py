"""Solve a routing problem from a file."""


def command() -> None:
    """Solve a routing problem from a file."""
