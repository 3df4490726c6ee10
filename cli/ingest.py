"""Run the ingester: from the broker into the database."""


def command() -> None:
    """Run the ingester: from the broker into the database."""
