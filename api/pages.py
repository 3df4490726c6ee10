"""Pages of a list by key: what follows the last item, so that nothing is skipped or repeated."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

from api.problems import INVALID, HttpProblem
from api.schemas import Page

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page at most.")]
Cursor = Annotated[
    str | None, Query(max_length=400, description="`next` of the page before; none: the start.")
]


def encode(*key: str) -> str:
    """Return a cursor for the key of a page's last item."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode(cursor: str | None, parts: int) -> list[str] | None:
    """Return the key in a cursor.

    Raises:
        HttpProblem: it is not one of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        key = None
    fits = isinstance(key, list) and len(key) == parts
    if not fits or not all(isinstance(part, str) and "\0" not in part for part in key):
        raise HttpProblem(INVALID, "This cursor is not from a page of this list.")
    return list(key)


def page[Item](items: Sequence[Item], limit: int, key: Any, attribution: str = "") -> Page[Item]:
    """Make a page of up to `limit` items out of one item more than that.

    Args:
        items: what was found, `limit` + 1 at most.
        limit: how many a page holds.
        key: returns the parts of an item's key.
        attribution: whom to thank for the data.
    """
    more = len(items) > limit
    shown = list(items[:limit])
    following = encode(*key(shown[-1])) if more else None
    return Page(items=shown, next=following, attribution=attribution)
