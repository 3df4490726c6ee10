"""Run the worker: planning and studies."""


def command() -> None:
    """Run the worker: planning and studies."""
