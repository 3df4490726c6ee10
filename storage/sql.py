"""SQL from the files beside the code: one file a subject, its statements under `-- name:`."""

import re
from functools import cache
from importlib import resources
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def queries(subject: str) -> dict[str, LiteralString]:
    """Return the statements of `queries/{subject}.sql` by their names.

    They come from our own package, so psycopg may take them for literals.
    """
    text = (resources.files("storage") / "queries" / f"{subject}.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    return {
        name: cast("LiteralString", body.strip())
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
