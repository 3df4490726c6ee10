"""Settings: what can be set, what is set, and what it means."""

import os

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.callback()
def _group() -> None:
    """Settings: what can be set, what is set, and what it means."""


@app.command()
def show() -> None:
    """Print every setting with its live value, its default and what it means."""
    settings = load_settings()
    for name, field in Settings.model_fields.items():
        variable = f"BINROUND_{name.upper()}"
        origin = "set" if variable in os.environ else "default"
        typer.echo(f"# {field.description}")
        typer.echo(f"# default: {_shown(_default(field))}")
        typer.echo(f"{variable}={_shown(getattr(settings, name))}  # {origin}\n")


def settings_table() -> str:
    """Return the settings as a Markdown table; the documentation is tested against it."""
    rows = [
        f"| `BINROUND_{name.upper()}` | {_code(_default(field))} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _default(field: FieldInfo) -> object:
    if field.default_factory is not None:
        return "~/.local/share/binround"
    return field.default


def _code(value: object) -> str:
    shown = _shown(value)
    return f"`{shown}`" if shown else ""


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(secret)" if value.get_secret_value() else ""
    return "" if value is None else str(value)
