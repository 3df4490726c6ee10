"""Before solving: which visits no plan can serve, and why."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from optimizer.model import Reason
from optimizer.solve.facts import FAR_S

if TYPE_CHECKING:
    from optimizer.solve.facts import Facts, Kind
    from optimizer.solve.route import Builder


def impossible(builder: Builder) -> dict[int, Reason]:
    """Return the visits that no truck could serve even if it had nothing else to do."""
    return {
        visit: reason
        for visit in range(builder.facts.visits)
        if (reason := _why(builder, visit)) is not None
    }


def _why(builder: Builder, visit: int) -> Reason | None:
    facts = builder.facts
    may = facts.problem.visits[visit].trucks
    trucks = [t for t in range(len(facts.kinds)) if may is None or t in may]
    suited = [t for t in trucks if facts.kinds[t].has_body_for(visit)]
    if not suited:
        return Reason.NO_TRUCK
    able = [
        t
        for t in suited
        if facts.kinds[t].takes[visit]
        and builder.within_day(facts.kinds[t], 1, builder.kg[visit], builder.litres[visit])
    ]
    if not able:
        return Reason.CAPACITY
    if all(_no_road(facts, facts.kinds[truck], visit) for truck in able):
        return Reason.UNREACHABLE
    if any(builder.alone(truck, visit) for truck in able):
        return None
    return Reason.WINDOW if facts.windows[visit] else Reason.TIME


def _no_road(facts: Facts, kind: Kind, visit: int) -> bool:
    """Whether there is no way to a visit, on to some facility and back to the tour's end."""
    here, end = facts.location[visit], kind.truck.end
    if facts.travel_s[kind.truck.start][here] >= FAR_S:
        return True
    for way in kind.ways(facts.mask[visit]):
        stations = [here, *(facts.location[node] for node in way), end]
        pairs = itertools.pairwise(stations)
        if all(facts.travel_s[a][b] < FAR_S for a, b in pairs):
            return False
    return True
