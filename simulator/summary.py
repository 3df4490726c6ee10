"""What a day in the city came to, by its true levels, which the product never sees."""

from datetime import date, datetime
from typing import Any

import numpy as np

from config.region import Region
from simulator.waste import Waste


def summarise(region: Region, waste: Waste, day: date, end: float) -> dict[str, Any]:
    """Return the figures of a day.

    Args:
        region: its containers' services tell when they can next be emptied.
        waste: the world.
        day: the day that was played.
        end: until when it was played.
    """
    begin = region.midnight(day).timestamp()
    chance_s = _next_chance(region, waste, day)
    which = np.arange(len(waste.ids))
    later, untouched = waste.level(which, chance_s), waste.level(which, chance_s, begin)
    return {
        "day": day.isoformat(),
        "told_until": datetime.fromtimestamp(end, region.time_zone).isoformat(timespec="seconds"),
        "containers": len(waste.ids),
        "containers_emptied": sum(begin <= at < end for _, at in waste.emptyings),
        "overflowing": {
            "as_the_day_began": int((waste.levels(begin) > 1).sum()),
            "now": int((waste.levels(end) > 1).sum()),
            "until_the_next_collection": int((later > 1).sum()),
            "until_then_without_the_tours": int((untouched > 1).sum()),
        },
        "would_overflow": [waste.ids[row] for row in np.flatnonzero(untouched > 1)],
    }


def _next_chance(region: Region, waste: Waste, day: date) -> np.ndarray:
    """Return for each container when its service runs next after a day."""
    instants = []
    for container in waste.containers:
        service = region.service_by_fraction[container.fraction]
        following = region.next_collection_day(service, day)
        opens = datetime.combine(following, service.earliest, region.time_zone)
        instants.append(opens.timestamp())
    return np.array(instants)
