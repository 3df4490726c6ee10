"""The road network: fetch it, prepare it, look at it."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The road network: fetch it, prepare it, look at it."""
