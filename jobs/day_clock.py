"""Seconds of a day from instants; the way back is `optimizer.daily.instant`."""

from datetime import date, datetime

from config.region import Region
from optimizer.model import DAY_S


class DayClock:
    """Seconds of a day, by the wall clock of its region."""

    def __init__(self, region: Region, day: date) -> None:
        self._region, self._day = region, day

    def second(self, instant: datetime) -> int:
        """Return an instant as seconds of the day."""
        wall = instant.astimezone(self._region.time_zone).replace(tzinfo=None)
        midnight = datetime.combine(self._day, datetime.min.time())
        return int((wall - midnight).total_seconds())

    def bounded(self, instant: datetime | None, otherwise: int) -> int:
        """Return an instant as seconds of the day, within it."""
        if instant is None:
            return otherwise
        return min(max(self.second(instant), 0), DAY_S)
