"""Plan the tours of a day."""


def command() -> None:
    """Plan the tours of a day."""
