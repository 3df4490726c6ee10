"""Judge a plan from a file against its problem."""


def command() -> None:
    """Judge a plan from a file against its problem."""
