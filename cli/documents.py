"""Writes the parts of the documentation that come from the code: `make docs`.

A tool of the repository, so it may use what only developers install.
"""

from pathlib import Path

import yaml

from api.auth import PERMISSIONS, Role
from cli.config import settings_table
from cli.main import build
from cli.reference import reference
from config.law import load_law
from config.region import Retention
from ingest.asyncapi import document
from storage.retention import POLICIES

DOCS = Path(__file__).resolve().parent.parent / "docs"


def retention_table() -> str:
    """Return how long each person-linked table is kept, as a Markdown table."""
    shortest = Retention(purpose="-")
    rows = [
        f"| `{policy.table}` | {policy.purpose} | {policy.days(shortest)} |"
        for policy in POLICIES
        if policy.person_linked
    ]
    return "\n".join(["| table | kept for | days, by default |", "|---|---|---|", *rows])


def law_table() -> str:
    """Return the rules that a plan is judged by, as a Markdown table."""
    rows = [
        f"| `{rule.id}` | {rule.citation} | {rule.en} | {rule.de} |"
        for rule in load_law().rules.values()
    ]
    return "\n".join(["| rule | cites | says | auf Deutsch |", "|---|---|---|---|", *rows])


def roles_table() -> str:
    """Return which role may do what, as a Markdown table."""
    rows = [
        f"| `{method} {path}` | {' | '.join('yes' if role in may else '' for role in Role)} |"
        for (method, path), may in PERMISSIONS.items()
    ]
    return "\n".join([f"| request | {' | '.join(Role)} |", "|---" * (len(Role) + 1) + "|", *rows])


def asyncapi_page() -> str:
    """Return the MQTT contract as an AsyncAPI document in YAML."""
    head = "# Written by `make docs` from ingest/messages.py. The words around it: contract.md.\n"
    return head + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)


def with_table(page: str, table: str) -> str:
    """Return a page in which the table with the same heading is as the code has it."""
    heading = table.partition("\n")[0]
    head, found, rest = page.partition(heading)
    _, _, tail = rest.partition("\n\n")
    return f"{head}{table}\n" + (f"\n{tail}" if tail else "") if found else page


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(reference(build()))
    (DOCS / "asyncapi.yaml").write_text(asyncapi_page())
    for name, table in (
        ("operations", settings_table()),
        ("operations", roles_table()),
        ("privacy", retention_table()),
        ("certificate", law_table()),
    ):
        page = DOCS / f"{name}.md"
        page.write_text(with_table(page.read_text(), table))
