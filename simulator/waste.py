"""Containers that fill.

What people throw in does not depend on when it is fetched: each container has a total intake
that only grows, and its level is the intake since it was last emptied. So a world is fully
given by (seed, region) and the emptyings applied to it, and two policies that are compared on
one seed meet exactly the same waste.

Model (research: belief on 262 measured bins): a container-specific rate, log-normal around the
fraction's median; a weekday profile; a profile over the day; noise of the day for each container
and for the whole city.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from config.region import Container, Region
from simulator import chance
from simulator.chance import Floats

# Share of a day's waste in each four hours from midnight, measured on litter bins.
DAY_PROFILE = np.array([0.32, 0.45, 0.71, 1.59, 1.50, 1.24]) / 5.81
_BLOCKS = len(DAY_PROFILE)
FULLEST = 1.2  # what lies in and beside an overflowing container, as far as a truck takes it
_TIME_BITS = 44  # milliseconds of 500 years; orders (container, time) in one number


@dataclass(frozen=True, slots=True)
class WasteModel:
    """How unsteady the filling is.

    Attributes:
        day_log_sd: noise of one container's day.
        city_log_sd: noise of a day that all containers share (weather, events).
        weekday_log_sd: how far a container's week differs from its fraction's.
        residue: largest share that stays in a container when it is emptied.
    """

    day_log_sd: float = 0.25
    city_log_sd: float = 0.12
    weekday_log_sd: float = 0.10
    residue: float = 0.04


class Waste:
    """The true levels of a region's containers; time is in seconds since 1970.

    Args:
        region: whose containers.
        seed: of everything that is random.
        origin: first day of this world, on which all are empty; begin well before what counts.
        model: how unsteady the filling is.
        containers: some of the region's, instead of all.
    """

    def __init__(
        self,
        region: Region,
        seed: int,
        origin: date,
        model: WasteModel | None = None,
        containers: Sequence[Container] | None = None,
    ) -> None:
        self.containers = tuple(region.containers if containers is None else containers)
        self.ids = tuple(container.id for container in self.containers)
        self.index = {name: number for number, name in enumerate(self.ids)}
        self.origin = origin
        self._region = region
        self._seed = seed
        self._model = model or WasteModel()
        self._keys = chance.keys(self.ids)
        self._rate = self._rates()
        self._week = self._weeks()
        self._edges = np.array([region.midnight(origin).timestamp()])
        self._intake = np.zeros((1, len(self.ids)))
        self._emptied_key = np.zeros(0, np.int64)
        self._emptied_base = np.zeros(0)

    @property
    def rate_per_day(self) -> Floats:
        """The true mean share of its volume by which each container fills a day."""
        return self._rate

    @property
    def emptyings(self) -> list[tuple[str, float]]:
        """What was emptied when, as `empty` takes it."""
        which, at_ms = self._emptied_key >> _TIME_BITS, self._emptied_key & (2**_TIME_BITS - 1)
        at = self._edges[0] + at_ms / 1000
        return [(self.ids[i], t) for i, t in zip(which.tolist(), at.tolist(), strict=True)]

    def level(self, which: ArrayLike, at: ArrayLike, emptied_until: float = np.inf) -> Floats:
        """Return the fill of containers (by index) at instants, both broadcast.

        An emptying shows right after its instant; 1 is full, more overflows.

        Args:
            which: indices of containers.
            at: seconds since 1970.
            emptied_until: what the levels were if nothing had been emptied from then on.
        """
        i, t = np.broadcast_arrays(np.asarray(which, np.int64), np.asarray(at, np.float64))
        return self._taken(i, t) - self._base(i, np.minimum(t, emptied_until))

    def levels(self, at: float, emptied_until: float = np.inf) -> Floats:
        """Return the fill of all containers at an instant; see `level`."""
        return self.level(np.arange(len(self.ids)), at, emptied_until)

    def kg(self, which: int, at: float) -> float:
        """Return the weight that a truck takes from a container at an instant."""
        container = self.containers[which]
        density = self._region.fraction_by_id[container.fraction].container_kg_per_m3
        level = min(float(self.level(which, at)), FULLEST)
        return level * container.volume_l / 1000 * density

    def empty(self, which: ArrayLike, at: ArrayLike) -> None:
        """Empty containers (by index) at instants, each down to a small residue."""
        i = np.atleast_1d(np.asarray(which, np.int64))
        key = self._order(i, np.atleast_1d(np.asarray(at, np.float64)))
        t = self._edges[0] + (key - (i << _TIME_BITS)) / 1000
        drawn = chance.uniform(self._seed, "residue", self._keys[i], key)
        bases = np.append(self._emptied_base, self._taken(i, t) - self._model.residue * drawn)
        ordered, first = np.unique(np.append(self._emptied_key, key), return_index=True)
        self._emptied_key, self._emptied_base = ordered, bases[first]

    def overflow_s(self, start: float, end: float) -> Floats:
        """Return how long each container overflowed within a span, in seconds."""
        return np.array([self._overflow_s(i, start, end) for i in range(len(self.ids))])

    def _overflow_s(self, which: int, start: float, end: float) -> float:
        """Sum over the spans between emptyings, in each of which the level only rises."""
        i = np.full(2, which)
        first, last = np.searchsorted(self._emptied_key, self._order(i, np.array([start, end])))
        base_at_start = self._base(i[:1], np.array([start]))
        bases = np.concatenate((base_at_start, self._emptied_base[first:last]))
        at_ms = self._emptied_key[first:last] & (2**_TIME_BITS - 1)
        bounds = [start, *(self._edges[0] + at_ms / 1000).tolist(), end]
        spans = zip(itertools.pairwise(bounds), bases, strict=True)
        total = 0.0
        for (begin, until), base in spans:
            total += max(0.0, until - max(begin, self._reached(which, float(base) + 1, until)))
        return total

    def _reached(self, which: int, intake: float, before: float) -> float:
        """Return the instant at which a container's intake reaches a value, at most `before`."""
        self._extend(before)
        column = self._intake[:, which]
        if column[-1] < intake:
            return before
        edge = int(np.searchsorted(column, intake))
        if edge == 0:
            return float(self._edges[0])
        share = (intake - column[edge - 1]) / (column[edge] - column[edge - 1])
        return float(self._edges[edge - 1] + share * (self._edges[edge] - self._edges[edge - 1]))

    def _taken(self, i: NDArray[np.int64], t: Floats) -> Floats:
        """Return the intake since the origin, linear within each block of the day."""
        self._extend(float(np.max(t, initial=self._edges[0])))
        block = np.clip(np.searchsorted(self._edges, t, side="right") - 1, 0, None)
        block = np.minimum(block, len(self._edges) - 2)
        begin, end = self._edges[block], self._edges[block + 1]
        low, high = self._intake[block, i], self._intake[block + 1, i]
        taken: Floats = low + (high - low) * np.clip((t - begin) / (end - begin), 0, 1)
        return taken

    def _base(self, i: NDArray[np.int64], t: Floats) -> Floats:
        """Return the intake at which each container was last empty before an instant."""
        base = np.zeros(np.shape(t))
        if len(self._emptied_key):
            place = np.searchsorted(self._emptied_key, self._order(i, t)) - 1
            known = np.clip(place, 0, None)
            same = (place >= 0) & (self._emptied_key[known] >> _TIME_BITS == i)
            base = np.where(same, self._emptied_base[known], base)
        return base

    def _order(self, i: NDArray[np.int64], t: Floats) -> NDArray[np.int64]:
        """Return a number that orders emptyings by container, then time."""
        at_ms = np.rint((t - self._edges[0]) * 1000).astype(np.int64)
        order: NDArray[np.int64] = (i << _TIME_BITS) + at_ms
        return order

    def _extend(self, until: float) -> None:
        """Let the world last until an instant: whole days, each drawn by its own number."""
        edges, intakes = [self._edges], [self._intake]
        while edges[-1][-1] <= until:
            day = self.origin + timedelta(days=(len(self._edges) - 1) // _BLOCKS + len(edges) - 1)
            begin, end = (
                self._region.midnight(d).timestamp() for d in (day, day + timedelta(days=1))
            )
            share = np.cumsum(DAY_PROFILE)
            edges.append(begin + (end - begin) * np.arange(1, _BLOCKS + 1) / _BLOCKS)
            intakes.append(intakes[-1][-1] + share[:, None] * self._on(day))
        if len(edges) > 1:
            self._edges, self._intake = np.concatenate(edges), np.concatenate(intakes)

    def _on(self, day: date) -> Floats:
        """Return what each container takes in on a day."""
        own = chance.normal(self._seed, "day", self._keys, day.toordinal())
        city = chance.normal(self._seed, "city", 0, day.toordinal())
        noise = chance.around_one(self._model.day_log_sd, own)
        noise = noise * chance.around_one(self._model.city_log_sd, city)
        return self._rate * self._week[:, day.weekday()] * noise

    def _rates(self) -> Floats:
        fractions = [self._region.fraction_by_id[c.fraction] for c in self.containers]
        median = np.array([fraction.fill_per_day for fraction in fractions])
        log_sd = np.array([fraction.fill_per_day_log_sd for fraction in fractions])
        rates: Floats = median * np.exp(log_sd * chance.normal(self._seed, "rate", self._keys))
        return rates

    def _weeks(self) -> Floats:
        days = np.arange(7)
        drawn = chance.normal(self._seed, "week", self._keys[:, None], days)
        fractions = [self._region.fraction_by_id[c.fraction] for c in self.containers]
        usual = np.array([fraction.weekday_weights for fraction in fractions]).reshape(-1, 7)
        week = usual * chance.around_one(self._model.weekday_log_sd, drawn)
        scaled: Floats = week / week.mean(axis=1, keepdims=True)
        return scaled
