"""Run the whole system on this machine."""


def command() -> None:
    """Run the whole system on this machine."""
