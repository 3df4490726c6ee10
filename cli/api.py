"""Run the API and the console."""


def command() -> None:
    """Run the API and the console."""
