"""Travel times of all places of a region, computed once and sliced for each day."""

import numpy as np

from optimizer.road_times import Matrix, Places, ProviderInfo, Route, Snapped, TravelTimes

_Key = tuple[float, float, bool]


def _keys(places: Places) -> list[_Key]:
    return [
        (lon, lat, curb)
        for (lon, lat), curb in zip(places.lon_lat.tolist(), places.curb.tolist(), strict=True)
    ]


class SlicedTravel:
    """`TravelTimes` that answers for known places from one matrix; others go to the engine."""

    def __init__(self, travel: TravelTimes, places: Places) -> None:
        self._travel = travel
        self._row = {key: row for row, key in enumerate(dict.fromkeys(_keys(places)))}
        known = Places.of([key[:2] for key in self._row], [key[2] for key in self._row])
        self._snapped = travel.snap(known)
        self._matrix = travel.matrix(known)

    @property
    def info(self) -> ProviderInfo:
        """Where the figures come from."""
        return self._travel.info

    def snap(self, places: Places) -> Snapped:
        """Find each place's road point."""
        rows = self._rows(places)
        if rows is None:
            return self._travel.snap(places)
        found = self._snapped
        return Snapped(found.lon_lat[rows], found.distance_m[rows], found.ok[rows])

    def matrix(self, places: Places) -> Matrix:
        """Return travel times and distances between all pairs of places."""
        rows = self._rows(places)
        if rows is None:
            return self._travel.matrix(places)
        block = np.ix_(rows, rows)
        return Matrix(self._matrix.duration_s[block], self._matrix.distance_m[block])

    def route(self, places: Places) -> Route:
        """Return the way along places."""
        return self._travel.route(places)

    def _rows(self, places: Places) -> list[int] | None:
        try:
            return [self._row[key] for key in _keys(places)]
        except KeyError:
            return None
