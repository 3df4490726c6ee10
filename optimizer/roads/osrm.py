"""Travel times from OSRM, in this process or over HTTP: one set of rules for both.

OSRM left to itself snaps a place 500 km away without a word, lets one bad place fail a whole
request, and forbids turning round at stops (8 % longer than its own matrix says). So every
place is first looked up alone within a limit, the rest of a request never sees a bad one, and
routes are asked with `continue_straight=False`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from config.errors import RoadsError
from optimizer import polyline
from optimizer.model import UNREACHABLE
from optimizer.road_times import Matrix, Places, ProviderInfo, Route, Snapped
from optimizer.roads.haversine import on_earth

# A crew stops beside a container or drives up to it over a yard; in Heidelberg 5 % of places
# are more than 50 m from a road in the extract. Beyond 100 m the place or the road is wrong.
SNAP_LIMIT_M = 100.0
_ANCHORS = 16
_AROUND_DEG = 0.01 * np.array(
    [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
)

NOT_FOUND = ("NoSegment", "NoRoute", "NoTable")
"""OSRM's codes for: no road within the radius, no way."""

Answer = Mapping[str, Any]


class Engine(Protocol):
    """Something that answers OSRM's requests."""

    block: int
    """How many places a table may have on each side."""

    def ask(
        self, service: str, places: Places, radii_m: list[float | None], **options: Any
    ) -> Answer | None:
        """Return the answer, or None where OSRM finds no road or no way.

        Args:
            service: `nearest`, `table` or `route`.
            places: whose coordinates are asked, in order.
            radii_m: how far from its place a road may be; None: any distance.
            **options: of the service, by OSRM's names.

        Raises:
            RoadsError: the engine cannot answer at all.
        """
        ...


