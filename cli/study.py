"""What-if studies on simulated weeks."""

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What-if studies on simulated weeks."""
