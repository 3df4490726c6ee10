"""Run the simulated city: its sensors and trucks."""


def command() -> None:
    """Run the simulated city: its sensors and trucks."""
