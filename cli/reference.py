"""The command line as a page of documentation; `make docs` writes it, a test compares it."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


def reference(app: typer.Typer) -> str:
    """Return all commands with their arguments and options as Markdown."""
    root = typer.main.get_command(app)
    pages = [
        "# Commands\n\nWhat `binround COMMAND --help` says, on one page; `make docs` renews it.\n"
    ]
    for path, command in _commands(root, ("binround",)):
        pages.append(_page(path, command))
    return "\n".join(pages)


def _commands(
    command: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    for name in sorted(command.commands):
        yield from _commands(command.commands[name], (*path, name))


def _page(path: tuple[str, ...], command: TyperCommand) -> str:
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption) and one.name != "help"]
    usage = " ".join([*path, *((one.name or "").upper() for one in arguments)])
    text = (command.help or "").strip()
    lines = [f"## {' '.join(path)}\n", f"`{usage}{' [OPTIONS]' if options else ''}`\n", f"{text}\n"]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{', '.join(one.opts)}` | {_meaning(one)} |" for one in options]
        lines.append("")
    return "\n".join(lines)


def _meaning(option: TyperOption) -> str:
    text = " ".join((option.help or "").split())
    if option.required:
        return f"{text} (required)"
    default = option.default
    plain = isinstance(default, int | float | str) and not isinstance(default, bool)
    return f"{text} (default {default})" if plain and default != "" else text
