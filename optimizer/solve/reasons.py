"""Why each visit that is left out is left out, and what serving it would add."""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.model import Reason, Unserved
from optimizer.solve.costing import Insertions, inserter, opening, tries_for
from optimizer.solve.relaxed import blocked

if TYPE_CHECKING:
    from optimizer.solve.route import Builder
    from optimizer.solve.search import Day, Search


def filled_up(builder: Builder, search: Search, day: Day, until: float = math.inf) -> Day:
    """Return a day with everything inserted that fits somewhere and is worth it.

    The search looks at the cheapest gaps only; this looks at all of them, or as many as it can in
    reasonable time, the dearest visits first, until an instant of `time.monotonic`.
    """
    insert = inserter(builder, tries_for(builder.facts.visits, len(day.absent)))
    routes = list(day.routes)
    for visit in sorted(day.absent, key=lambda one: -search.worth(one)):
        if monotonic() > until:
            break
        used = [route for route in routes if route]
        found = insert.best(visit, used, opening(builder, routes), search.worth(visit))
        if found:
            routes[found[1].truck] = found[1]
    return search.day(routes)


def explained(
    builder: Builder, day: Day, impossible: dict[int, Reason], until: float = math.inf
) -> tuple[Unserved, ...]:
    """Return the visits a day leaves out, each with its reason and what it would add.

    A visit that fits in is not worth it. One that does not is kept out by the limit without which
    it would fit: its windows, what trucks carry, or the trucks' time. After an instant of
    `time.monotonic` nothing more is tried: an optional visit then counts as not worth it, one
    that has to be served as out of time, both without a price.
    """
    insertions = Insertions(builder, day.routes, tries_for(builder.facts.visits, len(day.absent)))
    left_out: dict[int, Unserved] = {}
    for visit in sorted(day.absent - impossible.keys()):
        if monotonic() > until:
            if builder.facts.prize[visit] is not None:
                left_out[visit] = Unserved(visit, Reason.NOT_WORTH_IT)
            continue
        found = insertions.cheapest(visit)
        if found is not None and builder.facts.prize[visit] is not None:
            left_out[visit] = Unserved(visit, Reason.NOT_WORTH_IT, round(found.extra_eur, 2))
    rest = sorted(day.absent - left_out.keys())
    if rest:
        for entry in blocked(builder.facts.problem, day.routes, rest, impossible, until):
            left_out[entry.visit] = entry
    return tuple(left_out[visit] for visit in sorted(left_out))