class OsrmTravelTimes:
    """`optimizer.road_times.TravelTimes` by OSRM. Use `open_roads` to get one."""

    def __init__(
        self, engine: Engine, info: ProviderInfo, snap_limit_m: float = SNAP_LIMIT_M
    ) -> None:
        self._engine = engine
        self._info = info
        self._snap_limit_m = snap_limit_m

    @property
    def info(self) -> ProviderInfo:
        """Where the figures come from."""
        return self._info

    def snap(self, places: Places) -> Snapped:
        """Find each place's road point.

        A place is ok when a road within the limit can be reached from the rest of the network
        and left again. It is not, however near a road is, on an island of closed streets, or
        where it asks for its curb and no truck can come along on that side.
        """
        road, distance_m, ok = self._nearest(places)
        if not ok.any():
            return Snapped(road, distance_m, ok)
        near = np.flatnonzero(ok)
        anchor = self._anchor(places.take(near))
        for rows in _blocks(near, self._engine.block - 1):
            there, points, gaps_m = self._reachable(anchor, places.take(rows))
            ok[rows] = there
            road[rows[there]], distance_m[rows[there]] = points[there], gaps_m[there]
        return Snapped(road, distance_m, ok)

    def matrix(self, places: Places) -> Matrix:
        """Return travel times and distances between all pairs of places."""
        near = np.flatnonzero(self._nearest(places)[2])
        shape = (len(places), len(places))
        duration_s = np.full(shape, UNREACHABLE, np.int64)
        distance_m = np.full(shape, float(UNREACHABLE))
        np.fill_diagonal(duration_s, 0)
        np.fill_diagonal(distance_m, 0.0)
        for rows in _blocks(near, self._engine.block):
            for columns in _blocks(near, self._engine.block):
                seconds, metres = self._table(places, rows, columns)
                reached = np.isfinite(seconds)
                at = np.ix_(rows, columns)
                duration_s[at] = np.where(reached, np.rint(seconds), UNREACHABLE)
                distance_m[at] = np.where(reached, metres, UNREACHABLE)
        return Matrix(duration_s, distance_m)

    def route(self, places: Places) -> Route:
        """Return the way along places; its seconds equal the matrix legs.

        Raises:
            RoadsError: a place has no road, or there is no way; names the place by its index.
        """
        if len(places) < 2:
            return Route(np.zeros(0), np.zeros(0), ())
        lost = np.flatnonzero(~self._nearest(places)[2])
        if len(lost):
            raise RoadsError(
                f"stop {lost[0]} has no road within {self._snap_limit_m:.0f} m; "
                "leave out what snap() does not find"
            )
        answer = self._engine.ask(
            "route",
            places,
            self._radii(places),
            continue_straight=False,
            geometries="polyline6",
            overview="full",
            annotations=["distance"],
        )
        if answer is None:
            raise RoadsError(f"no way along these {len(places)} stops; see matrix() for the gap")
        return _legs(answer["routes"][0])

    def _radii(self, places: Places) -> list[float | None]:
        return [self._snap_limit_m] * len(places)

    def _nearest(
        self, places: Places
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Look every place up alone, so that a bad one harms no other."""
        road = np.full((len(places), 2), np.nan)
        distance_m = np.full(len(places), np.inf)
        for index in np.flatnonzero(on_earth(places.lon_lat)):
            one = places.take([index])
            answer = self._engine.ask("nearest", one, self._radii(one))
            if answer is not None:
                found = answer["waypoints"][0]
                road[index] = list(found["location"])
                distance_m[index] = found["distance"]
        return road, distance_m, np.isfinite(distance_m)

    def _anchor(self, places: Places) -> Places:
        """Return a place on the main network, as those of most others around it are.

        Candidates are some of the places and points a kilometre around them, from which OSRM
        looks as far as it has to.
        """
        some = places.take(np.unique(np.linspace(0, len(places) - 1, _ANCHORS).astype(int)))
        around = places.lon_lat.mean(axis=0) + _AROUND_DEG
        asked = Places.of(np.vstack([some.lon_lat, around]))
        radii = [*self._radii(some), *[None] * len(around)]
        answer = self._engine.ask("table", asked, radii)
        if answer is None:
            raise RoadsError("the road network is empty; prepare it from another extract")
        linked = np.isfinite(_array(answer["durations"]))
        return asked.take([int((linked & linked.T).sum(axis=0).argmax())])

    def _reachable(
        self, anchor: Places, places: Places
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Travel from an anchor to places and back, and see where OSRM puts them for that.

        With a place on the main network among them, OSRM takes, within the limit, the main
        network's roads for the others too.
        """
        asked = Places(
            np.vstack([anchor.lon_lat, places.lon_lat]), np.concatenate([anchor.curb, places.curb])
        )
        radii = [None, *self._radii(places)]
        others = list(range(1, len(asked)))
        out = self._engine.ask("table", asked, radii, sources=[0], destinations=others)
        back = self._engine.ask("table", asked, radii, sources=others, destinations=[0])
        if out is None or back is None:
            raise RoadsError("the road engine lost a place that it had found")
        there = np.isfinite(_array(out["durations"])[0]) & np.isfinite(
            _array(back["durations"])[:, 0]
        )
        points = _array(found["location"] for found in out["destinations"])
        return there, points, np.array([found["distance"] for found in out["destinations"]])

    def _table(
        self, places: Places, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        asked_of, at = np.unique(np.concatenate([rows, columns]), return_inverse=True)
        asked = places.take(asked_of)
        answer = self._engine.ask(
            "table",
            asked,
            self._radii(asked),
            sources=at[: len(rows)].tolist(),
            destinations=at[len(rows) :].tolist(),
            annotations=["duration", "distance"],
        )
        if answer is None:
            raise RoadsError("the road engine lost a place that it had found")
        return _array(answer["durations"]), _array(answer["distances"])


def _legs(route: Answer) -> Route:
    """Cut a route's geometry into legs by the number of segments of each."""
    line = polyline.decode(route["geometry"])
    legs = list(route["legs"])
    ends = np.cumsum([len(list(leg["annotation"]["distance"])) for leg in legs])
    if ends[-1] + 1 != len(line):
        raise RoadsError(f"the road engine's geometry has {len(line)} points, not {ends[-1] + 1}")
    starts = np.concatenate(([0], ends[:-1]))
    return Route(
        np.rint([leg["duration"] for leg in legs]),  # whole seconds, as in the matrix
        np.array([leg["distance"] for leg in legs], float),
        tuple(line[start : end + 1] for start, end in zip(starts, ends, strict=True)),
    )


def _array(rows: Any) -> NDArray[np.float64]:
    """Read OSRM's nested lists; null becomes NaN."""
    return np.array([list(row) for row in rows], dtype=float)


def _blocks(indices: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(indices), size):
        yield indices[start : start + size]
