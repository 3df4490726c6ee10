"""Why each visit that is left out is left out, and what serving it would add."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

from optimizer.model import Reason, Unserved
from optimizer.solve.insertion import Inserter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.solve.route import Builder, Route
    from optimizer.solve.search import Day, Search

EVERY_GAP = 10**6


def completed(builder: Builder, search: Search, day: Day) -> Day:
    """Return a day with everything inserted that fits somewhere and is worth it.

    The search looks at the cheapest gaps only; this looks at all of them.
    """
    insert = _insert(builder)
    routes = list(day.routes)
    for visit in sorted(day.absent, key=lambda one: -search.worth(one)):
        used = [route for route in routes if route]
        found = insert.best(visit, used, _opening(builder, routes), search.worth(visit))
        if found:
            routes[found[1].truck] = found[1]
    return search.day(routes)


def explained(builder: Builder, day: Day, impossible: dict[int, Reason]) -> tuple[Unserved, ...]:
    """Return the visits a day leaves out, each with its reason."""
    insert = _insert(builder)
    routes = [route for route in day.routes if route]
    opening = _opening(builder, day.routes)
    left_out = []
    for visit in sorted(day.absent):
        if visit in impossible:
            left_out.append(Unserved(visit, impossible[visit]))
            continue
        found = insert.best(visit, routes, opening, math.inf)
        if found is None or builder.facts.prize[visit] is None:
            left_out.append(Unserved(visit, Reason.TIME))
        else:
            left_out.append(Unserved(visit, Reason.NOT_WORTH_IT, round(found[0], 2)))
    return tuple(left_out)


def _insert(builder: Builder) -> Inserter:
    return Inserter(builder, Random(0), tries=EVERY_GAP)  # noqa: S311 - never drawn from


def _opening(builder: Builder, routes: Sequence[Route | None]) -> list[Route]:
    """Return empty routes of the trucks that are not in use."""
    empty = (builder.unused(truck) for truck, route in enumerate(routes) if route is None)
    return [route for route in empty if route is not None]
