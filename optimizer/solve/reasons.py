"""Why each visit that is left out is left out, and what serving it would add."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

from optimizer.model import Reason, Unserved
from optimizer.solve.insertion import Inserter

if TYPE_CHECKING:
    from optimizer.solve.route import Builder
    from optimizer.solve.search import Day

EVERY_GAP = 10**6


def explained(builder: Builder, day: Day, impossible: dict[int, Reason]) -> tuple[Unserved, ...]:
    """Return the visits a day leaves out, each with its reason."""
    insert = Inserter(builder, Random(0), tries=EVERY_GAP)  # noqa: S311 - never drawn from
    routes = [route for route in day.routes if route]
    opening = [
        empty
        for truck, route in enumerate(day.routes)
        if route is None and (empty := builder.build(truck, ())) is not None
    ]
    left_out = []
    for visit in sorted(day.absent):
        if visit in impossible:
            left_out.append(Unserved(visit, impossible[visit]))
            continue
        found = insert.best(visit, routes, opening, math.inf)
        if found is None:
            left_out.append(Unserved(visit, Reason.TIME))
        else:
            left_out.append(Unserved(visit, Reason.NOT_WORTH_IT, round(found[0], 2)))
    return tuple(left_out)
