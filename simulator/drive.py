"""One truck's day as it really goes: from the tour it received to positions and events.

The whole day is worked out at once, as arrays: where the truck is at each second, and what
happens when. That is possible because a container belongs to one tour a day, and fills
whatever the trucks do. The plan's times are wishes: legs and services take their planned time
with some noise, and a container holds what it holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

import numpy as np

from config.region import WEEKDAYS, Facility, Region
from ingest.messages import EventKind, TourDown, TourStop
from simulator import chance
from simulator.chance import Floats
from simulator.load import Load
from simulator.waste import Waste
from simulator.way import Way

_PIECE_S = 20.0  # the pace changes about this often


@dataclass(frozen=True, slots=True)
class DriveModel:
    """How far reality is from the plan.

    Attributes:
        leg_log_sd: of the time a leg takes.
        service_log_sd: of the time at a stop.
        pace_log_sd: of the pace within a leg; shapes the speed, not the leg's time.
        gps_m: standard deviation of a position on each axis.
    """

    leg_log_sd: float = 0.06
    service_log_sd: float = 0.10
    pace_log_sd: float = 0.45
    gps_m: float = 2.5


class Happening(NamedTuple):
    """An event at an instant (seconds since 1970), with the fields of the contract's Event."""

    time: float
    kind: EventKind
    fields: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Fixes:
    """Where a truck was, once a second."""

    time: Floats
    lon_lat: Floats
    speed_mps: Floats
    heading_deg: Floats


@dataclass(frozen=True, eq=False)
class Drive:
    """A truck's day: where it was, what happened, and how far it went.

    Attributes:
        emptied: index into the world's containers, and when.
    """

    tour: TourDown
    fixes: Fixes
    happenings: tuple[Happening, ...]
    emptied: tuple[tuple[int, float], ...]
    km: float

    @property
    def end(self) -> float:
        """When the truck is back at its depot."""
        return self.happenings[-1].time


def drive(
    tour: TourDown,
    region: Region,
    waste: Waste,
    seed: int,
    not_before: float,
    model: DriveModel | None = None,
) -> Drive:
    """Work out the day of a tour; it starts as planned, or when the tour came too late for that.

    The same arguments, on a world with the same emptyings, give the same day. The world is not
    changed: the caller applies `Drive.emptied`.
    """
    day = _Day(tour, region, waste, seed, model or DriveModel())
    return day.drive(max(tour.start.timestamp(), not_before))


