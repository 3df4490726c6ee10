"""Settings: what can be set, what is set, and what it means."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Settings: what can be set, what is set, and what it means."""
