"""Collection days on real streets: several trips, two facilities, the legal break, a tight fleet.

Stops lie along a city's smaller streets, in clusters as rounds have them; travel times come from
the road engine with the truck profile. The same city, size and seed give the same day.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from optimizer.formats.problem_json import read_problem_json, write_problem_json
from optimizer.model import BreakRule, Compartment, Facility, Problem, TimeWindow, Truck, Visit
from optimizer.road_times import Places
from optimizer.roads import RoadsSource, open_roads
from optimizer.roads.extract import road_points

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from optimizer.road_times import TravelTimes

VERSION = 1  # of the recipe; another one makes other files
HOUR = 3600
SHIFT = TimeWindow(6 * HOUR, 14 * HOUR + 1800)
BREAK = BreakRule("ArbZG §4", 1800, 8 * HOUR, 12 * HOUR, due_after_s=6 * HOUR)
OPEN = TimeWindow(7 * HOUR, 16 * HOUR)
PAYLOAD_KG = 10_000.0
UNLOAD_S = 900
WINDOWS = 0.1  # share of the stops with a window of two hours
DRAWN = 4  # points of streets for each stop to choose from
SPREAD_DEG = 0.006  # of stops around the middle of their round; some 500 m


def street_day(extract: Path, size: int, cache: Path, seed: int = 1) -> Problem:
    """Return a day of so many stops, made anew or read from the cache."""
    city = extract.name.removesuffix(".osm.pbf")
    path = cache / f"{city}-{size}-{seed}-v{VERSION}.json"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        write_problem_json(part, _made(extract, size, cache, np.random.default_rng(seed)))
        part.replace(path)
    return read_problem_json(path)


def _made(extract: Path, size: int, cache: Path, random: np.random.Generator) -> Problem:
    travel = open_roads(RoadsSource(extract), cache)
    points = _reachable(travel, road_points(extract).lon_lat, DRAWN * size + 400, random)
    middle = np.median(points, axis=0)
    nearness = np.hypot(*(points - middle).T).argsort()
    depot = points[nearness[len(points) // 3]]  # neither in the middle nor far out
    ends = points[_far_apart(points, middle)]
    stops = _clusters(points, size, random)
    places = Places.of(np.vstack([depot, ends, stops]))
    matrix = travel.matrix(places)
    kg = random.integers(60, 400, size)
    service_s = random.integers(120, 300, size)
    fleet = _fleet(int(kg.sum()), int(service_s.sum()), matrix.duration_s)
    return Problem(
        fractions=("residual",),
        visits=tuple(
            Visit(f"stop-{n}", 3 + n, (float(kg[n]),), (0.0,), int(service_s[n]), _window(random))
            for n in range(size)
        ),
        facilities=tuple(
            Facility(f"facility-{n}", 1 + n, frozenset({0}), UNLOAD_S, (OPEN,)) for n in range(2)
        ),
        trucks=tuple(_truck(number) for number in range(fleet)),
        duration_s=matrix.duration_s,
        distance_m=matrix.distance_m,
        name=f"{extract.name.removesuffix('.osm.pbf')} {size}",
    )


def _truck(number: int) -> Truck:
    return Truck(
        id=f"truck-{number}",
        start=0,
        end=0,
        shift=SHIFT,
        compartments=(Compartment(frozenset({0}), PAYLOAD_KG, 1e9),),
        payload_kg=PAYLOAD_KG,
        breaks=(BREAK,),
        fixed_eur=150.0,
        eur_per_km=0.9,
        eur_per_h=60.0,
    )


def _fleet(kg: int, service_s: int, duration_s: NDArray[np.int64]) -> int:
    """Return a fleet with little to spare: a third and two more than a rough count of the work."""
    stops = duration_s[3:, 3:]
    between_s = np.sort(stops, axis=1)[:, 1:6].mean()  # to one of the nearest
    there_s = duration_s[3:, 1:3].min(axis=1).mean()
    trips = math.ceil(kg / PAYLOAD_KG)
    work_s = service_s + len(stops) * between_s + trips * (UNLOAD_S + 2 * there_s)
    day_s = SHIFT.latest_s - SHIFT.earliest_s - BREAK.duration_s - there_s
    return math.ceil(1.3 * work_s / day_s) + 2


def _window(random: np.random.Generator) -> tuple[TimeWindow, ...]:
    if random.random() >= WINDOWS:
        return ()
    opens = int(random.integers(6, 12)) * HOUR
    return (TimeWindow(opens, opens + 2 * HOUR),)


def _far_apart(points: NDArray[np.float64], middle: NDArray[np.float64]) -> list[int]:
    """Return the point that is farthest out, leaving the outermost tenth, and its opposite."""
    out = np.hypot(*(points - middle).T)
    outer = np.flatnonzero(out <= np.quantile(out, 0.9))
    first = int(outer[out[outer].argmax()])
    away = np.hypot(*(points[outer] - points[first]).T)
    return [first, int(outer[away.argmax()])]


def _clusters(
    points: NDArray[np.float64], size: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return stops around as many centres as there are rounds."""
    centres = points[random.integers(len(points), size=max(4, size // 40))]
    chosen = centres[random.integers(len(centres), size=size)]
    wanted = chosen + random.normal(0, SPREAD_DEG, chosen.shape)
    nearest = [int(np.hypot(*(points - place).T).argmin()) for place in wanted]
    return points[nearest]


def _reachable(
    travel: TravelTimes, lon_lat: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return some of the points, those that a truck gets to."""
    drawn = random.choice(lon_lat, min(count, len(lon_lat)), replace=False)
    good: NDArray[np.float64] = drawn[travel.snap(Places.of(drawn)).ok]
    return good