class _Day:
    """Works out one drive, stop by stop."""

    def __init__(
        self, tour: TourDown, region: Region, waste: Waste, seed: int, model: DriveModel
    ) -> None:
        self._tour, self._region, self._waste, self._model = tour, region, waste, model
        self._seed, self._key = seed, chance.keys([f"{tour.tour}/{tour.revision}"])[0]
        self._draws = 0
        vehicle = next(vehicle for vehicle in region.vehicles if vehicle.id == tour.vehicle)
        depot = next(depot for depot in region.depots if depot.id == vehicle.depot)
        self._load = Load(vehicle, region)
        self._facilities = {facility.id: facility for facility in region.facilities}
        self._way = Way.of(tour.geometry, _places(tour.stops), (depot.lon, depot.lat))
        self._happenings: list[Happening] = []
        self._emptied: list[tuple[int, float]] = []

    def drive(self, start: float) -> Drive:
        """Return the day of a truck that leaves its depot at an instant."""
        driven_s, metres = self._stations()
        knots: list[tuple[Floats, Floats]] = [(np.array([start]), np.zeros(1))]
        now = start
        self._say(now, EventKind.TOUR_START)
        for number, planned_s in enumerate(np.diff(driven_s)):
            knots.append(self._leg(now, metres[number], metres[number + 1], planned_s))
            now = float(knots[-1][0][-1])
            if number < len(self._tour.stops):
                now = self._serve(self._tour.stops[number], now)
                knots.append((np.array([now]), metres[[number + 1]]))
        self._say(now, EventKind.TOUR_END)
        times, along = (np.concatenate(part) for part in zip(*knots, strict=True))
        happenings = tuple(self._placed(times, along))
        fixes = self._fixes(times, along)
        return Drive(self._tour, fixes, happenings, tuple(self._emptied), self._way.length_m / 1000)

    def _stations(self) -> tuple[Floats, Floats]:
        """Return planned seconds of driving, and metres, at the start, each stop and the end.

        A break has no place of its own: it is where its share of the driving leaves the truck.
        """
        tour, begin = self._tour, self._tour.start.timestamp()
        service_s = np.array([stop.service_s for stop in tour.stops], np.float64)
        served_s = np.concatenate(([0.0], np.cumsum(service_s)))
        reached = [stop.arrival.timestamp() - begin for stop in tour.stops]
        reached.append(tour.end.timestamp() - begin)
        driven_s = np.maximum.accumulate(np.concatenate(([0.0], reached - served_s)))
        placed = np.array([True, *map(_has_place, tour.stops), True])
        metres = np.zeros(len(driven_s))
        located = self._way.locate(_places(tour.stops))
        metres[placed] = np.concatenate(([0.0], located, [self._way.length_m]))
        metres[~placed] = np.interp(driven_s[~placed], driven_s[placed], metres[placed])
        return driven_s, metres

    def _leg(
        self, now: float, from_m: float, to_m: float, planned_s: float
    ) -> tuple[Floats, Floats]:
        """Return when the truck is how far on a leg; its pace varies."""
        lasts_s = planned_s * self._noise(self._model.leg_log_sd)
        pieces = max(1, round(lasts_s / _PIECE_S))
        pace = self._noises(self._model.pace_log_sd, pieces)
        share = np.cumsum(pace) / pace.sum()
        return now + lasts_s * np.arange(1, pieces + 1) / pieces, from_m + (to_m - from_m) * share

    def _serve(self, stop: TourStop, now: float) -> float:
        """Do what a stop is for; return when it is done."""
        if stop.kind == "break":
            self._say(now, EventKind.BREAK_START, stop=stop.number, reason=stop.id)
            self._say(now + stop.service_s, EventKind.BREAK_END, stop=stop.number)
            return now + stop.service_s
        self._say(now, EventKind.STOP_ARRIVE, stop=stop.number)
        if stop.kind == "unload":
            return self._unload(stop, now)
        return self._collect(stop, now)

    def _collect(self, stop: TourStop, now: float) -> float:
        begin = max(now, self._quiet_until(stop))
        lasts_s = stop.service_s * self._noise(self._model.service_log_sd)
        lifted = 0
        for place, name in enumerate(stop.containers, 1):
            at = begin + lasts_s * place / (len(stop.containers) + 1)
            lifted += self._lift(stop, name, at)
        done = begin + lasts_s
        if lifted or not stop.containers:
            self._say(done, EventKind.STOP_DONE, stop=stop.number)
        return done

    def _lift(self, stop: TourStop, name: str, at: float) -> bool:
        which = self._waste.index.get(name)
        about = {"stop": stop.number, "container": name}
        if which is None:
            self._say(at, EventKind.STOP_FAILED, **about, reason="no such container here")
            return False
        fraction, kg = self._waste.containers[which].fraction, self._waste.kg(which, at)
        if not self._load.takes(fraction, kg):
            self._say(at, EventKind.STOP_FAILED, **about, reason="the truck is full")
            return False
        self._load.add(fraction, kg)
        self._emptied.append((which, at))
        self._say(at, EventKind.LIFT, **about, kg=round(kg, 1))
        return True

    def _unload(self, stop: TourStop, now: float) -> float:
        facility = self._facilities[stop.id]
        begin = max(now, _opens(facility, self._region, now))
        done = begin + stop.service_s * self._noise(self._model.service_log_sd)
        kg = round(self._load.unload(facility.accepts), 1)
        self._say(done, EventKind.UNLOAD, stop=stop.number, facility=facility.id, kg=kg)
        self._say(done, EventKind.STOP_DONE, stop=stop.number)
        return done

    def _quiet_until(self, stop: TourStop) -> float:
        """Return when work may begin: containers are noisy, and there are hours of rest."""
        index = self._waste.index
        known = [self._waste.containers[index[name]] for name in stop.containers if name in index]
        day = date.fromisoformat(self._tour.day)
        services = [self._region.service_by_fraction[c.fraction] for c in known]
        return max((_at(self._region, day, s.earliest) for s in services), default=-np.inf)

    def _say(self, at: float, kind: EventKind, **fields: Any) -> None:
        self._happenings.append(Happening(at, kind, {"tour": self._tour.tour, **fields}))

    def _placed(self, times: Floats, along: Floats) -> list[Happening]:
        """Give each event the place where the truck was."""
        at = np.array([happening.time for happening in self._happenings])
        places, _ = self._way.at(np.interp(at, times, along))
        return [
            Happening(h.time, h.kind, {**h.fields, "lon": lon, "lat": lat})
            for h, (lon, lat) in zip(self._happenings, np.round(places, 6).tolist(), strict=True)
        ]

    def _fixes(self, times: Floats, along: Floats) -> Fixes:
        at = np.arange(np.ceil(times[0]), times[-1])
        metres = np.interp(at, times, along)
        places, heading = self._way.at(metres)
        moved = np.interp(at + 0.5, times, along) - np.interp(at - 0.5, times, along)
        axes = chance.normal(self._seed, "gps", self._key, np.arange(2 * len(at)))
        places = places + self._way.degrees(self._model.gps_m * axes.reshape(-1, 2))
        return Fixes(at, np.round(places, 6), np.round(moved, 2), np.round(heading, 1))

    def _noise(self, log_sd: float) -> float:
        return float(self._noises(log_sd, 1)[0])

    def _noises(self, log_sd: float, count: int) -> Floats:
        """Return factors around 1, never the same twice on a tour."""
        numbers = np.arange(self._draws, self._draws + count)
        self._draws += count
        return chance.around_one(log_sd, chance.normal(self._seed, "drive", self._key, numbers))


def _has_place(stop: TourStop) -> bool:
    return stop.kind != "break" and stop.lon is not None and stop.lat is not None


def _places(stops: Sequence[TourStop]) -> Floats:
    placed = [(stop.lon, stop.lat) for stop in stops if _has_place(stop)]
    return np.array(placed, np.float64).reshape(-1, 2)


def _at(region: Region, day: date, clock: time) -> float:
    return datetime.combine(day, clock, region.time_zone).astimezone(UTC).timestamp()


def _opens(facility: Facility, region: Region, now: float) -> float:
    """Return when a facility opens that is not yet open; now if it is, or will not today."""
    day = datetime.fromtimestamp(now, region.time_zone).date()
    spans = [
        (_at(region, day, hours.opens), _at(region, day, hours.closes))
        for hours in facility.hours
        if WEEKDAYS[day.weekday()] in hours.days
    ]
    if any(opens <= now <= closes for opens, closes in spans):
        return now
    return min((opens for opens, _ in spans if opens > now), default=now)
