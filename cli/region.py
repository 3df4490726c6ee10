"""Regions: check one, or build one from OpenStreetMap."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Regions: check one, or build one from OpenStreetMap."""
